/** Events: what is one, and which two are the same look at an item. */

import { IngleError } from "../errors.js";
import { idOf } from "../ids.js";
import type { HistoryEvent, RecordInput } from "../types.js";

/** Whether a record read back is one of ours and whole. */
export function isEvent(value: unknown): value is HistoryEvent {
  if (typeof value !== "object" || value === null) return false;
  const { item, type, at } = value as Record<keyof HistoryEvent, unknown>;
  return typeof item === "string" && item !== "" && typeof type === "string" && typeof at === "number" && Number.isFinite(at);
}

/** The event alone, without what else a record may carry. */
export function plainEvent({ item, type, at, dwell }: HistoryEvent): HistoryEvent {
  return typeof dwell === "number" && dwell >= 0 ? { item, type, at, dwell } : { item, type, at };
}

export function checkEvent(given: RecordInput, now = Date.now()): HistoryEvent {
  if (typeof given !== "object" || given === null) throw new IngleError("input/item", `record takes events with an item, not ${String(given)}.`);
  const { type = "view", at, dwell } = given;
  const item = idOf(given.item, "record");
  if (typeof type !== "string" || type === "") throw new IngleError("input/item", `An event's type is a word, not ${String(type)}.`);
  const time = Number(at ?? now);
  if (!Number.isFinite(time)) throw new IngleError("input/item", `An event's time is a number or a valid Date, not ${String(at)}.`);
  if (dwell === undefined) return { item, type, at: Math.min(time, now) };
  if (!(Number.isFinite(dwell) && dwell >= 0)) throw new IngleError("input/item", `An event's dwell is a time of 0 or more, not ${String(dwell)}.`);
  return { item, type, at: Math.min(time, now), dwell };
}

export function checkItem(item: unknown): asserts item is string {
  idOf(item, "forget");
}

/**
 * The one event that two looks at the same page make, or nothing if they are two.
 *
 * A view reported with its dwell began that much earlier, so the report of a long look joins its start.
 */
export function joined(last: HistoryEvent, event: HistoryEvent, collapseMs: number): HistoryEvent | undefined {
  if (event.type !== "view" || last.type !== "view" || event.item !== last.item || event.at < last.at) return undefined;
  const apart = event.at - (event.dwell ?? 0) - last.at;
  if (apart >= collapseMs) return undefined;
  const dwell = Math.max(last.dwell ?? 0, event.dwell ?? 0);
  return dwell > 0 || event.dwell === 0 ? { ...event, dwell } : plainEvent(event);
}

/**
 * Whether a report of how long a view lasted may belong to an event before the last one: since the view
 * began the shopper may have put the item into the basket, or looked at another in a second tab.
 */
export function looksBack(events: readonly HistoryEvent[]): boolean {
  return events.length === 1 && events[0]?.type === "view" && events[0].dwell !== undefined;
}

/** Where events of a clock that was ahead belong: just before those that are added now. */
export function comeback(events: readonly HistoryEvent[]): number {
  const now = Date.now();
  const newest = events.reduce((latest, { at }) => Math.max(latest, at), 0);
  return now - newest < JUST_NOW_MS ? newest : now;
}

/** From the making of an event to its writing. */
const JUST_NOW_MS = 5_000;
