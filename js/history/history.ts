/**
 * The shopper's history, as consent allows: on the device in IndexedDB, in the memory of the open pages, or not at all.
 * `state.ts` decides what may be kept. This module does it in the four places where events can be: this page's memory,
 * the device, the other tabs, and operations that are running between them.
 *
 * - Operations run one after the other. Those that reduce what may be kept change the memory at once, and bar what was
 *   already running.
 * - Forgetting and withdrawing erase what the device has, whether or not this page may use it.
 * - Storage may be missing, blocked, full, or wiped during a visit. Each is a normal state: memory always holds a copy
 *   of what is stored, so the history continues there with all its events, and reports it.
 */

import { IngleError } from "../errors.js";
import { onServer } from "../common/server.js";
import type { Consent, HistoryEvent, RecordInput, StorageOptions, StorageStatus } from "../types.js";
import { Erasures, type Owed } from "./erasures.js";
import { type Kept, noted, plainEvent } from "./events.js";
import { IndexedDbStore, NO_INDEXEDDB } from "./indexeddb.js";
import { type Look, State } from "./state.js";
import { MemoryStore, type Retention } from "./store.js";
import { type Message, Tabs } from "./tabs.js";

const DAY_MS = 86_400_000;

/** How far apart the clocks of two tabs may be, in milliseconds: browsers round times, in each process in its own way. */
const APART_MS = 1_000;

/** How long new tabs are told what was forgotten: longer than a message takes. */
const TOLD_MS = 60_000;

/** Listens to changes of the history. */
export interface HistoryHost {
  /** The history was moved to memory although the device may be used, or something could not be erased. */
  onLoss?(error: IngleError): void;
  /** The events changed, here or in another tab. */
  onChange?(): void;
  /** Something was forgotten, here or in another tab: other data about it must be forgotten too. */
  onForget?(): void;
  /** Consent, pause or the place of storage changed. */
  onState?(): void;
}

