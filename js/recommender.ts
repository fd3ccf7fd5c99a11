/** The recommender that a shop holds: history in, recommendations out, status all along. */

import { BundleSource } from "./bundle.js";
import { unlessAborted } from "./deferred.js";
import { defaultWasm, openEngine } from "./engine.js";
import { Engines } from "./engines.js";
import { IngleError, isCallersFault, toIngleError } from "./errors.js";
import { checkGpu } from "./gpu.js";
import { History } from "./history.js";
import { answerWithout, explainRung } from "./ladder.js";
import { readPopular } from "./popular.js";
import type {
  Explanation,
  HistoryEvent,
  Recommendation,
  RecommenderEventMap,
  RecommenderOptions,
  RecommendOptions,
  RecordInput,
  Status,
  WasmSource,
} from "./types.js";

/**
 * Recommends from a click history that stays on this device.
 *
 * Made by `createRecommender`. Raises `status`, `change` and `error` events.
 */
export class Recommender extends EventTarget {
  /**
   * Resolves with the status once an engine can answer; rejects with an `IngleError` if none can, or with
   * the signal's reason. It need not be awaited: calls wait by themselves.
   */
  readonly ready: Promise<Status>;
  readonly #requested: Status["requested"];
  readonly #history: History;
  readonly #bundle: BundleSource;
  readonly #engines: Engines;
  readonly #life = new AbortController();
  /** Everything by popularity, read once for a page that has no engine; nothing if there is no bundle either. */
  #popular: Promise<{ item: string; score: number }[] | undefined> | undefined;
  /** Whether the last answer without an engine came from popularity. */
  #rungWithout: "recent" | "popular" = "recent";

