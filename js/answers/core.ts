/**
 * One bundle at work: its files, the engines that opened it, and the questions that they answer.
 *
 * Loaded after the page's own entry, which can already record; a recommender that moves to another
 * bundle makes another of these.
 */

import { folderAt } from "../assets.js";
import { compose, type Candidate, type Ranked, Rotation } from "./answer.js";
import { defaultWasm } from "../beside.js";
import { BundleSource, isBundlesFault } from "../bundle/bundle.js";
import { unlessAborted, within } from "../common/deferred.js";
import { type EngineClient, openEngine } from "../engine/engine.js";
import { Engines } from "../engine/engines.js";
import { IngleError, isCallersFault } from "../errors.js";
import { explanations } from "./explain.js";
import { checkGpu } from "../engine/gpu.js";
import { KeptBundles, sameBytes } from "../bundle/kept.js";
import { fallBack, recentItems } from "./ladder.js";
import { readPopular } from "../bundle/popular.js";
import type { FilterOptions, RankOptions } from "../engine/protocol.js";
import { asArrays, checkQuery, poolOf, type Query } from "./query.js";
import { checkWeights, type Sequence, sequence } from "./sequence.js";
import type { EngineChoice, Explanation, HistoryEvent, QueryOptions, Reason, Recommendation, RecommenderOptions, RecommendOptions, Rung, UnknownItem, WasmSource } from "../types.js";
import { BundleVerdicts } from "../engine/verdict.js";
import { verdictsOnDevice } from "../engine/verdict-store.js";
import { UnknownItems } from "./unknown.js";
import { explainRung } from "./why.js";

/** More than any model looks back on, unknown items included. */
const LOOK_BACK = 2_000;

/** How long after the start calls wait for an engine, in milliseconds: then what is there answers. */
const LATE_MS = 7_000;
/** After how long popularity that could not be read is read again, in milliseconds. */
const AGAIN_MS = [5_000, 15_000, 60_000, 600_000];
/** What the bundle's most popular items may take longer than that. */
const POPULAR_MS = 1_500;

/** What a core needs from the recommender that it belongs to. */
export interface CoreHost {
  choice: EngineChoice;
  options: RecommenderOptions;
  /** Whether files may be kept on the device. */
  mayStore(): boolean;
  /** The history, oldest first; to be read at once. */
  history(): Promise<readonly HistoryEvent[]>;
  onChange(): void;
  onError(error: IngleError): void;
  /** The host has a newer bundle than the one at work. */
  onNewer(): void;
  /** The engine came after calls had been answered without it. */
  onLate(): void;
}

/** A history as events and as the model reads it. */
interface Past {
  events: readonly HistoryEvent[];
  read: Sequence;
}

export class Core {
  readonly engines: Engines;
  readonly bundle: BundleSource;
  readonly #host: CoreHost;
  readonly #life = new AbortController();
  readonly #lateAt = performance.now() + LATE_MS;
  #late = false;
  readonly #read: (events: readonly HistoryEvent[]) => Sequence;
  /** The ids of every engine: after a failure one may have opened another bundle. */
  readonly #items = new WeakMap<EngineClient, Promise<string[]>>();
  /** Everything by popularity, read once for a page that has no engine; nothing if there is no bundle either. */
  #popular: Promise<{ item: string; share: number }[] | undefined> | undefined;
  /** How often it could not be read. */
  #vain = 0;
  /** Whether the last answer without an engine came from popularity. */
  #rungWithout: "recent" | "popular" = "recent";
  readonly #rotation: Rotation;
  readonly #unknown: UnknownItems;