export class History {
  readonly #retention: Retention;
  readonly #host: HistoryHost;
  readonly #mayStore: boolean;
  readonly #state: State;
  readonly #memory: MemoryStore;
  readonly #disk: IndexedDbStore;
  readonly #erasures: Erasures;
  readonly #tabs: Tabs | undefined;
  /** Whether events go to the device: allowed, and working. */
  #uses = false;
  /** Another tab may have written since the copy in memory was made. */
  #stale = false;
  /** Why the device is not used although it may be. */
  #reason: string | undefined;
  /** Operations run one after the other, in the order of the calls. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: StorageOptions = {}, consent: Consent = "granted", host: HistoryHost = {}) {
    const { kind = "auto", name = "ingle" } = options;
    this.#retention = checkRetention(options);
    this.#host = host;
    this.#mayStore = kind !== "memory";
    this.#state = new State(consent, kind === "memory" ? undefined : name);
    this.#memory = new MemoryStore(this.#retention);
    this.#disk = new IndexedDbStore(name, this.#retention);
    this.#disk.onReopen = () => (this.#stale = true);
    this.#erasures = new Erasures(name, this.#disk);
    if (this.#mayStore) {
      this.#tabs = new Tabs(name, this.#retention.retain, {
        hear: (message) => this.#hear(message),
        onAway: () => (this.#disk.close(), this.consent !== "denied"),
        onBack: () => this.#comeBack(),
        // A suspended page would keep others from deleting the database that it has open.
        onFreeze: () => this.#disk.close(),
        onThaw: () => this.#thaw(),
      });
    }
    void this.#then(() => this.#begin());
    this.#tellLowered();
    this.#askTabs();
  }

  get consent(): Consent {
    return this.#state.consent;
  }

  get paused(): boolean {
    return this.#state.paused;
  }

  /** Where the history is kept now; if that is less than was allowed, why; and what could not be erased. */
  get storage(): StorageStatus {
    const { reason: unerased } = this.#erasures;
    const more = { ...(this.#reason !== undefined && { reason: this.#reason }), ...(unerased !== undefined && { unerased }) };
    if (this.consent === "denied") return { kind: "none", ...more };
    return { kind: this.#mayStore && this.consent === "granted" && this.#reason === undefined ? "indexeddb" : "memory", ...more };
  }

  /** All events, oldest first, of this page and of the shop's other tabs. */
  list(): Promise<HistoryEvent[]> {
    return this.#then(async () => (await this.#reload(), this.#memory.list()));
  }

  /** The same without a copy: must be read before it changes. */
  read(): Promise<readonly HistoryEvent[]> {
    return this.#then(async () => (await this.#reload(), this.#memory.events));
  }

  /**
   * Events stored by earlier visits that this page may not use, for a shopper who wants to see them; nothing else reads
   * them. Rejects if they cannot be read.
   */
  async stored(): Promise<HistoryEvent[]> {
    return this.#then(async () => {
      if (this.#uses || !this.#mayStore) return [];
      try {
        return (await this.#disk.kept()).filter((event) => !this.#state.isForgotten(event)).map(plainEvent);
      } catch (cause) {
        throw new IngleError("storage/lost", `What is stored could not be read: ${textOf(cause)}`, { cause });
      } finally {
        this.#disk.close();
      }
    });
  }

  /** What was learnt from the events, if this page may use what is stored. */
  adapter(): Promise<unknown> {
    return this.#then(async () => (this.#uses ? this.#disk.adapter() : undefined));
  }

  /** Stores what was learnt from these events beside them, if they are stored and have not changed. */
  keepAdapter(adapter: unknown, from: readonly HistoryEvent[]): Promise<void> {
    return this.#then(async () => (this.#uses ? this.#disk.keepAdapter(adapter, from) : undefined));
  }

  /** A view of an item begins on this page. */
  look(item: string): Look {
    return this.#state.look(item, location.pathname);
  }

  /** Adds events; resolves with whether they were allowed and kept. `look` is the view that they report on. */
  async record(input: RecordInput | readonly RecordInput[], look?: Look): Promise<boolean> {
    const events = (Array.isArray(input) ? input : [input]).map((one: RecordInput) => noted(one, look?.since));
    return this.#then(async () => {
      const may = (event: Kept): boolean => this.#state.mayRecord(event, look);
      if (!events.some(may)) return false;
      await this.#reload();
      const allowed = events.filter(may);
      await this.#use((disk) => disk.add(allowed));
      // Events forgotten or withdrawn meanwhile are erased by the next operation; they are not added to the
      // memory.
      const kept = allowed.filter((event) => may(event) && !this.#state.isForgotten(event));
      if (kept.length === 0) return false;
      await this.#memory.add(kept);
      this.#tabs?.tell(this.#uses ? { kind: "stored" } : { kind: "events", events: kept });
      this.#host.onChange?.();
      return true;
    });
  }

  /** Removes every event of `item`, or everything; rejects if the device still has it. */
  async forget(item?: string): Promise<void> {
    const at = Date.now();
    this.#state.forget(item, at);
    this.#memory.drop(item);
    this.#host.onForget?.();
    this.#tabs?.tell({ kind: "forget", ...(item !== undefined && { item }), at });
    return this.#then(async () => {
      // Events that were being added when this was called have been added by now.
      this.#memory.drop(item);
      try {
        await this.#erase(item === undefined ? { all: true } : { items: [item] });
        if (item === undefined && this.paused) await this.#use((disk) => disk.setPaused(true));
      } finally {
        this.#tabs?.tell({ kind: "stored" });
        this.#host.onChange?.();
      }
    });
  }

