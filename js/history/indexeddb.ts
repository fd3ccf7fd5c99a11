/**
 * The history in IndexedDB: database `ingle` unless the shop names another. The object store `events`
 * holds `{ item, type, at, dwell }`, indexed by time; `settings` holds whether recording is paused.
 * Nothing else is stored.
 */

import { deferred, within } from "../deferred.js";
import { comeback, isEvent, joined, looksBack, plainEvent } from "./events.js";
import type { HistoryStore, Retention } from "./store.js";
import type { HistoryEvent } from "../types.js";

const VERSION = 2;
const EVENTS = "events";
const SETTINGS = "settings";
const PAUSED = "paused";
const BY_TIME = "at";

/** A database that another tab blocks, or a browser that never answers, counts as missing. */
const OPEN_MS = 3_000;

export class IndexedDbStore implements HistoryStore {
  readonly kind = "indexeddb";
  /** Called when the database had to be opened again: what it held may be gone. */
  onReopen: (() => void) | undefined;
  readonly #name: string;
  readonly #retention: Retention;
  #database: IDBDatabase;

  static async open(name: string, retention: Retention): Promise<IndexedDbStore> {
    return new IndexedDbStore(name, await openDatabase(name), retention);
  }

  private constructor(name: string, database: IDBDatabase, retention: Retention) {
    this.#name = name;
    this.#database = database;
    this.#retention = retention;
  }

  async list(): Promise<HistoryEvent[]> {
    const { maxAgeMs, retain } = this.#retention;
    const since = Number.isFinite(maxAgeMs) ? IDBKeyRange.lowerBound(Date.now() - maxAgeMs) : null;
    const { result } = await this.#run("readonly", EVENTS, (store) => store.index(BY_TIME).getAll(since) as IDBRequest<unknown[]>);
    // A record that something else wrote or broke costs itself only.
    return result.filter(isEvent).map(plainEvent).slice(-retain);
  }

  async add(events: readonly HistoryEvent[]): Promise<void> {
    const sorted = [...events].sort((a, b) => a.at - b.at);
    await this.#run("readwrite", EVENTS, (store) => {
      const append = (): void => this.#append(store, sorted);
      comeBackTo(comeback(sorted), store, () => (looksBack(sorted) ? this.#lengthen(store, sorted[0]!, append) : append()));
    });
  }

  /** Adds events, oldest first, to those there are. */
  #append(store: IDBObjectStore, events: readonly HistoryEvent[]): void {
    const latest = store.index(BY_TIME).openCursor(null, "prev");
    latest.onsuccess = () => {
      const cursor = latest.result;
      let last = cursor && isEvent(cursor.value) ? cursor.value : undefined;
      const fresh: HistoryEvent[] = [];
      for (const event of events) {
        const both = last && joined(last, event, this.#retention.collapseMs);
        if (!both) fresh.push(event);
        else if (fresh.length > 0) fresh[fresh.length - 1] = both;
        else cursor?.update(both);
        if (!last || event.at >= last.at) last = both ?? event;
      }
      for (const event of fresh) store.add(event);
      this.#trim(store);
    };
  }

