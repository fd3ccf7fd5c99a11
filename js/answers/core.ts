/**
 * A core: one bundle with its files, the engines that opened it, and the questions that they answer.
 *
 * It is loaded after the page's own entry, which can already record. A recommender that changes to another bundle makes
 * another core.
 */

import { folderAt } from "../assets.js";
import { affinities } from "./affinities.js";
import { compose, type Candidate, type Ranked, Rotation } from "./answer.js";
import { defaultWasm } from "../beside.js";
import { BundleSource, isBundlesFault } from "../bundle/bundle.js";
import { unlessAborted, within } from "../common/deferred.js";
import { partsOf } from "../engine/builds.js";
import { type EngineClient, openEngine } from "../engine/engine.js";
import { Engines } from "../engine/engines.js";
import { IngleError, isCallersFault } from "../errors.js";
import { explanations } from "./explain.js";
import { given, mark } from "../common/given.js";
import { checkGpu } from "../engine/gpu.js";
import { KeptBundles, sameBytes } from "../bundle/kept.js";
import { fallBack, recentItems } from "./ladder.js";
import { Learner } from "./learner.js";
import { movedUp, SHOWN } from "./learnt.js";
import { readPopular } from "../bundle/popular.js";
import { sortInPlace } from "./places.js";
import { trustOf } from "../bundle/trust.js";
import type { FilterOptions, RankedItem } from "../engine/protocol.js";
import { asArrays, checkQuery, checkRank, poolOf, type Query } from "./query.js";
import { checkWeights, type Sequence, sequence } from "./sequence.js";
import type { Affinity, EngineChoice, Explanation, Grouping, HistoryEvent, Learnt, QueryOptions, RankOptions, Reason, Recommendation, RecommenderOptions, RecommendOptions, Rung, Trust, UnknownItem, WasmSource } from "../types.js";
import { BundleVerdicts } from "../engine/verdict.js";
import { verdictsOnDevice } from "../engine/verdict-store.js";
import { UnknownItems } from "./unknown.js";
import { explainRung } from "./why.js";

/** More clicks than any model reads, unknown items included. */
const LOOK_BACK = 2_000;

/** How long calls wait for an engine after the start, in milliseconds; then a fallback answers. */
const LATE_MS = 7_000;
/** Delays after which popularity is read again if that failed, in milliseconds. */
const AGAIN_MS = [5_000, 15_000, 60_000, 600_000];
/** How much longer the bundle's most popular items may take, in milliseconds. */
const POPULAR_MS = 1_500;

/** What a core needs from the recommender that it belongs to. */
export interface CoreHost {
  choice: EngineChoice;
  options: RecommenderOptions;
  /** Whether files may be kept on the device. */
  mayStore(): boolean;
  /** The history, oldest first; must be read before it changes. */
  history(): Promise<readonly HistoryEvent[]>;
  /** What was learnt from the shopper's clicks and is stored beside them. */
  adapter(): Promise<unknown>;
  keepAdapter(adapter: unknown, from: readonly HistoryEvent[]): Promise<void>;
  onChange(): void;
  onError(error: IngleError): void;
  /** The host has a newer bundle than the one in use. */
  onNewer(): void;
  /** The engine became ready after calls had been answered without it. */
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
  readonly #trust: Trust | undefined;
  readonly #life = new AbortController();
  readonly #lateAt = performance.now() + LATE_MS;
  #late = false;
  readonly #read: (events: readonly HistoryEvent[]) => Sequence;
  /** The ids of each engine: after a failure an engine may have opened another bundle. */
  readonly #items = new WeakMap<EngineClient, Promise<string[]>>();
  /** All items by popularity, read once for a page without an engine; `undefined` if there is no bundle either. */
  #popular: Promise<{ item: string; share: number }[] | undefined> | undefined;
  /** Number of failed readings. */
  #vain = 0;
  /** Whether the last answer without an engine was by popularity. */
  #rungWithout: "recent" | "popular" = "recent";
  readonly #rotation: Rotation;
  readonly #unknown: UnknownItems;
  readonly #learner: Learner;