  /**
   * Sets what the shopper allows, as far as it takes effect. Anything less than full consent erases what is stored;
   * rejects if the device still has it.
   */
  async allow(consent: Consent, effective: Consent = consent): Promise<void> {
    const at = Date.now();
    this.#state.choose(effective, consent, at);
    if (effective === "denied") this.#memory.drop();
    if (consent !== "granted") this.#host.onForget?.();
    this.#tabs?.tell({ kind: "consent", consent, at });
    return this.#then(async () => {
      try {
        if (consent === "granted") return await this.#open();
        await this.#reload();
        this.#letGo();
        if (this.consent === "denied") this.#memory.drop();
        await this.#erase({ all: true, files: true });
      } finally {
        if (consent === "denied") this.#host.onChange?.();
        this.#host.onState?.();
      }
    });
  }

  async pause(paused: boolean): Promise<void> {
    const at = Date.now();
    this.#state.pause(paused, at);
    if (paused) this.#tabs?.tell({ kind: "paused", paused, at });
    await this.#then(async () => {
      await this.#use((disk) => disk.setPaused(paused));
      // Listeners read the device.
      if (!paused) this.#tabs?.tell({ kind: "paused", paused, at });
      // Also ends a pause of earlier visits, if this page may not use what they stored.
      if (!this.#uses && !paused) await this.#look((disk) => disk.setPaused(false));
      this.#host.onState?.();
    });
  }

  /** Closes the database when the running operations are done. */
  async close(): Promise<void> {
    await this.#tail;
    this.#tabs?.close();
    this.#disk.close();
  }

  #then<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Starts a visit: first erases what earlier visits could not. */
  async #begin(): Promise<void> {
    const { consent } = this;
    try {
      await this.#erase(consent === "denied" ? { all: true, files: true } : {});
    } catch (error) {
      this.#host.onLoss?.(error as IngleError);
    }
    if (consent === "granted") return this.#open();
    // Events that are too old are deleted, and a pause takes effect, even if nothing else may be used.
    if (consent === "session") await this.#look(async (disk) => {
      if (await disk.paused()) this.#state.readPause(true);
      await disk.kept();
    });
    this.#host.onState?.();
  }

  /** Starts to use the device, and stores what is in memory so far. */
  async #open(): Promise<void> {
    if (!this.#mayStore || this.#uses || this.consent !== "granted") return;
    this.#reason = undefined;
    const before = this.#memory.events.length;
    try {
      if (typeof indexedDB === "undefined") throw new Error(NO_INDEXEDDB);
      await this.#erasures.run();
      await this.#disk.join(this.#memory.events);
      if (this.paused) await this.#disk.setPaused(true);
      else if (await this.#disk.paused()) this.#state.readPause(true);
      this.#uses = true;
      await this.#copy();
    } catch (error) {
      this.#retreat(error);
    }
    this.#host.onState?.();
    if (this.#memory.events.length !== before) this.#host.onChange?.();
    if (before > 0) this.#tabs?.tell({ kind: "stored" });
  }

  /** Updates the copy in memory. */
  async #reload(): Promise<void> {
    // Events that are too old in memory are also on the device, and are deleted there when it is read.
    if (!this.#uses || (!this.#stale && this.#tabs?.open && !this.#memory.hasOld)) return;
    await this.#use(() => this.#copy());
  }

  async #copy(): Promise<void> {
    this.#stale = false;
    const events = await this.#disk.kept();
    this.#memory.replace(events.filter((event) => !this.#state.isForgotten(event)));
  }

  /** Uses the device's store, and continues without it if it fails. */
  async #use(work: (disk: IndexedDbStore) => Promise<void>): Promise<void> {
    if (!this.#uses) return;
    try {
      await work(this.#disk);
    } catch (error) {
      this.#retreat(error);
    }
  }

  /** Cleans up the device's store without using its events; this page needs nothing from it if that fails. */
  async #look(work: (disk: IndexedDbStore) => Promise<void>): Promise<void> {
    if (!this.#mayStore) return;
    await work(this.#disk).catch(() => {});
    this.#disk.close();
  }

  #letGo(): void {
    this.#uses = false;
    this.#reason = undefined;
    this.#disk.close();
  }

  /** Erases from the device, whether it is used or not; a failure is reported and tried again later. */
  async #erase(owed: Owed): Promise<void> {
    if (onServer()) return;
    try {
      await this.#erasures.run(owed);
    } finally {
      if (!this.#uses) this.#disk.close();
      this.#host.onState?.();
    }
  }

  #retreat(cause: unknown): void {
    this.#letGo();
    this.#reason = `The history is kept for this page only: ${textOf(cause)}`;
    this.#host.onLoss?.(new IngleError("storage/lost", this.#reason, { cause }));
    this.#host.onState?.();
  }

  #askTabs(): void {
    this.#tabs?.tell({ kind: "hello", events: this.consent === "session" });
  }

  /** Tells the other tabs decisions that reduce what is kept. */
  #tellLowered(): void {
    const { consent, paused } = this.#state.lowered;
    if (consent) this.#tabs?.tell({ kind: "consent", consent: consent.value, at: consent.at });
    if (paused !== undefined) this.#tabs?.tell({ kind: "paused", paused: true, at: paused });
  }

  /** The page comes out of the back-forward cache. */
  #comeBack(): void {
    this.#stale = true;
    const missed = this.#tabs?.mayHaveMissed ?? false;
    this.#state.comeBack(missed);
    if (missed && !this.#uses) this.#memory.drop();
    this.#askTabs();
    void this.#then(() => this.#use(async (disk) => {
      // The stored events were erased meanwhile: by forgetting, or by withdrawing consent.
      if (missed && !(await disk.exists())) return this.#lower("session", Date.now());
      this.#state.readPause(await disk.paused());
    }));
    this.#host.onState?.();
    this.#host.onChange?.();
  }

  /** The page was suspended: it handles the messages of that time before it answers. */
  #thaw(): void {
    this.#stale = true;
    const heard = this.#tabs?.caughtUp();
    void this.#then(async () => heard);
    this.#host.onChange?.();
  }

  #hear(message: Message): void {
    switch (message.kind) {
      case "stored":
        this.#stale = true;
        return this.#uses ? this.#host.onChange?.() : undefined;
      case "hello":
        return void this.#then(() => this.#answer(message.events));
      case "events":
        return void this.#then(() => this.#join(message.events));
      case "forget":
        return this.#forgetToo(message.item, Math.min(message.at, Date.now()));
      case "consent":
        return this.#lower(message.consent, message.at);
      case "paused":
        this.#state.hearPause(message.paused, message.at);
        // Resumed in a tab with storage: the device says whether this page's own pause has ended too.
        if (!message.paused) void this.#then(() => this.#use(async (disk) => void ((await disk.paused()) || this.#state.readPause(false))).then(() => this.#host.onState?.()));
        return this.#host.onState?.();
    }
  }

  /** Items forgotten in another tab are removed here and not written again. */
  #forgetToo(item: string | undefined, at: number): void {
    this.#state.forget(item, at);
    this.#memory.drop(item, at);
    this.#stale = true;
    this.#host.onForget?.();
    void this.#then(async () => {
      this.#memory.drop(item, at);
      await this.#use((disk) => disk.remove(item, at));
      this.#host.onChange?.();
    });
  }

  /** Applies another tab's lower consent to this one. */
  #lower(consent: Consent, at: number): void {
    if (!this.#state.hearConsent(consent, at)) return;
    if (this.consent === "denied") this.#memory.drop();
    this.#host.onForget?.();
    void this.#then(async () => {
      if (this.consent === "denied") this.#memory.drop();
      // The deciding tab erases everything, including what was being written from here.
      await this.#use((disk) => disk.remove(undefined, Date.now()));
      this.#letGo();
      this.#host.onState?.();
      this.#host.onChange?.();
    });
    this.#host.onState?.();
  }

  /** Tells a tab that has just opened what it has to know. */
  async #answer(events: boolean): Promise<void> {
    this.#tellLowered();
    const { all, items } = this.#state.forgottenSince(Date.now() - TOLD_MS);
    if (all !== undefined) this.#tabs?.tell({ kind: "forget", at: all });
    for (const [item, at] of items) this.#tabs?.tell({ kind: "forget", item, at });
    if (events && !this.#uses && this.consent !== "denied" && this.#memory.events.length > 0) this.#tabs?.tell({ kind: "events", events: [...this.#memory.events] });
  }

  /** Events in another tab's memory; several tabs may send the same ones. */
  async #join(events: Kept[]): Promise<void> {
    if (this.consent !== "session") return;
    const fresh = events.filter((event) => event.at <= Date.now() + APART_MS && !this.#state.isForgotten(event));
    const before = this.#memory.events;
    await this.#memory.join(fresh);
    const same = (event: Kept, n: number): boolean => event.at === before[n]?.at && event.dwell === before[n]?.dwell;
    if (this.#memory.events.length !== before.length || !this.#memory.events.every(same)) this.#host.onChange?.();
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function checkRetention({ retain = 200, collapseMs = 30_000, maxAgeMs = 180 * DAY_MS }: StorageOptions): Retention {
  if (!Number.isSafeInteger(retain) || retain < 1) {
    throw new IngleError("input/options", `storage.retain is a count of at least 1, not ${retain}.`);
  }
  if (!(collapseMs >= 0)) throw new IngleError("input/options", `storage.collapseMs is a time of 0 or more, not ${collapseMs}.`);
  if (!(maxAgeMs > 0)) throw new IngleError("input/options", `storage.maxAgeMs is a time above 0, not ${maxAgeMs}.`);
  return { retain, collapseMs, maxAgeMs };
}
