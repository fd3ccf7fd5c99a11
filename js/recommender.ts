/** The recommender that a shop holds: history in, recommendations out, status all along. */

import { folderOf } from "./bundle/address.js";
import type { Core, CoreHost } from "./answers/core.js";
import { unlessAborted, within } from "./common/deferred.js";
import { advise, mention, prepareAdvice } from "./common/development.js";
import { Emitter } from "./common/emitter.js";
import { IngleError, toIngleError } from "./errors.js";
import { Answer } from "./history/answer.js";
import { History } from "./history/history.js";
import type { Look } from "./history/state.js";
import { given } from "./common/given.js";
import { idOf, oneOrMore } from "./common/ids.js";
import { noCore, onServer } from "./common/server.js";
import { shown } from "./common/shown.js";
import type {
  Affinity,
  Consent,
  Explanation,
  Grouping,
  HistoryEvent,
  HistoryExport,
  ItemId,
  Learnt,
  ObserveOptions,
  QueryOptions,
  RankOptions,
  Recommendation,
  RecommenderOptions,
  RecommendOptions,
  RecordInput,
  Status,
} from "./types.js";

/**
 * Recommends from a click history that stays on this device.
 *
 * Made by `createRecommender`. Raises the events of `RecommenderEventMap`.
 */
export class Recommender extends Emitter {
  /**
   * Resolves with the status once an engine can answer; rejects with an `IngleError` if none can, or with
   * the signal's reason. It need not be awaited: calls wait by themselves.
   */
  readonly ready: Promise<Status>;
  readonly #options: RecommenderOptions;
  readonly #requested: Status["requested"];
  readonly #history: History;
  readonly #answer: Answer;
  /** Whether the shop need not ask for consent, or not any more. */
  #answered: boolean;
  /** Whether the shop has said what is allowed; without a word it is `session`. */
  #chosen: boolean;
  readonly #life = new AbortController();
  /** Where the bundle is; nothing on a server, where none is asked for. */
  #url: URL | undefined;
  /** The bundle at work; replaced by `update`. */
  #core: Promise<Core>;
  #running: Core | undefined;
  #lastRung: Status["rung"] | undefined;
  #updating: Promise<boolean> | undefined;
  /** How often something was forgotten. */
  #forgets = 0;