  /** @internal */
  constructor(url: string | URL, options: RecommenderOptions) {
    super();
    const { engine = "auto", worker = true, signal } = options;
    if (!["auto", "cpu", "gpu"].includes(engine)) {
      throw new IngleError("input/options", `engine is "auto", "cpu" or "gpu", not ${JSON.stringify(engine)}.`);
    }
    signal?.throwIfAborted();
    this.#requested = engine;
    this.#bundle = new BundleSource(url, { onProgress: options.onProgress, ...(options.fetch && { fetch: options.fetch }) });
    this.#history = new History(options.storage, (error) => this.#report(error));
    this.#engines = new Engines({
      choice: engine,
      open: (kind) => openEngine(kind, worker),
      wasm: (kind) => resolveWasm(options.wasm?.[kind] ?? defaultWasm(kind)),
      bundle: this.#bundle,
      checkGpu: (choice) => checkGpu(choice),
      history: async () => itemsOf(await this.#history.list()),
      onChange: () => this.#announce(),
      onError: (error) => this.#report(error),
      signal: this.#life.signal,
    });
    signal?.addEventListener("abort", () => this.#end(signal.reason), { once: true, signal: this.#life.signal });
    this.ready = unlessAborted(this.#engines.ready(), this.#life.signal).then(() => this.status);
    // Who does not await it learns of a failure from `status` and the `error` event.
    this.ready.catch(() => {});
  }

  /** What answers now, why, and how the engines are. */
  get status(): Status {
    const { cpu, gpu, active, bundle } = this.#engines;
    const rung = active ?? this.#rungWithout;
    return {
      rung,
      why: explainRung(rung, this.#requested, cpu.state, gpu.state),
      requested: this.#requested,
      cpu: cpu.state,
      gpu: gpu.state,
      bundle,
      storage: this.#history.storage,
    };
  }

  /** Adds what the shopper just did; resolves once it is stored. A view repeated at once counts once. */
  async record(event: RecordInput): Promise<void> {
    this.#life.signal.throwIfAborted();
    this.#changed(await this.#history.record(event));
  }

  /**
   * The best items for this history, best first. Waits for the first engine.
   *
   * If no engine can answer, the bundle's most popular items do, and without a bundle the items viewed last:
   * each result's `source` says which.
   */
  async recommend(options: RecommendOptions = {}): Promise<Recommendation[]> {
    const { k = 10, includeSeen = false, signal } = options;
    if (!Number.isSafeInteger(k) || k < 0) throw new IngleError("input/options", `k is a count, not ${String(k)}.`);
    this.#life.signal.throwIfAborted();
    const ranking = { k, exclude: [...(options.exclude ?? [])], includeSeen };
    const history = await unlessAborted(this.#history.list(), signal);
    try {
      const asked = this.#engines.ask((engine) => engine.recommend(itemsOf(history), ranking, { signal }), signal);
      const { by, answer } = await unlessAborted(asked, this.#life.signal);
      const source = history.length === 0 ? "popular" : by;
      return answer.map(({ item, score }) => ({ item, score, source }));
    } catch (error) {
      if (signal?.aborted || this.#life.signal.aborted || isCallersFault(error)) throw error;
      const popular = await unlessAborted(this.#readPopular(), signal);
      return answerWithout(popular, history, ranking);
    }
  }

  /** Every event of the history with what the model made of it, oldest first. Needs an engine. */
  async explain(options: { signal?: AbortSignal } = {}): Promise<Explanation[]> {
    this.#life.signal.throwIfAborted();
    const { signal } = options;
    const history = await unlessAborted(this.#history.list(), signal);
    const asked = this.#engines.ask((engine) => engine.explain(itemsOf(history), { signal }), signal);
    const { answer } = await unlessAborted(asked, this.#life.signal);
    return history.map((event, place) => {
      const { item: _, ...verdict } = answer[place] ?? { item: event.item, known: false, noise: 0, keep: 0 };
      return { ...event, ...verdict };
    });
  }

  /** The history, oldest first. */
  async history(): Promise<HistoryEvent[]> {
    this.#life.signal.throwIfAborted();
    return this.#history.list();
  }

  /** Removes every event of `item` from the device, or the whole history. */
  async forget(item?: string): Promise<void> {
    this.#life.signal.throwIfAborted();
    this.#changed(await this.#history.forget(item));
  }

  /** Stops the engines and closes the storage; what is stored stays. Calls made later reject. */
  dispose(): void {
    this.#end(new IngleError("disposed", "The recommender was disposed of."));
  }

  override addEventListener<K extends keyof RecommenderEventMap>(
    type: K,
    listener: ((event: RecommenderEventMap[K]) => void) | { handleEvent(event: RecommenderEventMap[K]): void } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options);
  }

  override removeEventListener<K extends keyof RecommenderEventMap>(
    type: K,
    listener: ((event: RecommenderEventMap[K]) => void) | { handleEvent(event: RecommenderEventMap[K]): void } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener, options);
  }

  #end(reason: unknown): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort(reason);
    this.#engines.dispose();
    void this.#history.close();
  }

  #readPopular(): Promise<{ item: string; score: number }[] | undefined> {
    this.#popular ??= this.#loadPopular().catch((error: unknown) => {
      this.#report(toIngleError(error, "bundle/io"));
      return undefined;
    });
    return this.#popular;
  }

  async #loadPopular(): Promise<{ item: string; score: number }[]> {
    const popular = await readPopular(await this.#bundle.open(this.#life.signal));
    this.#rungWithout = "popular";
    this.#announce();
    return popular;
  }

  /** Later than the change itself, so that a listener sees every part of the status in step. */
  #announce(): void {
    queueMicrotask(() => {
      if (!this.#life.signal.aborted) this.dispatchEvent(new CustomEvent("status", { detail: this.status }));
    });
  }

  #changed(history: HistoryEvent[]): void {
    if (!this.#life.signal.aborted) this.dispatchEvent(new CustomEvent("change", { detail: history }));
  }

  #report(error: IngleError): void {
    queueMicrotask(() => {
      if (!this.#life.signal.aborted) this.dispatchEvent(new CustomEvent("error", { detail: error }));
    });
  }
}

/**
 * Makes a recommender from the bundle at `url`, a folder on any static host.
 *
 * Returns at once and loads in the background; follow `ready`, `status` and `onProgress`.
 *
 * @example
 * const recommender = createRecommender("/ingle/");
 * await recommender.record({ item: "sku-123" });
 * const items = await recommender.recommend({ k: 8 });
 */
export function createRecommender(url: string | URL, options: RecommenderOptions = {}): Recommender {
  return new Recommender(url, options);
}

function itemsOf(history: HistoryEvent[]): string[] {
  return history.map(({ item }) => item);
}

/** Turns what a shop may pass into what a message may carry. */
async function resolveWasm(source: WasmSource): Promise<string | BufferSource | WebAssembly.Module> {
  if (source instanceof Response) return source.clone().arrayBuffer();
  if (source instanceof URL) return source.href;
  // A worker resolves relative addresses against its own, not the page's.
  return typeof source === "string" && typeof document !== "undefined" ? new URL(source, document.baseURI).href : source;
}
