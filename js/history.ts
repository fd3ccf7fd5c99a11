/**
 * The shopper's history: on the device, in IndexedDB where that works, in memory otherwise.
 *
 * Storage may be missing, blocked, full, or wiped halfway through a visit. Each is a normal state: the
 * history moves to memory with everything it had, and says so.
 */

import { IngleError } from "./errors.js";
import { IndexedDbStore } from "./indexeddb.js";
import type { HistoryEvent, RecordInput, StorageOptions } from "./types.js";

/** How a store trims what it is given. */
export interface Retention {
  /** How many of the latest events are kept. */
  retain: number;
  /** A view of the item viewed last, within this many milliseconds, is the same view. */
  collapseMs: number;
}

/** Where events are kept. Every store gives the same answers; `tests/js` holds them to one table. */
export interface HistoryStore {
  readonly kind: "indexeddb" | "memory";
  /** Oldest first. */
  list(): Promise<HistoryEvent[]>;
  add(event: HistoryEvent): Promise<void>;
  /** Removes every event of `item`, or everything. */
  remove(item?: string): Promise<void>;
  close(): void;
}

export class MemoryStore implements HistoryStore {
  readonly kind = "memory";
  readonly #retention: Retention;
  #events: HistoryEvent[];

  constructor(retention: Retention, events: HistoryEvent[] = []) {
    this.#retention = retention;
    this.#events = [...events];
  }

  async list(): Promise<HistoryEvent[]> {
    return this.#events.map((event) => ({ ...event }));
  }

  async add(event: HistoryEvent): Promise<void> {
    const last = this.#events.at(-1);
    if (last && isSameView(last, event, this.#retention.collapseMs)) this.#events.pop();
    // Sorting is stable: of two events at one moment, the one recorded first stays first.
    this.#events = [...this.#events, event].sort((a, b) => a.at - b.at).slice(-this.#retention.retain);
  }

  async remove(item?: string): Promise<void> {
    this.#events = item === undefined ? [] : this.#events.filter((event) => event.item !== item);
  }

  close(): void {}
}

/** The history as the recommender uses it: the best store there is, and a way out when it fails. */
export class History {
  readonly #retention: Retention;
  readonly #onLoss: (error: IngleError) => void;
  #store: Promise<HistoryStore>;
  /** What the store held when it last answered: what moves to memory if it never does again. */
  #latest: HistoryEvent[] = [];
  /** Writes happen one after the other, in the order they were asked for. */
  #tail: Promise<unknown> = Promise.resolve();
  #kind: "indexeddb" | "memory";
  #reason: string | undefined;

  /** `onLoss` hears when the history moves to memory against the shop's wish. */
  constructor(options: StorageOptions = {}, onLoss: (error: IngleError) => void = () => {}) {
    const { kind = "auto", name = "ingle", retain = 200, collapseMs = 30_000 } = options;
    if (!Number.isSafeInteger(retain) || retain < 1) {
      throw new IngleError("input/options", `storage.retain is a count of at least 1, not ${retain}.`);
    }
    if (!(collapseMs >= 0)) throw new IngleError("input/options", `storage.collapseMs is a time of 0 or more, not ${collapseMs}.`);
    this.#retention = { retain, collapseMs };
    this.#onLoss = onLoss;
    this.#kind = kind === "memory" ? "memory" : "indexeddb";
    this.#store = kind === "memory" ? Promise.resolve(new MemoryStore(this.#retention)) : this.#open(name);
  }

  /** Where the history is kept now, and if that is not what was asked for, why. */
  get storage(): { kind: "indexeddb" | "memory"; reason?: string } {
    return this.#reason === undefined ? { kind: this.#kind } : { kind: this.#kind, reason: this.#reason };
  }

  /** Every event, oldest first, of this page and of the origin's other pages. */
  list(): Promise<HistoryEvent[]> {
    return this.#use(async (store) => (this.#latest = await store.list()));
  }

  /** Adds an event and returns the history with it. */
  async record(input: RecordInput): Promise<HistoryEvent[]> {
    const event = checkEvent(input);
    return this.#use(async (store) => {
      await store.add(event);
      return (this.#latest = await store.list());
    });
  }

  /** Removes every event of `item`, or everything, and returns what is left. */
  async forget(item?: string): Promise<HistoryEvent[]> {
    if (item !== undefined) checkItem(item);
    return this.#use(async (store) => {
      await store.remove(item);
      return (this.#latest = await store.list());
    });
  }

  /** Lets go of the database once what was asked for is done. */
  async close(): Promise<void> {
    await this.#tail.catch(() => {});
    (await this.#store).close();
  }

  #use<T>(work: (store: HistoryStore) => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      const store = await this.#store;
      try {
        return await work(store);
      } catch (error) {
        if (store.kind === "memory") throw error;
        store.close();
        return work(await this.#retreat(error));
      }
    });
    this.#tail = result.catch(() => {});
    return result;
  }

  async #open(name: string): Promise<HistoryStore> {
    try {
      return await IndexedDbStore.open(name, this.#retention);
    } catch (error) {
      return this.#retreat(error);
    }
  }

  #retreat(cause: unknown): Promise<HistoryStore> {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#kind = "memory";
    this.#reason = `The history is kept for this page only: ${why}`;
    this.#store = Promise.resolve(new MemoryStore(this.#retention, this.#latest));
    this.#onLoss(new IngleError("storage/lost", this.#reason, { cause }));
    return this.#store;
  }
}

/** Whether `event` is the same look at the same page as the event before it. */
export function isSameView(last: HistoryEvent, event: HistoryEvent, collapseMs: number): boolean {
  const apart = event.at - last.at;
  return event.type === "view" && last.type === "view" && event.item === last.item && apart >= 0 && apart < collapseMs;
}

/** Whether a record read back is one of ours and whole. */
export function isEvent(value: unknown): value is HistoryEvent {
  if (typeof value !== "object" || value === null) return false;
  const { item, type, at } = value as Record<keyof HistoryEvent, unknown>;
  return typeof item === "string" && item !== "" && typeof type === "string" && typeof at === "number" && Number.isFinite(at);
}

function checkEvent({ item, type = "view", at = Date.now() }: RecordInput): HistoryEvent {
  checkItem(item);
  if (typeof type !== "string" || type === "") throw new IngleError("input/item", `An event's type is a word, not ${String(type)}.`);
  const time = Number(at);
  if (!Number.isFinite(time)) throw new IngleError("input/item", `An event's time is a number or a valid Date, not ${String(at)}.`);
  return { item, type, at: time };
}

function checkItem(item: unknown): void {
  if (typeof item === "string" && item !== "" && item.length <= MAX_ID) return;
  const found = typeof item === "string" ? `a string of ${item.length} characters` : String(item);
  throw new IngleError("input/item", `An item id is a string of 1 to ${MAX_ID} characters, not ${found}.`);
}

/** Longer than any catalogue's ids, shorter than what would fill the storage. */
const MAX_ID = 1024;