  /** @internal */
  constructor(url: string | URL, options: RecommenderOptions) {
    super();
    const { engine = "auto", signal, consent = "session" } = options;
    if (!/^(auto|burn|(burn-)?[cg]pu)$/.test(engine)) {
      throw new IngleError("input/options", `engine is auto, cpu, gpu, burn, burn-cpu or burn-gpu, not ${JSON.stringify(engine)}.`);
    }
    if (consent !== "ask") checkConsent(consent, ' or "ask"');
    signal?.throwIfAborted();
    this.#options = options;
    this.#requested = engine;
    const server = onServer();
    if (!server) this.#url = folderOf(url);
    if (!server) prepareAdvice();
    this.#answer = new Answer(options.storage?.name ?? "ingle", options.rememberRefusal === true);
    const answer = consent === "ask" ? (this.#remembers ? this.#answer.recall() : undefined) : consent;
    if (consent === "denied" && this.#remembers) this.#answer.keep(undefined);
    this.#answered = answer !== undefined;
    this.#chosen = options.consent !== undefined;
    this.#history = new History(server ? { ...options.storage, kind: "memory" } : options.storage, this.#effective(answer ?? "session"), {
      onLoss: (error) => this.#report(error),
      onChange: () => void this.#changed(),
      onForget: () => {
        this.#forgets++;
        this.#running?.forget();
      },
      onState: () => this.#announce(),
    });
    signal?.addEventListener("abort", () => this.#end(signal.reason), { once: true, signal: this.#life.signal });
    if (typeof window !== "undefined") addEventListener("online", () => this.#retry(), { signal: this.#life.signal });
    if (this.#url) this.#core = this.#open(this.#url).then((core) => (this.#running = core));
    else this.#core = Promise.resolve((this.#running = noCore()));
    this.ready = unlessAborted(this.#core.then((core) => core.engines.ready()), this.#life.signal).then(() => this.status);
    // Who does not await it learns of a failure from `status` and the `error` event.
    this.ready.then((status) => this.#tell("ready", status)).catch((error: unknown) => this.#advise(error));
  }

  /** What answers now, why, and how the engines are. */
  get status(): Status {
    const { bundle = null, cpu, gpu } = this.#running?.engines ?? {};
    const { rung, why } = this.#running?.rung ?? LOADING;
    const { stale } = this.#running?.bundle ?? {};
    const privacy = this.#asksForPrivacy;
    const { storage } = this.#history;
    return {
      rung,
      why,
      requested: this.#requested,
      cpu: cpu?.state ?? WAITING,
      gpu: gpu?.state ?? WAITING,
      bundle,
      stale: stale ? { code: stale.code, reason: stale.message } : null,
      unknown: this.#running?.unknown ?? [],
      learnt: this.#running?.learnt ?? 0,
      consent: this.#history.consent,
      answered: this.#answered || privacy,
      globalPrivacyControl: privacy,
      paused: this.#history.paused,
      storage: privacy && !storage.reason && storage.kind === "memory" ? { ...storage, reason: "The browser asks for privacy (Global Privacy Control)." } : storage,
    };
  }

  /**
   * The best items for this shopper, best first. Waits for the first engine.
   *
   * If no engine can answer, the bundle's most popular items do, and without a bundle the items viewed last:
   * each result's `source` says which.
   */
  async recommend(options: RecommendOptions = {}): Promise<Recommendation[]> {
    return this.#ask((core) => core.recommend(options), options.signal);
  }

  /** Items similar to one or several others, by the model's embeddings; the given ones are never among them. */
  async similar(items: ItemId | Iterable<ItemId>, options: QueryOptions = {}): Promise<Recommendation[]> {
    const given = oneOrMore(items, "similar");
    return this.#ask((core) => core.similar(given, options), options.signal);
  }

  /** Items that go with a basket: those that shoppers clicked after items like these. */
  async complete(items: ItemId | Iterable<ItemId>, options: QueryOptions = {}): Promise<Recommendation[]> {
    const given = oneOrMore(items, "complete");
    return this.#ask((core) => core.complete(given, options), options.signal);
  }

  /**
   * A list of the shop's, such as a category's page or what a search has found, in the order in which its items would be
   * recommended to this shopper. Nothing is added and nothing left out, what was seen included; items that the bundle does
   * not know keep their places. If no engine can answer, the list comes back as it is: each result's `source` says which.
   */
  async rank(items: ItemId | Iterable<ItemId>, options: RankOptions = {}): Promise<Recommendation[]> {
    const list = oneOrMore(items, "rank");
    const unchanged = (): Recommendation[] => given(list, options);
    return this.#while(this.#core.then((core) => core.rank(list, options), unchanged), options.signal);
  }

  /** The items that the shopper viewed, each once, latest first. Needs neither bundle nor engine. */
  async recentlyViewed(options: QueryOptions = {}): Promise<Recommendation[]> {
    return this.#ask((core) => core.recentlyViewed(options), options.signal);
  }

  /** The most popular items, from the bundle; the same for every shopper, except for `includeSeen`. */
  async popular(options: RecommendOptions = {}): Promise<Recommendation[]> {
    return this.#ask((core) => core.popular(options), options.signal);
  }

  /**
   * Adds what the shopper just did, or several such events; resolves once they are kept, with whether they
   * were: nothing is without consent or while paused. A view repeated at once counts once. In a page that
   * the browser renders before anybody opens it, it waits until the page is shown.
   */
  async record(events: RecordInput | readonly RecordInput[]): Promise<boolean> {
    return this.#record(events);
  }

  /**
   * Records by itself from the page's markup: an element with `data-ingle-item` counts as viewed once it
   * has been seen for a second; one that also has `data-ingle-event="cart"` (or another type) records that
   * when it is clicked. Elements that come later are found. Returns a function that stops it.
   */
  observe(root?: ParentNode & Node, options: ObserveOptions = {}): () => void {
    this.#life.signal.throwIfAborted();
    if (!this.#url) return () => {};
    const stop = new AbortController();
    this.#life.signal.addEventListener("abort", () => stop.abort(), { signal: stop.signal });
    const { kind, name = "ingle" } = this.#options.storage ?? {};
    const history = kind === "memory" ? this : name;
    const start = async () => (await import("./history/observe.js")).observe(root ?? document, options, this, history, stop);
    start().catch((error: unknown) => this.#report(toIngleError(error, "engine/failed")));
    return () => stop.abort();
  }

  /** @internal A look at an item begins now: a call says that it counts, a call with `true` that it is over. */
  look(item: ItemId): (over?: boolean) => void {
    const look = this.#history.look(String(item));
    return (over = false) => {
      const dwell = over && { dwell: Date.now() - look.since };
      // Storage that fails tells so itself; a page that is going away has nobody to tell.
      this.#record({ item, type: "view", ...dwell }, look).catch(() => {});
    };
  }

  /** Every event of the history with the model's verdict, oldest first. Needs an engine. */
  async explain(options: { signal?: AbortSignal } = {}): Promise<Explanation[]> {
    return this.#ask((core) => core.explain(options.signal), options.signal);
  }

  /**
   * What the shopper's own clicks have taught this page: from how many, and which items it moved up. `null` if nothing was
   * learnt: there are too few clicks, or shoppers gain nothing by it with this bundle. Needs an engine.
   */
  async learnt(options: { signal?: AbortSignal } = {}): Promise<Learnt | null> {
    return this.#ask((core) => core.explainLearnt(options.signal), options.signal);
  }

  /**
   * What the clicks have in common, by your own grouping of items: categories, brands or anything else that `of` gives, with
   * their shares, largest first. A click counts as `explain` says, so one that is judged as noise does not; without an
   * engine clicks are not judged.
   */
  async affinities(of: Grouping, options: { signal?: AbortSignal } = {}): Promise<Affinity[]> {
    if (typeof of !== "function") throw new IngleError("input/options", `affinities takes a function from an item's id to its group, not ${String(of)}.`);
    return this.#ask((core) => core.affinities(of, options.signal), options.signal);
  }

  /** The history, oldest first. */
  async history(): Promise<HistoryEvent[]> {
    return this.#while(this.#history.list());
  }

  /**
   * What earlier visits stored on this device and this page may not use, oldest first: nothing where consent is
   * granted. Read only by this call, for a shopper who wants to see it; `forget` erases it too.
   */
  async stored(): Promise<HistoryEvent[]> {
    return this.#while(this.#history.stored());
  }

  /**
   * Removes every event of `item`, or the whole history, from every tab and from the device, whatever this page may
   * use of it. Rejects with `storage/erase` if the device still has it; that is tried again at the next call and visit.
   */
  async forget(item?: ItemId): Promise<void> {
    await this.#while(this.#history.forget(item === undefined ? undefined : idOf(item, "forget")));
  }

  /** All that is kept about the shopper, as plain data. */
  async export(): Promise<HistoryExport> {
    const [events, stored] = [await this.history(), await this.stored()];
    const learnt = this.status.learnt > 0 ? await this.learnt().catch(() => null) : null;
    const { consent, paused } = this.status;
    return { version: 1, exportedAt: new Date().toISOString(), consent, paused, events, stored, learnt };
  }

  /**
   * What the shopper allows to be kept. `session` and `denied` hold in every tab and erase what is stored on the
   * device, the bundle's files included; `denied` forgets the history as well. `granted` holds for this page, and for
   * others once their own code says so. Rejects with `storage/erase` if the device still has something.
   */
  async consent(consent: Consent): Promise<void> {
    checkConsent(consent);
    const effective = this.#effective(consent);
    this.#answered = this.#chosen = true;
    if (this.#remembers && consent !== "granted") this.#answer.keep(this.#options.consent === "ask" ? consent : undefined);
    if (this.#remembers && effective === "granted" && this.#options.consent === "ask") this.#answer.keep(consent);
    await this.#while(this.#history.allow(consent, effective));
    // Without the core nothing was loaded that could be kept.
    if (effective === "granted") await this.#core.then(({ bundle }) => bundle.cache.settle(), () => {});
  }

  /** Stops recording, in every tab and, where consent was granted, on later visits, until `resume`. */
  async pause(): Promise<void> {
    await this.#while(this.#history.pause(true));
  }

  /** Records again. */
  async resume(): Promise<void> {
    await this.#while(this.#history.pause(false));
  }

  /**
   * Moves to the bundle that is now at the address, or at another one; resolves with whether it is a new
   * one. The old one answers until the new one can; if that fails the old one stays and this rejects.
   * The history stays: items that the new bundle does not know are kept and count again when they return.
   */
  async update(url?: string | URL): Promise<boolean> {
    this.#life.signal.throwIfAborted();
    if (!this.#url) return false;
    const address = url === undefined ? this.#url : folderOf(url);
    const after = this.#updating ?? Promise.resolve(false);
    const updating = after.catch(() => false).then(() => this.#update(address));
    this.#updating = updating;
    return this.#while(updating);
  }

  /** Stops the engines and closes the storage; what is stored stays. Calls made later reject. */
  dispose(): void {
    this.#end(new IngleError("disposed", "The recommender was disposed of."));
  }

  /** @internal */
  get disposed(): boolean {
    return this.#life.signal.aborted;
  }

  async #record(events: RecordInput | readonly RecordInput[], look?: Look): Promise<boolean> {
    const record = async (): Promise<boolean> => {
      this.#life.signal.throwIfAborted();
      const forgets = this.#forgets;
      const kept = await this.#history.record(events, look);
      const notice = (core: Core): unknown => forgets === this.#forgets && core.notice([events].flat().map(({ item }) => idOf(item, "record")));
      if (kept) void this.#core.then(notice, () => {});
      this.#mentionLoss(kept);
      return kept;
    };
    return this.#while(shown()?.then(record) ?? record());
  }

  /** Tells a developer why what was recorded is not kept, or not for long. */
  #mentionLoss(kept: boolean): void {
    const { consent, paused } = this.#history;
    if (!this.#url) return;
    if (!kept && (paused || consent === "denied")) mention(`record() kept nothing: ${paused ? "recording is paused" : 'consent is "denied"'}.`);
    else if (kept && consent === "session" && !this.#chosen) mention('The history is kept in memory and ends with the page, as consent is "session" until the shopper grants it (docs/guides/privacy.md).', "info");
  }

  async #update(address: URL): Promise<boolean> {
    const old = await this.#core;
    const next = old.successor(address);
    const here = address.href === this.#url?.href;
    try {
      // A bundle that could not be used may have been repaired where it is.
      if (here && (await old.isLatest(next)) && old.engines.active) {
        next.dispose();
        this.#setStale(old, next.bundle.stale);
        return false;
      }
      await unlessAborted(next.engines.ready(), this.#life.signal);
    } catch (error) {
      next.dispose();
      if (here) this.#setStale(old, toIngleError(error, "engine/failed"));
      throw error;
    }
    this.#url = address;
    this.#core = Promise.resolve(next);
    this.#running = next;
    old.dispose();
    const { bundle } = next.engines;
    if (bundle) this.#tell("updated", bundle);
    this.#announce();
    return true;
  }

  #setStale({ bundle }: Core, error: IngleError | undefined): void {
    bundle.stale = error;
    this.#announce();
  }

  /** The network is back: what could not be loaded without it is loaded now. */
  #retry(): void {
    const { active, cpu } = this.#running?.engines ?? {};
    if (!active && cpu?.state.state === "retired") this.#updateUnasked();
  }

  #updateUnasked(): void {
    this.update().catch((cause: unknown) => this.#report(toIngleError(cause, "engine/failed")));
  }

  async #open(url: URL): Promise<Core> {
    const stalled = () => new IngleError("engine/unavailable", `The package's script core.js has not come within ${SCRIPT_MS / 1000} s.`);
    const { openCore } = await within(import("./answers/core.js"), SCRIPT_MS, stalled).catch((error: unknown) => {
      throw toIngleError(error, "engine/unavailable");
    });
    const host: CoreHost = {
      choice: this.#requested,
      options: this.#options,
      mayStore: () => this.#history.storage.kind === "indexeddb",
      history: () => this.#history.read(),
      adapter: () => this.#history.adapter(),
      keepAdapter: (adapter, from) => this.#history.keepAdapter(adapter, from),
      onChange: () => this.#announce(),
      onError: (error) => this.#report(error),
      onNewer: () => this.#updateUnasked(),
      onLate: () => {
        const { bundle } = this.status;
        if (bundle) this.#tell("updated", bundle);
      },
    };
    return openCore(url, host);
  }

  async #ask<T>(question: (core: Core) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return this.#while(this.#core.then(question), signal);
  }

  /** What is asked for, unless the recommender or the call ends first. */
  async #while<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
    work.catch(() => {});
    this.#life.signal.throwIfAborted();
    return unlessAborted(unlessAborted(work, signal), this.#life.signal);
  }

  get #asksForPrivacy(): boolean {
    const asks = typeof navigator !== "undefined" && (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
    return asks && this.#options.globalPrivacyControl !== "ignore";
  }

  /** Whether this page may remember an answer at all. */
  get #remembers(): boolean {
    return this.#url !== undefined && this.#options.storage?.kind !== "memory";
  }

  #effective(consent: Consent): Consent {
    if (!this.#url) return "denied";
    return consent === "granted" && this.#asksForPrivacy ? "session" : consent;
  }

  #end(reason: unknown): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort(reason);
    this.#core.then((core) => core.dispose()).catch(() => {});
    void this.#history.close();
  }

  /** After the change itself, so that a listener sees every part of the status in step. */
  #announce(): void {
    queueMicrotask(() => {
      const { status } = this;
      this.#tell("status", status);
      const { stale, storage } = status;
      if (stale) advise({ code: stale.code, message: `The bundle in use may be old: ${stale.reason}` });
      if (status.globalPrivacyControl && storage.reason) mention(`The history is kept in memory only. ${storage.reason}`);
      if (status.rung !== this.#lastRung && status.bundle) {
        this.#lastRung = status.rung;
        this.#tell("engine", status);
      }
    });
  }

  async #changed(): Promise<void> {
    const events = await this.#history.list();
    this.#running?.changed(events);
    this.#tell("change", events);
  }

  #report(error: IngleError): void {
    queueMicrotask(() => this.#tell("error", error));
    this.#advise(error);
  }

  /** Tells a developer. A GPU that fails is nobody's loss unless it was asked for. */
  #advise(error: unknown): void {
    const ofGpu = error instanceof IngleError && /^(gpu|device)\//.test(error.code);
    if (this.#url && !this.disposed && (!ofGpu || this.#requested.endsWith("gpu"))) advise(error);
  }

  #tell(type: string, detail: unknown): void {
    if (!this.#life.signal.aborted) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Time for a script of the package to arrive, in milliseconds. */
const SCRIPT_MS = 15_000;
/** Before the core is there. */
const WAITING = { state: "waiting" } as const;
const LOADING = { rung: "recent", why: "Calls wait for the engine, which is still loading." } as const;

function checkConsent(consent: Consent, more = ""): void {
  if (["granted", "session", "denied"].includes(consent)) return;
  throw new IngleError("input/options", `consent is "granted", "session", "denied"${more}, not ${JSON.stringify(consent)}.`);
}
