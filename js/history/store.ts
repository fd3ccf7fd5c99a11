/** Where events are kept: the interface of every store, and the one in memory. */

import { comeback, joined, looksBack } from "./events.js";
import type { HistoryEvent } from "../types.js";

/** How a store trims what it is given. */
export interface Retention {
  /** How many of the latest events are kept. */
  retain: number;
  /** A view of the item viewed last, within this many milliseconds, is the same view. */
  collapseMs: number;
  /** Events older than this are dropped. */
  maxAgeMs: number;
}

/** Every store gives the same answers; `tests/js` holds them to one table. */
export interface HistoryStore {
  readonly kind: "indexeddb" | "memory";
  /** Oldest first; of two events at one moment, the one recorded first stays first. */
  list(): Promise<HistoryEvent[]>;
  /** Adds events. What the store has from a clock that was ahead is moved to now, in its order. */
  add(events: readonly HistoryEvent[]): Promise<void>;
  /** Removes every event of `item`, or everything. */
  remove(item?: string): Promise<void>;
  paused(): Promise<boolean>;
  setPaused(paused: boolean): Promise<void>;
  close(): void;
}

export class MemoryStore implements HistoryStore {
  readonly kind = "memory";
  readonly #retention: Retention;
  #events: HistoryEvent[] = [];
  #paused = false;

  constructor(retention: Retention, events: readonly HistoryEvent[] = []) {
    this.#retention = retention;
    this.replace(events);
  }

  /** The events themselves, to be read at once and not kept. */
  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** Holds these events, oldest first, instead of what it had. */
  replace(events: readonly HistoryEvent[]): void {
    this.#events = [...events];
    this.#trim();
  }

  async list(): Promise<HistoryEvent[]> {
    return this.#events.map((event) => ({ ...event }));
  }

  async add(events: readonly HistoryEvent[]): Promise<void> {
    const now = comeback(events);
    for (let n = this.#events.length - 1; n >= 0 && (this.#events[n]?.at ?? 0) > Date.now(); n--) this.#events[n]!.at = now;
    if (!looksBack(events) || !this.#lengthen(events[0]!)) for (const event of [...events].sort((a, b) => a.at - b.at)) this.#insert({ ...event });
    this.#trim();
  }

  async remove(item?: string): Promise<void> {
    this.#events = item === undefined ? [] : this.#events.filter((event) => event.item !== item);
  }

  async paused(): Promise<boolean> {
    return this.#paused;
  }

  async setPaused(paused: boolean): Promise<void> {
    this.#paused = paused;
  }

  close(): void {}

  /** Adds its dwell to the view that it reports on; says whether there is one. */
  #lengthen(event: HistoryEvent): boolean {
    const since = event.at - (event.dwell ?? 0) - this.#retention.collapseMs;
    for (let n = this.#events.length - 1; n >= 0 && this.#events[n]!.at >= since; n--) {
      const both = joined(this.#events[n]!, event, this.#retention.collapseMs);
      if (!both) continue;
      this.#events[n] = n === this.#events.length - 1 ? both : { ...both, at: this.#events[n]!.at };
      return true;
    }
    return false;
  }

  #insert(event: HistoryEvent): void {
    const last = this.#events.at(-1);
    const both = last && joined(last, event, this.#retention.collapseMs);
    if (both) return void (this.#events[this.#events.length - 1] = both);
    let place = this.#events.length;
    while (place > 0 && (this.#events[place - 1]?.at ?? 0) > event.at) place--;
    this.#events.splice(place, 0, event);
  }

  #trim(): void {
    const oldest = Date.now() - this.#retention.maxAgeMs;
    let surplus = Math.max(0, this.#events.length - this.#retention.retain);
    while (surplus < this.#events.length && (this.#events[surplus]?.at ?? 0) < oldest) surplus++;
    if (surplus > 0) this.#events.splice(0, surplus);
  }
}