  constructor(url: string | URL, host: CoreHost, before?: Core) {
    const { onProgress, fetch } = host.options;
    this.#host = host;
    this.#rotation = before ? before.#rotation : new Rotation();
    this.bundle = new BundleSource(url, {
      onProgress,
      cache: before?.bundle.cache ?? new KeptBundles(() => host.mayStore()),
      signal: this.#life.signal,
      // Where a bundle is at work already, only the host's can be news.
      fallback: before === undefined,
      onLate: () => host.onNewer(),
      ...(fetch && { fetch }),
    });
    const { bundle } = this;
    // Wrong weights are told before anything is loaded.
    const weighing = checkWeights(host.options.weights);
    this.#read = (events) => sequence(events.slice(-LOOK_BACK), weighing);
    const { worker = true, wasm = {}, assets: given } = host.options;
    const assets = given === undefined ? undefined : folderAt(given);
    this.engines = new Engines({
      choice: host.choice,
      open: (kind) => openEngine(kind, worker, assets),
      wasm: (kind) => resolveWasm(wasm[kind] ?? defaultWasm(kind, assets)),
      bundle,
      checkGpu: (choice) => checkGpu(choice),
      verdicts: new BundleVerdicts(bundle, verdictsOnDevice(() => host.mayStore())),
      onChange: () => host.onChange(),
      onError: (error) => host.onError(error),
      signal: this.#life.signal,
    });
    this.#unknown = new UnknownItems(
      {
        ready: async () => (await this.engines.ready(this.#life.signal), this.engines.bundle?.maxLen ?? 1),
        judge: async (items) => (await this.engines.ask((engine) => engine.explain(items))).answer,
        ids: async () => (await this.engines.ask((engine) => this.#itemsOf(engine))).answer,
        onChange: () => host.onChange(),
      },
      before && before.#unknown,
    );
    // Read once it is clear that no engine can answer, and not when somebody asks.
    this.engines.ready(this.#life.signal).catch(() => void (this.#life.signal.aborted || this.#readPopular()));
    // On its way while the worker starts.
    bundle.manifest().catch(() => {});
  }

  /** What would answer now, and why. */
  get rung(): { rung: Rung; why: string } {
    const { active, cpu, gpu } = this.engines;
    const rung = active ?? this.#rungWithout;
    const why = explainRung(rung, this.#host.choice, cpu.state, gpu.state, this.#late);
    const { stale } = this.bundle;
    return { rung, why: active && stale ? `${why} The bundle is the one that was kept: ${stale.message}` : why };
  }

  /** What this page passed in and the bundle does not know. */
  get unknown(): readonly UnknownItem[] {
    return this.#unknown.list;
  }

  /** The shop has recorded these. */
  notice(items: string[]): void {
    this.#unknown.notice(items);
  }

  /** What the model recommends after the history. */
  async recommend(options: RecommendOptions): Promise<Recommendation[]> {
    const query = this.#query(options);
    const { scenarios = {} } = this.#host.options;
    const { includeSeen = false }: RecommendOptions = { ...(Object.hasOwn(scenarios, query.scenario) && scenarios[query.scenario]), ...options };
    const events = await this.#host.history();
    return this.#rank({ events, read: this.#read(events) }, query, includeSeen, "history");
  }

  /** What the model recommends after these items alone. */
  async complete(items: string[], options: QueryOptions): Promise<Recommendation[]> {
    this.notice(items);
    const events = items.map((item, at) => ({ item, type: "cart", at }));
    return this.#rank({ events, read: this.#read(events) }, this.#query(options), false, "complete");
  }

  /** Items like these, by what shoppers do with them. */
  async similar(items: string[], options: QueryOptions): Promise<Recommendation[]> {
    const query = this.#query(options);
    this.notice(items);
    const ask = async (engine: EngineClient): Promise<Candidate[]> => {
      const best = await engine.similar(items, await this.#filters(query, engine), { signal: query.signal });
      const shown = this.#rotation.factor(query);
      const [item = ""] = items;
      return best.map((near) => {
        const cosine = near.score - Math.log(query.factor(near.item) * shown(near.item));
        const score = Math.min(1, Math.max(0, cosine));
        return { item: near.item, score, source: engine.kind, reason: { kind: "similar", item, share: 1 } };
      });
    };
    const asked = items.map((item) => ({ item, type: "view", at: 0 }));
    return this.#answer(query, ask, { events: asked, includeSeen: false, rungs: ["popular"] });
  }

  /** What everybody likes, from the bundle itself: no engine is needed. */
  async popular({ includeSeen = true, ...options }: RecommendOptions): Promise<Recommendation[]> {
    return this.#without(this.#query(options), { events: await this.#host.history(), includeSeen, rungs: ["popular"] });
  }

  async recentlyViewed(options: QueryOptions): Promise<Recommendation[]> {
    const query = this.#query(options);
    const looked = (await this.#host.history()).filter(({ type }) => type === "view" || type === "click");
    return compose(query, { candidates: recentItems(looked, query), likeness: async () => undefined });
  }

  /** The verdict on every event. */
  async explain(signal: AbortSignal | undefined): Promise<Explanation[]> {
    const events = [...(await this.#host.history())];
    const read = this.#read(events);
    const { answer } = await this.engines.ask((engine) => engine.explain(read.items, { signal }), signal);
    return explanations(events, read, answer);
  }

  /** Items that were shown may be shown again, and what was passed in is told no more. */
  forget(): void {
    this.#rotation.forget();
    this.#unknown.forget();
  }

  /** Whether the bundle at work is the one that its successor finds at the host. */
  async isLatest({ bundle }: Core): Promise<boolean> {
    await this.engines.ready().catch(() => {});
    const { current } = this.bundle;
    return current !== undefined && sameBytes(current, await bundle.latest());
  }

  /** A core for another bundle; what was shown so far it knows. */
  successor(url: string | URL): Core {
    return new Core(url, this.#host, this);
  }

  dispose(): void {
    this.#life.abort();
    this.engines.dispose();
  }

  #rank({ events, read }: Past, query: Query, includeSeen: boolean, kind: "history" | "complete"): Promise<Recommendation[]> {
    const types = new Map(events.map(({ item, type }) => [item, type]));
    const ask = async (engine: EngineClient): Promise<Candidate[]> => {
      const weights = Float32Array.from(read.weights);
      const options: RankOptions = { ...(await this.#filters(query, engine)), includeSeen, weights };
      const best = await engine.recommend(read.items, options, { signal: query.signal });
      // Where no click speaks for anything the model had none to go by.
      const source = best.some(({ because }) => because) ? engine.kind : "popular";
      return best.map(({ item, probability, because }) => ({ item, score: probability, source, reason: whyOf(because, kind, types) }));
    };
    return this.#answer(query, ask, { events, includeSeen, rungs: ["popular", "recent"] });
  }

  #query(options: QueryOptions): Query {
    const { scenarios = {}, offers } = this.#host.options;
    return checkQuery(options, scenarios, offers);
  }

  async #answer(query: Query, ask: (engine: EngineClient) => Promise<Candidate[]>, below: Below): Promise<Recommendation[]> {
    let candidates: Candidate[];
    try {
      if (!(await this.#inTime(query.signal))) return this.#without(query, below);
      candidates = (await this.engines.ask(ask, query.signal)).answer;
    } catch (error) {
      if (query.signal?.aborted || this.#life.signal.aborted || isCallersFault(error)) throw error;
      return this.#without(query, below);
    }
    return this.#finish(query, { candidates, likeness: (item) => this.#likeness(item, candidates) });
  }

  /** Waits for an engine, but not for ever: says whether it is to be asked. */
  async #inTime(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.engines.active) return true;
    const tooLate = new IngleError("engine/timeout", "The engine is not there yet.");
    try {
      await within(this.engines.ready(signal), Math.max(0, this.#lateAt - performance.now()), () => tooLate);
    } catch (error) {
      // Why none can answer is for the question itself to say.
      if (error !== tooLate) return true;
      if (!this.#late) this.engines.ready().then(() => this.#host.onLate(), () => {});
      this.#late = true;
      return false;
    }
    return true;
  }

  async #without(query: Query, { events, includeSeen, rungs }: Below): Promise<Recommendation[]> {
    const patience = Math.max(0, this.#lateAt - performance.now()) + POPULAR_MS;
    const read = () => within(this.#readPopular(), patience, () => new IngleError("engine/timeout", "The bundle is not there yet.")).catch(() => undefined);
    const popular = rungs.includes("popular") ? await unlessAborted(read(), query.signal) : undefined;
    const shown = this.#rotation.factor(query);
    const candidates = fallBack(popular, rungs.includes("recent") || !popular ? events : [], query, includeSeen, shown, events);
    return this.#finish(query, { candidates, likeness: async () => undefined });
  }

  async #finish(query: Query, ranked: Ranked): Promise<Recommendation[]> {
    const answer = await compose(query, ranked);
    this.#rotation.show(query, answer);
    return answer;
  }

  async #filters(query: Query, engine: EngineClient): Promise<FilterOptions> {
    const options = { k: poolOf(query), exclude: [...query.exclude] };
    if (query.plain && !this.#rotation.matters(query)) return options;
    const items = await this.#itemsOf(engine);
    return { ...options, ...asArrays(query, items, this.#rotation.factor(query)) };
  }

  async #likeness(item: string, candidates: Candidate[]): Promise<Map<string, number> | undefined> {
    const among = new Set(candidates.map((candidate) => candidate.item));
    const { answer } = await this.engines.ask(async (engine) => {
      const items = await this.#itemsOf(engine);
      return engine.similar([item], { k: among.size, exclude: [], allow: Uint8Array.from(items, (id) => (among.has(id) ? 1 : 0)) });
    });
    return new Map(answer.map((near) => [near.item, near.score]));
  }

  #itemsOf(engine: EngineClient): Promise<string[]> {
    const items = this.#items.get(engine) ?? engine.items();
    this.#items.set(engine, items);
    return items;
  }

  /** One that did not come is asked for again by the clock: when its host is asked never depends on who asks us. */
  #loadPopular(): Promise<{ item: string; share: number }[] | undefined> {
    const again = (): void => {
      this.#popular = undefined;
      if (!this.#life.signal.aborted) void this.#readPopular();
    };
    return this.bundle.part("items", "ids").then(readPopular).catch(() => {
      const wait = AGAIN_MS[this.#vain++];
      if (wait !== undefined) setTimeout(again, wait);
      return undefined;
    });
  }

  async #readPopular(): Promise<{ item: string; share: number }[] | undefined> {
    const popular = await (this.#popular ??= this.#loadPopular());
    // Where no engine can run at all this is what the bundle is kept for.
    const { error } = this.engines.cpu;
    if (popular && error && !isBundlesFault(error)) void this.bundle.accept();
    if (popular && this.#rungWithout !== "popular") {
      this.#rungWithout = "popular";
      this.#host.onChange();
    }
    return popular;
  }
}

/** What answers where no engine can. */
interface Below {
  events: readonly HistoryEvent[];
  includeSeen: boolean;
  rungs: ("popular" | "recent")[];
}

/** A core for the bundle at this address; the entry's one way here. */
export function openCore(url: string | URL, host: CoreHost): Core {
  return new Core(url, host);
}

function whyOf(because: { item: string; share: number } | undefined, kind: "history" | "complete", types: Map<string, string>): Reason {
  if (!because) return { kind: "popular" };
  const { item, share } = because;
  return kind === "history" ? { kind, item, type: types.get(item) ?? "view", share } : { kind, item, share };
}

/** Turns what a shop may pass into what a message may carry. */
async function resolveWasm(given: WasmSource | Promise<WasmSource>): Promise<string | BufferSource | WebAssembly.Module> {
  const source = await given;
  if (source instanceof Response) return source.clone().arrayBuffer();
  if (source instanceof URL) return source.href;
  // A worker resolves relative addresses against its own, not the page's.
  return typeof source === "string" && typeof document !== "undefined" ? new URL(source, document.baseURI).href : source;
}

