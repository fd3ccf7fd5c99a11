/** Events: validation, and which two belong to the same view of an item. */

import { IngleError } from "../errors.js";
import { idOf, isId, MAX_ID } from "../common/ids.js";
import type { HistoryEvent, RecordInput } from "../types.js";

/** An event as stored, with the time it came about if that differs from its date. */
export interface Kept extends HistoryEvent {
  /** When its view began, or when a backdated event was recorded. */
  since?: number;
}

/** Whether a stored record, or a message of another page, is a valid event. */
export function isEvent(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  const { item, type, at, dwell, since } = value as Record<keyof Kept, unknown>;
  return isId(item) && isId(type) && isTime(at) && (dwell === undefined || (isTime(dwell) && dwell >= 0)) && (since === undefined || isTime(since));
}

/** The event without other fields of the record. */
export function plainEvent({ item, type, at, dwell }: HistoryEvent): HistoryEvent {
  return dwell !== undefined ? { item, type, at, dwell } : { item, type, at };
}

/** The event as stored, without other fields of the record. */
export function keptEvent(event: Kept): Kept {
  return event.since !== undefined && event.since !== event.at ? { ...plainEvent(event), since: event.since } : plainEvent(event);
}

/** When an event came about: it is forgotten by everything that is forgotten later. */
export function begun({ at, dwell = 0, since = at - dwell }: Kept): number {
  return since;
}

/** A new event as stored; `since` is the beginning of the view that it reports on. */
export function noted(input: RecordInput, since?: number): Kept {
  const now = Date.now();
  const event = checkEvent(input, now);
  return keptEvent({ ...event, since: since ?? (input.at === undefined ? begun(event) : now) });
}

function checkEvent(given: RecordInput, now = Date.now()): HistoryEvent {
  if (typeof given !== "object" || given === null) throw new IngleError("input/item", `record takes events with an item, not ${String(given)}.`);
  const { type = "view", at, dwell } = given;
  const item = idOf(given.item, "record");
  if (!isId(type)) throw new IngleError("input/item", `An event's type is a word of 1 to ${MAX_ID} characters, not ${JSON.stringify(type)?.slice(0, 40)}.`);
  const time = Number(at ?? now);
  if (!Number.isFinite(time)) throw new IngleError("input/item", `An event's time is a number or a valid Date, not ${String(at)}.`);
  if (dwell === undefined) return { item, type, at: Math.min(time, now) };
  if (!(Number.isFinite(dwell) && dwell >= 0)) throw new IngleError("input/item", `An event's dwell is a time of 0 or more, not ${String(dwell)}.`);
  return { item, type, at: Math.min(time, now), dwell };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * Joins two views of the same page into one event; `undefined` if they are two.
 *
 * A view with a dwell time began that much earlier, so the report of a long view is joined with its start.
 */
export function joined(last: Kept, event: Kept, collapseMs: number): Kept | undefined {
  if (event.type !== "view" || last.type !== "view" || event.item !== last.item || event.at < last.at) return undefined;
  const apart = event.at - (event.dwell ?? 0) - last.at;
  if (apart >= collapseMs) return undefined;
  const dwell = Math.max(last.dwell ?? 0, event.dwell ?? 0);
  const since = last.since ?? last.at;
  return keptEvent({ ...event, since, ...((dwell > 0 || event.dwell === 0) && { dwell }) });
}

/**
 * Merges two lists of events, oldest first, without duplicates: tabs of one shopper have events in common, and one may
 * know more about a view than another. Views that are the same are joined as if one tab had recorded both.
 */
export function union(ours: readonly Kept[], theirs: readonly Kept[], collapseMs: number): Kept[] {
  const all = [...ours];
  const places = placesOf(ours);
  for (const event of theirs) {
    const place = places.get(nameOf(event))?.shift();
    if (place === undefined) all.push(event);
    else if (event.at > all[place]!.at || (event.dwell ?? 0) > (all[place]!.dwell ?? 0)) all[place] = event;
  }
  const events: Kept[] = [];
  for (const event of all.sort((a, b) => a.at - b.at)) {
    const both = events.length > 0 ? joined(events.at(-1)!, event, collapseMs) : undefined;
    if (both) events[events.length - 1] = both;
    else events.push(event);
  }
  return events;
}

/** The index of each event in a list; identical events at the same moment have several. */
function placesOf(events: readonly Kept[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  events.forEach((event, n) => {
    const name = nameOf(event);
    const there = places.get(name);
    if (there) there.push(n);
    else places.set(name, [n]);
  });
  return places;
}

/** A key that is the same for an event in every tab, also after its view was reported again. */
function nameOf({ item, type, at, since = at }: Kept): string {
  return JSON.stringify([item, type, type === "view" ? since : at]);
}

/**
 * Whether a report of a view's length may belong to an event before the last one: since the view began the shopper may
 * have put the item into the basket, or viewed another in a second tab.
 */
export function looksBack(events: readonly HistoryEvent[]): boolean {
  return events.length === 1 && events[0]?.type === "view" && events[0].dwell !== undefined;
}

/** The time to which events with a future time are moved: just before those that are added now. */
export function comeback(events: readonly HistoryEvent[]): number {
  const now = Date.now();
  const newest = events.reduce((latest, { at }) => Math.max(latest, at), 0);
  return now - newest < JUST_NOW_MS ? newest : now;
}

/** From the making of an event to its writing. */
const JUST_NOW_MS = 5_000;
