/**
 * The shopper's history, as consent allows: on the device in IndexedDB, in the memory of the open pages,
 * or not at all.
 *
 * Storage may be missing, blocked, full, or wiped halfway through a visit. Each is a normal state: the
 * history goes on in memory with everything it had, and says so. Memory always holds a copy of what is
 * stored, so that reading costs nothing and losing the storage loses no event.
 */

import { checkEvent, checkItem } from "./events.js";
import { IngleError } from "../errors.js";
import { eraseDatabase, IndexedDbStore } from "./indexeddb.js";
import { type HistoryStore, MemoryStore, type Retention } from "./store.js";
import { type Message, Tabs } from "./tabs.js";
import type { Consent, HistoryEvent, RecordInput, StorageOptions, StorageStatus } from "../types.js";

const DAY_MS = 86_400_000;

/** Who hears of what happens to the history. */
export interface HistoryHost {
  /** The history moved to memory against the shop's wish. */
  onLoss?(error: IngleError): void;
  /** The events changed, here or in another tab. */
  onChange?(): void;
  /** Consent, pause or the place of storage changed. */
  onState?(): void;
}

export class History {
  readonly #retention: Retention;
  readonly #name: string;
  readonly #host: HistoryHost;
  readonly #mayStore: boolean;
  readonly #memory: MemoryStore;
  readonly #tabs: Tabs | undefined;
  /** The device's store, while there is one. */
  #disk: HistoryStore | undefined;
  /** Another tab may have written since the copy in memory was made. */
  #stale = false;
  #consent: Consent;
  #paused = false;
  #reason: string | undefined;
  /** What is done happens one after the other, in the order it was asked for. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: StorageOptions = {}, consent: Consent = "granted", host: HistoryHost = {}) {
    const { kind = "auto", name = "ingle" } = options;
    this.#retention = checkRetention(options);
    this.#name = name;
    this.#host = host;
    this.#mayStore = kind !== "memory";
    this.#memory = new MemoryStore(this.#retention);
    this.#consent = consent;
    this.#tabs = this.#mayStore ? new Tabs(name, (message) => this.#hear(message), () => this.#refresh()) : undefined;
    if (consent === "granted") void this.#then(() => this.#open());
    if (consent === "session") this.#tabs?.tell({ kind: "hello" });
    if (consent === "denied") void this.#then(() => this.#erase());
  }

  get consent(): Consent {
    return this.#consent;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Where the history is kept now, and if that is less than was allowed, why. */
  get storage(): StorageStatus {
    if (this.#consent === "denied") return { kind: "none" };
    const kind = this.#mayStore && this.#consent === "granted" && this.#reason === undefined ? "indexeddb" : "memory";
    return this.#reason === undefined ? { kind } : { kind, reason: this.#reason };
  }

  /** Every event, oldest first, of this page and of the shop's other tabs. */
  list(): Promise<HistoryEvent[]> {
    return this.#then(async () => (await this.#reload(), this.#memory.list()));
  }

  /** The same without a copy: to be read at once. */
  read(): Promise<readonly HistoryEvent[]> {
    return this.#then(async () => (await this.#reload(), this.#memory.events));
  }

  /** Adds events; resolves with whether they may be and were kept. */
  async record(input: RecordInput | readonly RecordInput[]): Promise<boolean> {
    const events = (Array.isArray(input) ? input : [input]).map((one: RecordInput) => checkEvent(one));
    return this.#then(async () => {
      if (this.#consent === "denied" || this.#paused || events.length === 0) return false;
      await this.#reload();
      await this.#store((disk) => disk.add(events));
      await this.#memory.add(events);
      this.#tabs?.tell(this.#disk ? { kind: "stored" } : { kind: "events", events });
      this.#host.onChange?.();
      return true;
    });
  }