  constructor(url: string | URL, host: CoreHost, trust: Trust | undefined, before?: Core) {
    const { onProgress, fetch } = host.options;
    this.#host = host;
    this.#trust = trust;
    this.#rotation = before ? before.#rotation : new Rotation();
    this.bundle = new BundleSource(url, {
      onProgress,
      trust,
      cache: before?.bundle.cache ?? new KeptBundles(() => host.mayStore()),
      signal: this.#life.signal,
      // If a bundle is in use already, only the host's can be a new one.
      fallback: before === undefined,
      onLate: () => host.onNewer(),
      ...(fetch && { fetch }),
    });
    const { bundle } = this;
    // Invalid weights are reported before anything is loaded.
    const weighing = checkWeights(host.options.weights);
    this.#read = (events) => sequence(events.slice(-LOOK_BACK), weighing);
    const { worker = true, wasm = {}, assets: given } = host.options;
    const assets = given === undefined ? undefined : folderAt(given);
    const { on, general } = partsOf(host.choice);
    this.engines = new Engines({
      choice: on,
      general,
      gpuJudges: host.options.scorer === "gpu",
      open: (build) => openEngine(build, worker, assets),
      wasm: async (build) => resolveWasm(wasm[build] ?? defaultWasm(build, assets)),
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
    this.#learner = new Learner(
      {
        read: async () => {
          const events = [...(await host.history())];
          return { events, items: this.#read(events).items };
        },
        ask: async (question) => (await this.engines.ask(question, this.#life.signal)).answer,
        recall: () => host.adapter(),
        keep: (adapter, from) => host.keepAdapter(adapter, from),
        onChange: () => host.onChange(),
      },
      this.#life.signal,
    );
    void this.#learn().catch(() => {});
    // Read when it is clear that no engine can answer, not when a question is asked.
    this.engines.ready(this.#life.signal).catch(() => void (this.#life.signal.aborted || this.#readPopular()));
    // Fetched while the worker starts.
    bundle.manifest().catch(() => {});
  }

  /** What would answer now, and why. */
  get rung(): { rung: Rung; why: string } {
    const { active, cpu, gpu } = this.engines;
    const rung = active ?? this.#rungWithout;
    const why = explainRung(rung, partsOf(this.#host.choice).on, cpu.state, gpu.state, this.#late);
    const { stale } = this.bundle;
    return { rung, why: active && stale ? `${why} Its bundle may be old: ${stale.message}` : why };
  }

  /** Items that this page passed in and that the bundle does not contain. */
  get unknown(): readonly UnknownItem[] {
    return this.#unknown.list;
  }

  /** Number of clicks that the adapter in use was learnt from; 0 if there is none. */
  get learnt(): number {
    return this.#learner.clicks;
  }

  /** The history is this now. */
  changed(events: readonly HistoryEvent[]): void {
    this.#learner.see(this.#read(events).items);
  }

  /** The shop has recorded these items. */
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

  /** Items that are similar by the model's embeddings. */
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

  /** A list in the order in which its items would be recommended; those that the bundle does not know keep their places. */
  async rank(items: string[], options: RankOptions): Promise<Recommendation[]> {
    const { scenarios = {} } = this.#host.options;
    const query = checkRank(items, options, scenarios);
    const events = await this.#host.history();
    const past: Past = { events, read: this.#read(events) };
    const ask = async (engine: EngineClient): Promise<[RankedItem[], EngineClient, boolean]> => {
      const best = await this.#best(engine, past, { ...query, k: new Set(items).size }, true, "history");
      return [best, engine, isPersonal(past.read, await this.#itemsOf(engine))];
    };
    const [best, engine, personal] = (await this.#asked(ask, query.signal)) ?? [];
    if (!best || !engine) return given(items, options);
    const known = new Map(best.map((one) => [one.item, one]));
    // New products in a list are no mistake; a list of which nothing is known is likely one.
    if (known.size === 0) this.notice(items);
    const sorted = sortInPlace(items, new Map(best.map(({ item, score }) => [item, score])));
    const types = typesOf(events);
    const answer = mark();
    return given(sorted, options, answer).map((one) => {
      const { probability, because } = known.get(one.item) ?? {};
      return probability === undefined ? one : { ...one, score: probability, source: personal ? engine.kind : "popular", reason: whyOf(because, "history", types) };
    });
  }

  /** The most popular items, from the bundle alone, without an engine. */
  async popular({ includeSeen = true, ...options }: RecommendOptions): Promise<Recommendation[]> {
    return this.#without(this.#query(options), { events: await this.#host.history(), includeSeen, rungs: ["popular"] });
  }

  async recentlyViewed(options: QueryOptions): Promise<Recommendation[]> {
    const query = this.#query(options);
    const looked = (await this.#host.history()).filter(({ type }) => type === "view" || type === "click");
    return compose(query, { candidates: recentItems(looked, query), similarity: async () => undefined });
  }

  /** The verdicts on all events. */
  async explain(signal: AbortSignal | undefined): Promise<Explanation[]> {
    const events = [...(await this.#host.history())];
    const read = this.#read(events);
    const { answer } = await this.engines.ask((engine) => engine.explain(read.items, { signal }), signal);
    return explanations(events, read, answer);
  }

  /** What was learnt from the shopper's own clicks, and what it changes. */
  async explainLearnt(signal: AbortSignal | undefined): Promise<Learnt | null> {
    if (this.learnt === 0) return null;
    const { items, weights } = this.#read(await this.#host.history());
    const { answer } = await this.engines.ask(async (engine) => {
      const adapter = this.#learner.of(engine);
      if (!adapter) return null;
      const options = { exclude: [], includeSeen: false, weights: Float32Array.from(weights) };
      const now = await engine.recommend(items, { ...options, k: SHOWN, adapter: adapter.vector }, { signal });
      const before = await engine.recommend(items, { ...options, k: SHOWN * 10 }, { signal });
      return { clicks: adapter.items.length, moved: movedUp(now, before), vector: [...adapter.vector] };
    }, signal);
    return answer;
  }

  /** The groups of the clicks that count, each with its share. */
  async affinities(of: Grouping, signal: AbortSignal | undefined): Promise<Affinity[]> {
    const { items, weights } = this.#read(await this.#host.history());
    const judged = await this.#asked((engine) => engine.explain(items, { signal }), signal);
    return affinities(items, weights.map((weight, n) => weight * (judged?.[n]?.keep ?? 1)), of);
  }

  /** Resets the rotation, the list of unknown items and what was learnt. */
  forget(): void {
    this.#rotation.forget();
    this.#unknown.forget();
    this.#learner.forget();
  }

  /** Whether the bundle in use is the one that its successor finds at the host. */
  async isLatest({ bundle }: Core): Promise<boolean> {
    await this.engines.ready().catch(() => {});
    const { current } = this.bundle;
    return current !== undefined && sameBytes(current, await bundle.latest());
  }

  /** A core for another bundle, which takes over what was shown so far. */
  successor(url: string | URL): Core {
    return new Core(url, this.#host, this.#trust, this);
  }

  /** Begins to learn once an engine is there. */
  async #learn(): Promise<void> {
    const { answer } = await this.engines.ask(async ({ learning }) => learning, this.#life.signal);
    await this.#learner.begin(answer);
    this.changed(await this.#host.history());
  }

  dispose(): void {
    this.#life.abort();
    this.engines.dispose();
  }

  #rank({ events, read }: Past, query: Query, includeSeen: boolean, kind: "history" | "complete"): Promise<Recommendation[]> {
    const types = typesOf(events);
    const ask = async (engine: EngineClient): Promise<Candidate[]> => {
      const best = await this.#best(engine, { events, read }, query, includeSeen, kind);
      // If no click contributes to any item, the model ranked by popularity.
      const source = best.some(({ because }) => because) ? engine.kind : "popular";
      return best.map(({ item, probability, because }) => ({ item, score: probability, source, reason: whyOf(because, kind, types) }));
    };
    return this.#answer(query, ask, { events, includeSeen, rungs: ["popular", "recent"] });
  }

  async #best(engine: EngineClient, { read }: Past, query: Query, includeSeen: boolean, kind: "history" | "complete"): Promise<RankedItem[]> {
    const weights = Float32Array.from(read.weights);
    if (kind === "history") await this.#learner.recalled;
    // A basket is completed as for everyone.
    const adapter = kind === "history" ? this.#learner.of(engine)?.vector : undefined;
    return engine.recommend(read.items, { ...(await this.#filters(query, engine)), includeSeen, weights, ...(adapter && { adapter }) }, { signal: query.signal });
  }

  #query(options: QueryOptions): Query {
    const { scenarios = {}, offers } = this.#host.options;
    return checkQuery(options, scenarios, offers);
  }

  async #answer(query: Query, ask: (engine: EngineClient) => Promise<Candidate[]>, below: Below): Promise<Recommendation[]> {
    const candidates = await this.#asked(ask, query.signal);
    if (!candidates) return this.#without(query, below);
    return this.#finish(query, { candidates, similarity: (item) => this.#similarity(item, candidates) });
  }

  /** What an engine answers; `undefined` if none can, or not in time. */
  async #asked<T>(ask: (engine: EngineClient) => Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
    try {
      return (await this.#inTime(signal)) ? (await this.engines.ask(ask, signal)).answer : undefined;
    } catch (error) {
      if (signal?.aborted || this.#life.signal.aborted || isCallersFault(error)) throw error;
      return undefined;
    }
  }

  /** Waits for an engine for a limited time; says whether it is to be asked. */
  async #inTime(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.engines.active) return true;
    const tooLate = new IngleError("engine/timeout", "The engine is not there yet.");
    try {
      await within(this.engines.ready(signal), Math.max(0, this.#lateAt - performance.now()), () => tooLate);
    } catch (error) {
      // The question itself reports why no engine can answer.
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
    return this.#finish(query, { candidates, similarity: async () => undefined });
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

  async #similarity(item: string, candidates: Candidate[]): Promise<Map<string, number> | undefined> {
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

  /** Failed readings are repeated by a timer: the time of a request must not depend on the shopper's questions. */
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
    // If no engine can run at all, the bundle is kept for this.
    const { error } = this.engines.cpu;
    if (popular && error && !isBundlesFault(error)) void this.bundle.accept();
    if (popular && this.#rungWithout !== "popular") {
      this.#rungWithout = "popular";
      this.#host.onChange();
    }
    return popular;
  }
}

/** The fallback when no engine can answer. */
interface Below {
  events: readonly HistoryEvent[];
  includeSeen: boolean;
  rungs: ("popular" | "recent")[];
}

/** Opens a core for the bundle at this address; the entry uses this function alone. */
export async function openCore(url: string | URL, host: CoreHost): Promise<Core> {
  return new Core(url, host, await trustOf(host.options.trust));
}

const typesOf = (events: readonly HistoryEvent[]): Map<string, string> => new Map(events.map(({ item, type }) => [item, type]));

/** Whether the model knows a click that counts; else it ranks by popularity. */
function isPersonal({ items, weights }: Sequence, known: readonly string[]): boolean {
  const clicked = new Set(items.filter((_, n) => (weights[n] ?? 0) > 0));
  return known.some((item) => clicked.has(item));
}

function whyOf(because: { item: string; share: number } | undefined, kind: "history" | "complete", types: Map<string, string>): Reason {
  if (!because) return { kind: "popular" };
  const { item, share } = because;
  return kind === "history" ? { kind, item, type: types.get(item) ?? "view", share } : { kind, item, share };
}

/** Turns a shop's value into one that a message can carry. */
async function resolveWasm(given: WasmSource | Promise<WasmSource>): Promise<string | BufferSource | WebAssembly.Module> {
  const source = await given;
  if (source instanceof Response) return source.clone().arrayBuffer();
  if (source instanceof URL) return source.href;
  // A worker resolves relative addresses against its own address, not the page's.
  return typeof source === "string" && typeof document !== "undefined" ? new URL(source, document.baseURI).href : source;
}