  /** Adds its dwell to the view that it reports on; where there is none goes on with `append`. */
  #lengthen(store: IDBObjectStore, event: HistoryEvent, append: () => void): void {
    const { collapseMs } = this.#retention;
    const since = IDBKeyRange.lowerBound(event.at - (event.dwell ?? 0) - collapseMs);
    const recent = store.index(BY_TIME).openCursor(since, "prev");
    let last = true;
    recent.onsuccess = () => {
      const cursor = recent.result;
      if (!cursor) return append();
      const both = isEvent(cursor.value) ? joined(cursor.value, event, collapseMs) : undefined;
      if (both) return void cursor.update(last ? both : { ...both, at: (cursor.value as HistoryEvent).at });
      last = false;
      cursor.continue();
    };
  }

  async remove(item?: string): Promise<void> {
    await this.#run("readwrite", EVENTS, (store) => {
      if (item === undefined) return void store.clear();
      const events = store.openCursor();
      events.onsuccess = () => {
        const cursor = events.result;
        if (!cursor) return;
        if (!isEvent(cursor.value) || cursor.value.item === item) cursor.delete();
        cursor.continue();
      };
    });
    // An empty store still counts how many records it ever had.
    if (item === undefined) await eraseDatabase(this.#name, this.#database);
  }

  async paused(): Promise<boolean> {
    const { result } = await this.#run("readonly", SETTINGS, (store) => store.get(PAUSED) as IDBRequest<unknown>);
    return result === true;
  }

  async setPaused(paused: boolean): Promise<void> {
    await this.#run("readwrite", SETTINGS, (store) => (paused ? store.put(true, PAUSED) : store.delete(PAUSED)));
  }

  close(): void {
    this.#database.close();
  }

  /** Deletes the events that are too many or too old. */
  #trim(store: IDBObjectStore): void {
    const { retain, maxAgeMs } = this.#retention;
    const drop = (until: number): void => {
      const events = store.index(BY_TIME).openCursor();
      events.onsuccess = () => {
        const cursor = events.result;
        if (!cursor || (until <= 0 && Number(cursor.key) >= Date.now() - maxAgeMs)) return;
        until--;
        cursor.delete();
        cursor.continue();
      };
    };
    const count = store.index(BY_TIME).count();
    count.onsuccess = () => drop(count.result - retain);
  }

  /** Runs `work` in a transaction of its own and resolves once that has been committed. */
  async #run<T>(mode: IDBTransactionMode, name: string, work: (store: IDBObjectStore) => T): Promise<T> {
    const transaction = await this.#transaction(name, mode);
    const result = work(transaction.objectStore(name));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser aborted a transaction"));
    });
    return result;
  }

  /** Browsers close databases of pages in the background; opening it again is all that takes. */
  async #transaction(name: string, mode: IDBTransactionMode): Promise<IDBTransaction> {
    try {
      return this.#database.transaction(name, mode);
    } catch {
      this.#database = await openDatabase(this.#name);
      this.onReopen?.();
      return this.#database.transaction(name, mode);
    }
  }
}

/** Deletes a history's whole database, in whichever tab it is open. Rejects if another page holds on to it. */
export async function eraseDatabase(name: string, open?: IDBDatabase): Promise<void> {
  if (typeof indexedDB === "undefined") return;
  open?.close();
  const request = indexedDB.deleteDatabase(name);
  const gone = deferred<void>();
  request.onsuccess = () => gone.resolve();
  request.onerror = () => gone.reject(request.error);
  await within(gone.promise, OPEN_MS, () => new Error("another page holds the database open"));
}

/** Moves events of a clock that was ahead to a time that is past, in their order, and goes on. */
function comeBackTo(time: number, store: IDBObjectStore, next: () => void): void {
  const ahead = store.index(BY_TIME).openCursor(IDBKeyRange.lowerBound(Date.now(), true));
  const moved: { key: IDBValidKey; value: HistoryEvent }[] = [];
  ahead.onsuccess = () => {
    const cursor = ahead.result;
    if (cursor) {
      moved.push({ key: cursor.primaryKey, value: cursor.value as HistoryEvent });
      return cursor.continue();
    }
    // Records at one moment are ordered by their keys, so each is put again under a new one.
    for (const { key, value } of moved) {
      store.delete(key);
      store.add({ ...value, at: time });
    }
    next();
  };
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  if (typeof indexedDB === "undefined") throw new Error("this browser has no IndexedDB");
  const request = indexedDB.open(name, VERSION);
  const opened = deferred<IDBDatabase>();
  request.onupgradeneeded = () => {
    const { result: database } = request;
    const has = (store: string): boolean => database.objectStoreNames.contains(store);
    if (!has(EVENTS)) database.createObjectStore(EVENTS, { autoIncrement: true }).createIndex(BY_TIME, "at");
    if (!has(SETTINGS)) database.createObjectStore(SETTINGS);
  };
  request.onerror = () => opened.reject(request.error);
  request.onsuccess = () => {
    // Another tab may want to upgrade or delete the database: never stand in its way.
    request.result.onversionchange = () => request.result.close();
    opened.resolve(request.result);
  };
  try {
    return await within(opened.promise, OPEN_MS, () => new Error("IndexedDB did not answer"));
  } catch (error) {
    // Nobody waits for a late success any more, so it must not hold the database open.
    opened.promise.then((database) => database.close()).catch(() => {});
    throw error;
  }
}
