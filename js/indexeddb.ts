/**
 * The history in IndexedDB: database `ingle` unless the shop names another, one object store `events`
 * of `{ item, type, at }`, indexed by time. Nothing else is stored.
 */

import { deferred, within } from "./deferred.js";
import type { HistoryStore, Retention } from "./history.js";
import { isEvent, isSameView } from "./history.js";
import type { HistoryEvent } from "./types.js";

const VERSION = 1;
const EVENTS = "events";
const BY_TIME = "at";

/** A database that another tab blocks, or a browser that never answers, counts as missing. */
const OPEN_MS = 3_000;

export class IndexedDbStore implements HistoryStore {
  readonly kind = "indexeddb";
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
    const { result } = await this.#run("readonly", (store) => store.index(BY_TIME).getAll() as IDBRequest<unknown[]>);
    // A record that something else wrote or broke costs itself only.
    return result.filter(isEvent).map(({ item, type, at }) => ({ item, type, at }));
  }

  async add(event: HistoryEvent): Promise<void> {
    const { retain, collapseMs } = this.#retention;
    await this.#run("readwrite", (store) => {
      const last = store.index(BY_TIME).openCursor(null, "prev");
      last.onsuccess = () => {
        const cursor = last.result;
        if (cursor && isEvent(cursor.value) && isSameView(cursor.value, event, collapseMs)) cursor.update(event);
        else store.add(event);
        trim(store, retain);
      };
    });
  }

  async remove(item?: string): Promise<void> {
    await this.#run("readwrite", (store) => {
      if (item === undefined) return void store.clear();
      const events = store.openCursor();
      events.onsuccess = () => {
        const cursor = events.result;
        if (!cursor) return;
        if (!isEvent(cursor.value) || cursor.value.item === item) cursor.delete();
        cursor.continue();
      };
    });
  }

  close(): void {
    this.#database.close();
  }

  /** Runs `work` in a transaction of its own and resolves once that has been committed. */
  async #run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => T): Promise<T> {
    const transaction = await this.#transaction(mode);
    const result = work(transaction.objectStore(EVENTS));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser aborted a transaction"));
    });
    return result;
  }

  /** Browsers close databases of pages in the background; opening it again is all that takes. */
  async #transaction(mode: IDBTransactionMode): Promise<IDBTransaction> {
    try {
      return this.#database.transaction(EVENTS, mode);
    } catch {
      this.#database = await openDatabase(this.#name);
      return this.#database.transaction(EVENTS, mode);
    }
  }
}

/** Deletes the oldest events beyond `retain`. */
function trim(store: IDBObjectStore, retain: number): void {
  const count = store.index(BY_TIME).count();
  count.onsuccess = () => {
    let surplus = count.result - retain;
    if (surplus <= 0) return;
    const oldest = store.index(BY_TIME).openCursor();
    oldest.onsuccess = () => {
      if (!oldest.result || surplus-- <= 0) return;
      oldest.result.delete();
      oldest.result.continue();
    };
  };
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  if (typeof indexedDB === "undefined") throw new Error("this browser has no IndexedDB");
  const request = indexedDB.open(name, VERSION);
  const opened = deferred<IDBDatabase>();
  request.onupgradeneeded = () => {
    request.result.createObjectStore(EVENTS, { autoIncrement: true }).createIndex(BY_TIME, "at");
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