  /** Removes every event of `item`, or everything. */
  async forget(item?: string): Promise<void> {
    if (item !== undefined) checkItem(item);
    return this.#then(async () => {
      await this.#store((disk) => disk.remove(item));
      if (item === undefined && this.#paused) await this.#store((disk) => disk.setPaused(true));
      await this.#memory.remove(item);
      this.#tabs?.tell(item === undefined ? { kind: "forget" } : { kind: "forget", item });
      this.#host.onChange?.();
    });
  }

  /** Changes what may be kept, here and in every tab. Less than before erases what is more. */
  async allow(consent: Consent): Promise<void> {
    await this.#then(() => this.#allow(consent));
    this.#tabs?.tell({ kind: "consent", consent });
  }

  async pause(paused: boolean): Promise<void> {
    await this.#then(async () => {
      this.#paused = paused;
      await this.#store((disk) => disk.setPaused(paused));
      this.#tabs?.tell({ kind: "paused", paused });
      this.#host.onState?.();
    });
  }

  /** Lets go of the database once what was asked for is done. */
  async close(): Promise<void> {
    await this.#tail;
    this.#tabs?.close();
    this.#disk?.close();
  }

  #then<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  async #allow(consent: Consent): Promise<void> {
    const before = this.#consent;
    this.#consent = consent;
    if (consent === "granted") {
      if (before !== "granted") await this.#open();
    } else {
      await this.#reload();
      await this.#erase();
      this.#reason = undefined;
    }
    if (consent === "denied") {
      await this.#memory.remove();
      this.#host.onChange?.();
    }
    this.#host.onState?.();
  }

  /** Opens the device's store and puts into it what is in memory so far. */
  async #open(): Promise<void> {
    if (!this.#mayStore) return;
    const before = [...this.#memory.events];
    this.#reason = undefined;
    try {
      const disk = await IndexedDbStore.open(this.#name, this.#retention);
      disk.onReopen = () => (this.#stale = true);
      this.#disk = disk;
      if (before.length > 0) await disk.add(before);
      this.#paused ||= await disk.paused();
      this.#memory.replace(await disk.list());
    } catch (error) {
      this.#retreat(error);
    }
    this.#host.onState?.();
    if (this.#memory.events.length > before.length) this.#host.onChange?.();
    if (before.length > 0) this.#tabs?.tell({ kind: "stored" });
  }

  /** Brings the copy in memory up to date. */
  async #reload(): Promise<void> {
    if (!this.#disk || (!this.#stale && this.#tabs?.open)) return;
    this.#stale = false;
    await this.#store(async (disk) => this.#memory.replace(await disk.list()));
  }

  /** Uses the device's store, and goes on without it if it fails. */
  async #store(work: (disk: HistoryStore) => Promise<void>): Promise<void> {
    if (!this.#disk) return;
    try {
      await work(this.#disk);
    } catch (error) {
      this.#retreat(error);
    }
  }

  /** Deletes what is stored, without opening it: an empty storage stays empty. */
  async #erase(): Promise<void> {
    this.#disk?.close();
    this.#disk = undefined;
    if (!this.#mayStore) return;
    try {
      await eraseDatabase(this.#name);
    } catch (error) {
      this.#lost("What was stored could not be erased", error);
    }
  }

  #retreat(cause: unknown): void {
    this.#disk?.close();
    this.#disk = undefined;
    this.#reason = `The history is kept for this page only: ${cause instanceof Error ? cause.message : String(cause)}`;
    this.#lost(this.#reason, cause);
    this.#host.onState?.();
  }

  #lost(message: string, cause: unknown): void {
    this.#host.onLoss?.(new IngleError("storage/lost", message, { cause }));
  }

  /** The page may have missed what other tabs said. */
  #refresh(): void {
    this.#stale = true;
    if (this.#consent === "session") this.#tabs?.tell({ kind: "hello" });
    this.#host.onChange?.();
  }

  #hear(message: Message): void {
    void this.#then(async () => {
      switch (message.kind) {
        case "stored":
          this.#stale = true;
          return this.#disk ? this.#host.onChange?.() : undefined;
        case "hello":
          if (this.#consent === "session" && this.#memory.events.length > 0) this.#tabs?.tell({ kind: "events", events: await this.#memory.list() });
          return;
        case "events":
          return this.#join(message.events);
        case "forget":
          this.#stale = true;
          await this.#memory.remove(message.item);
          return this.#host.onChange?.();
        case "consent":
          return message.consent === this.#consent ? undefined : this.#allow(message.consent);
        case "paused":
          this.#paused = message.paused;
          return this.#host.onState?.();
      }
    });
  }

  /** Events that another tab has in memory; several tabs may tell of the same ones. */
  async #join(events: HistoryEvent[]): Promise<void> {
    if (this.#consent !== "session") return;
    const name = ({ item, type, at }: HistoryEvent): string => JSON.stringify([item, type, at]);
    const have = new Set(this.#memory.events.map(name));
    const fresh = events.filter((event) => !have.has(name(event)));
    if (fresh.length === 0) return;
    await this.#memory.add(fresh);
    this.#host.onChange?.();
  }
}

function checkRetention({ retain = 200, collapseMs = 30_000, maxAgeMs = 180 * DAY_MS }: StorageOptions): Retention {
  if (!Number.isSafeInteger(retain) || retain < 1) {
    throw new IngleError("input/options", `storage.retain is a count of at least 1, not ${retain}.`);
  }
  if (!(collapseMs >= 0)) throw new IngleError("input/options", `storage.collapseMs is a time of 0 or more, not ${collapseMs}.`);
  if (!(maxAgeMs > 0)) throw new IngleError("input/options", `storage.maxAgeMs is a time above 0, not ${maxAgeMs}.`);
  return { retain, collapseMs, maxAgeMs };
}
