/** Storage of events: the interface of all stores, and the one in memory. */

import { begun, comeback, joined, type Kept, keptEvent, looksBack, plainEvent, union } from "./events.js";
import type { HistoryEvent } from "../types.js";

/** How a store limits its contents. */
export interface Retention {
  /** Number of the latest events that are kept. */
  retain: number;
  /** A view of the item viewed last, within this many milliseconds, is the same view. */
  collapseMs: number;
  /** Events older than this are deleted. */
  maxAgeMs: number;
}

/** All stores behave the same; `tests/js` checks them by one table. */
export interface HistoryStore {
  readonly kind: "indexeddb" | "memory";
  /** Oldest first; of two events at one moment, the one recorded first stays first. */
  list(): Promise<HistoryEvent[]>;
  /** The same as they are kept. */
  kept(): Promise<readonly Kept[]>;
  /** Adds events. What the store has from a clock that was ahead is moved to now, in its order. */
  add(events: readonly Kept[]): Promise<void>;
  /** Adds those of another tab's events that are not here yet. */
  join(events: readonly Kept[]): Promise<void>;
  /** Removes every event of `item`, or everything; with `until` only what had begun by then. */
  remove(item?: string, until?: number): Promise<void>;
  paused(): Promise<boolean>;
  setPaused(paused: boolean): Promise<void>;
  close(): void;
}

/** Whether an event goes when `item`, or everything, is forgotten. One from the future is older than its clock says. */
export function goes(event: Kept, item: string | undefined, until: number): boolean {
  return (item === undefined || event.item === item) && (begun(event) <= until || event.at > Date.now());
}

export class MemoryStore implements HistoryStore {
  readonly kind = "memory";
  readonly #retention: Retention;
  #events: Kept[] = [];
  #paused = false;

  constructor(retention: Retention, events: readonly Kept[] = []) {
    this.#retention = retention;
    this.replace(events);
  }

  /** The events themselves, to be read at once and not kept. */
  get events(): readonly Kept[] {
    this.#trim();
    return this.#events;
  }

  /** Whether an event has grown too old since it was put here. */
  get hasOld(): boolean {
    return (this.#events[0]?.at ?? Infinity) < Date.now() - this.#retention.maxAgeMs;
  }

  /** Holds these events, oldest first, instead of what it had. */
  replace(events: readonly Kept[]): void {
    this.#events = [...events];
    this.#trim();
  }

  /** Removes at once what `remove` does. */
  drop(item?: string, until = Infinity): void {
    this.#events = this.#events.filter((event) => !goes(event, item, until));
  }

  async list(): Promise<HistoryEvent[]> {
    return this.events.map(plainEvent);
  }

  async kept(): Promise<readonly Kept[]> {
    return this.events.map(keptEvent);
  }

  async add(events: readonly Kept[]): Promise<void> {
    const now = comeback(events);
    for (let n = this.#events.length - 1; n >= 0 && (this.#events[n]?.at ?? 0) > Date.now(); n--) this.#events[n]!.at = now;
    if (!looksBack(events) || !this.#lengthen(events[0]!)) for (const event of [...events].sort((a, b) => a.at - b.at)) this.#insert({ ...event });
    this.#trim();
  }

  async join(events: readonly Kept[]): Promise<void> {
    this.replace(union(this.#events, events, this.#retention.collapseMs));
  }

  async remove(item?: string, until?: number): Promise<void> {
    this.drop(item, until);
  }

  async paused(): Promise<boolean> {
    return this.#paused;
  }

  async setPaused(paused: boolean): Promise<void> {
    this.#paused = paused;
  }

  close(): void {}

  /** Adds its dwell to the view that it reports on; says whether there is one. */
  #lengthen(event: Kept): boolean {
    const since = event.at - (event.dwell ?? 0) - this.#retention.collapseMs;
    for (let n = this.#events.length - 1; n >= 0 && this.#events[n]!.at >= since; n--) {
      const both = joined(this.#events[n]!, event, this.#retention.collapseMs);
      if (!both) continue;
      this.#events[n] = n === this.#events.length - 1 ? both : { ...both, at: this.#events[n]!.at };
      return true;
    }
    return false;
  }

  #insert(event: Kept): void {
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
