/**
 * The history in IndexedDB: database `ingle` unless the shop gives another name. The object store `events` holds `{
 * item, type, at, dwell, since }`, indexed by time; `settings` holds whether recording is paused, and the adapter
 * that was learnt from the events. Nothing else is stored. Only writing creates the database; reading and erasing need
 * an existing one.
 */

import { deferred, within } from "../common/deferred.js";
import { comeback, isEvent, joined, type Kept, keptEvent, looksBack, plainEvent, union } from "./events.js";
import { goes, type HistoryStore, type Retention } from "./store.js";
import type { HistoryEvent } from "../types.js";

const VERSION = 2;
const EVENTS = "events";
const SETTINGS = "settings";
const PAUSED = "paused";
const ADAPTER = "adapter";
const BY_TIME = "at";

export const NO_INDEXEDDB = "this browser has no IndexedDB";

/** A database that another tab blocks, or a browser that does not answer, counts as missing. */
const OPEN_MS = 3_000;

export class IndexedDbStore implements HistoryStore {
  readonly kind = "indexeddb";
  /** Called when the database had to be opened again; its contents may be gone. */
  onReopen: (() => void) | undefined;
  readonly #name: string;
  readonly #retention: Retention;
  #database: IDBDatabase | undefined;
  #opened = false;

  constructor(name: string, retention: Retention) {
    this.#name = name;
    this.#retention = retention;
  }

  async list(): Promise<HistoryEvent[]> {
    return (await this.kept()).map(plainEvent);
  }

  /** Events that are too old, and more than the limit, are deleted when they are found. */
  async kept(): Promise<Kept[]> {
    const { retain, maxAgeMs } = this.#retention;
    const found = await this.#run("readonly", EVENTS, (store) => store.index(BY_TIME).getAll() as IDBRequest<unknown[]>);
    const all = found?.result ?? [];
    // A broken or foreign record is skipped.
    const events = all.filter(isEvent).map(keptEvent);
    const fresh = events.filter(({ at }) => at >= Date.now() - maxAgeMs).slice(-retain);
    if (all.length > retain || fresh.length < events.length) {
      await this.#run("readwrite", [EVENTS, SETTINGS], (store, settings) => {
        this.#trim(store);
        settings.delete(ADAPTER);
      });
    }
    return fresh;
  }

  async add(events: readonly Kept[]): Promise<void> {
    const sorted = [...events].sort((a, b) => a.at - b.at);
    await this.#write(EVENTS, (store) => {
      const append = (): void => this.#append(store, sorted);
      comeBackTo(comeback(sorted), store, () => (looksBack(sorted) ? this.#lengthen(store, sorted[0]!, append) : append()));
    });
  }

  /** One transaction, so that of several tabs adding events at the same time each finds those of the others. */
  async join(events: readonly Kept[]): Promise<void> {
    if (events.length === 0) return;
    await this.#write(EVENTS, (store) => {
      const found = store.index(BY_TIME).getAll() as IDBRequest<unknown[]>;
      found.onsuccess = () => {
        store.clear();
        for (const event of union(found.result.filter(isEvent), events, this.#retention.collapseMs)) store.add(event);
        this.#trim(store);
      };
    });
  }

  /** Appends events, oldest first. */
  #append(store: IDBObjectStore, events: readonly Kept[]): void {
    const latest = store.index(BY_TIME).openCursor(null, "prev");
    latest.onsuccess = () => {
      const cursor = latest.result;
      let last = cursor && isEvent(cursor.value) ? cursor.value : undefined;
      const fresh: Kept[] = [];
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

  /** Adds the dwell time to the view that it reports on; if there is none, continues with `append`. */
  #lengthen(store: IDBObjectStore, event: Kept, append: () => void): void {
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

  async remove(item?: string, until = Infinity): Promise<void> {
    let [left, removed] = [0, 0];
    const found = await this.#run("readwrite", [EVENTS, SETTINGS], (store, settings) => {
      // It was learnt from what goes.
      settings.delete(ADAPTER);
      const events = store.openCursor();
      events.onsuccess = () => {
        const cursor = events.result;
        if (!cursor) return;
        if (isEvent(cursor.value) && !goes(cursor.value, item, until)) left++;
        else {
          removed++;
          cursor.delete();
        }
        cursor.continue();
      };
      return events;
    });
    if (!found || left > 0) return;
    const everything = item === undefined && until === Infinity;
    // If the tab that forgot has erased it already, another tab's new event may be on its way there.
    if (until !== Infinity && removed === 0) return;
    // An empty store still counts how many records it ever had.
    if (everything || !(await this.paused())) await this.erase();
  }

  /**
   * Empties the database and deletes it, in whichever tab it is open. A page that hangs may keep it open: then it is
   * empty, and the browser deletes it when that page closes it.
   */
  async erase(): Promise<void> {
    if (typeof indexedDB === "undefined") return;
    let emptied = true;
    for (const name of [EVENTS, SETTINGS]) await this.#run("readwrite", name, (store) => store.clear()).catch(() => (emptied = false));
    this.close();
    const request = indexedDB.deleteDatabase(this.#name);
    const gone = deferred<void>();
    request.onsuccess = () => gone.resolve();
    request.onerror = () => gone.reject(request.error);
    const held = new Error("another page holds the database open");
    await within(gone.promise, OPEN_MS, () => held).catch((error: unknown) => {
      if (error !== held || !emptied) throw error;
    });
  }

  /** Whether there is a database at all. */
  async exists(): Promise<boolean> {
    return (await this.#run("readonly", SETTINGS, () => true)) === true;
  }

  async paused(): Promise<boolean> {
    const found = await this.#run("readonly", SETTINGS, (store) => store.get(PAUSED) as IDBRequest<unknown>);
    return found?.result === true;
  }

  async setPaused(paused: boolean): Promise<void> {
    if (paused) await this.#write(SETTINGS, (store) => store.put(true, PAUSED));
    else await this.#run("readwrite", SETTINGS, (store) => store.delete(PAUSED));
  }

  /** What was learnt from the events. */
  async adapter(): Promise<unknown> {
    return (await this.#run("readonly", SETTINGS, (store) => store.get(ADAPTER) as IDBRequest<unknown>))?.result;
  }

  /** Stores what was learnt from these events if they are the ones that are stored; `undefined` deletes it. */
  async keepAdapter(adapter: unknown, from: readonly HistoryEvent[]): Promise<void> {
    const learnt = textOf(from);
    await this.#run("readwrite", [EVENTS, SETTINGS], (store, settings) => {
      settings.delete(ADAPTER);
      const found = store.index(BY_TIME).getAll() as IDBRequest<unknown[]>;
      found.onsuccess = () => adapter && textOf(found.result.filter(isEvent)) === learnt && settings.put(adapter, ADAPTER);
    });
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** Deletes the events that are too many or too old. */
  #trim(store: IDBObjectStore): void {
    const { retain, maxAgeMs } = this.#retention;
    const drop = (surplus: number): void => {
      const events = store.index(BY_TIME).openCursor();
      events.onsuccess = () => {
        const cursor = events.result;
        if (!cursor || (surplus <= 0 && Number(cursor.key) >= Date.now() - maxAgeMs)) return;
        surplus--;
        cursor.delete();
        cursor.continue();
      };
    };
    const count = store.index(BY_TIME).count();
    count.onsuccess = () => drop(count.result - retain);
  }

  async #write<T>(name: string, work: (store: IDBObjectStore) => T): Promise<void> {
    await this.#run("readwrite", name, work, true);
  }

  /** Runs `work` in a transaction of its own and resolves once that has been committed; without it if there is no database. */
  async #run<T>(mode: IDBTransactionMode, names: string | [string, string], work: (store: IDBObjectStore, other: IDBObjectStore) => T, make = false): Promise<T | undefined> {
    const transaction = await this.#transaction(names, mode, make);
    if (!transaction) return undefined;
    const [store, other = store] = [names].flat().map((name) => transaction.objectStore(name)) as [IDBObjectStore, IDBObjectStore?];
    const result = work(store, other);
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser aborted a transaction"));
    });
    return result;
  }

  /** Browsers close databases of background pages; it is then opened again. */
  async #transaction(name: string | string[], mode: IDBTransactionMode, make: boolean): Promise<IDBTransaction | undefined> {
    try {
      if (this.#database) return this.#database.transaction(name, mode);
    } catch {
      this.#database = undefined;
    }
    this.#database = await openDatabase(this.#name, make);
    if (this.#opened) this.onReopen?.();
    this.#opened = true;
    return this.#database?.transaction(name, mode);
  }
}

/** Events as text, to compare them. */
function textOf(events: readonly HistoryEvent[]): string {
  return JSON.stringify(events.map(plainEvent));
}

/** Moves events with a future time to a past time, in their order, and continues. */
function comeBackTo(time: number, store: IDBObjectStore, next: () => void): void {
  const ahead = store.index(BY_TIME).openCursor(IDBKeyRange.lowerBound(Date.now(), true));
  const moved: { key: IDBValidKey; value: Kept }[] = [];
  ahead.onsuccess = () => {
    const cursor = ahead.result;
    if (cursor) {
      moved.push({ key: cursor.primaryKey, value: cursor.value as Kept });
      return cursor.continue();
    }
    // Records of the same time are ordered by key, so each is stored again with a new one.
    for (const { key, value } of moved) {
      store.delete(key);
      store.add({ ...value, at: time });
    }
    next();
  };
}

/** Opens a database; one that is not there only if it is to be made. */
async function openDatabase(name: string, make: boolean): Promise<IDBDatabase | undefined> {
  if (!make && (typeof indexedDB === "undefined" || (await isMissing(name)))) return undefined;
  if (typeof indexedDB === "undefined") throw new Error(NO_INDEXEDDB);
  const request = indexedDB.open(name, VERSION);
  const opened = deferred<IDBDatabase | undefined>();
  let missing = false;
  request.onupgradeneeded = ({ oldVersion }) => {
    missing = oldVersion === 0 && !make;
    // If its creation is aborted, the database has never existed.
    if (missing) return void request.transaction?.abort();
    const { result: database } = request;
    const has = (store: string): boolean => database.objectStoreNames.contains(store);
    if (!has(EVENTS)) database.createObjectStore(EVENTS, { autoIncrement: true }).createIndex(BY_TIME, "at");
    if (!has(SETTINGS)) database.createObjectStore(SETTINGS);
  };
  request.onerror = (event) => {
    // An aborted creation is not an error of the page.
    event.preventDefault();
    missing ? opened.resolve(undefined) : opened.reject(request.error);
  };
  request.onsuccess = () => {
    // Another tab may want to upgrade or delete the database: do not block it.
    request.result.onversionchange = () => request.result.close();
    opened.resolve(request.result);
  };
  try {
    return await within(opened.promise, OPEN_MS, () => new Error("IndexedDB did not answer"));
  } catch (error) {
    // A late success is not used any more, so the database must not stay open.
    opened.promise.then((database) => database?.close()).catch(() => {});
    throw error;
  }
}

/** Whether a browser that tells has no such database: looking needs nothing on the disk, and opening does. */
async function isMissing(name: string): Promise<boolean> {
  try {
    const databases = await within(indexedDB.databases(), OPEN_MS, () => new Error("IndexedDB did not answer"));
    return !databases.some((database) => database.name === name);
  } catch {
    return false;
  }
}
