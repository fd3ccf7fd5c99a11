/**
 * One bundle at work: its files, the engines that opened it, and the questions that they answer.
 *
 * Loaded after the page's own entry, which can already record; a recommender that moves to another
 * bundle makes another of these.
 */

import { folderAt } from "./assets.js";
import { compose, type Candidate, type Ranked, Rotation } from "./answer.js";
import { defaultWasm } from "./beside.js";
import { BundleSource } from "./bundle.js";
import { openCache } from "./cache.js";
import { unlessAborted } from "./deferred.js";
import { type EngineClient, openEngine } from "./engine.js";
import { Engines } from "./engines.js";
import { type IngleError, isCallersFault } from "./errors.js";
import { explanations } from "./explain.js";
import { checkGpu } from "./gpu.js";
import { fallBack, recentItems } from "./ladder.js";
import { readPopular } from "./popular.js";
import type { FilterOptions, RankOptions } from "./protocol.js";
import { asArrays, checkQuery, poolOf, type Query } from "./query.js";
import { checkWeights, type Sequence, sequence } from "./sequence.js";
import type { EngineChoice, Explanation, HistoryEvent, QueryOptions, Reason, Recommendation, RecommenderOptions, RecommendOptions, Rung, WasmSource } from "./types.js";
import { BundleVerdicts } from "./verdict.js";
import { verdictsOnDevice } from "./verdict-store.js";
import { explainRung } from "./why.js";

/** More than any model looks back on, unknown items included. */
const LOOK_BACK = 2_000;

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
  readonly #read: (events: readonly HistoryEvent[]) => Sequence;
  #items: Promise<string[]> | undefined;
  /** Everything by popularity, read once for a page that has no engine; nothing if there is no bundle either. */
  #popular: Promise<{ item: string; share: number }[] | undefined> | undefined;
  /** Whether the last answer without an engine came from popularity. */
  #rungWithout: "recent" | "popular" = "recent";
  readonly #rotation: Rotation;

  constructor(bundle: BundleSource, host: CoreHost, rotation = new Rotation()) {
    this.#host = host;
    this.#rotation = rotation;
    this.bundle = bundle;
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
  }

  /** What would answer now, and why. */
  get rung(): { rung: Rung; why: string } {
    const { active, cpu, gpu } = this.engines;
    const rung = active ?? this.#rungWithout;
    return { rung, why: explainRung(rung, this.#host.choice, cpu.state, gpu.state) };
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
    const events = items.map((item, at) => ({ item, type: "cart", at }));
    return this.#rank({ events, read: this.#read(events) }, this.#query(options), false, "complete");
  }

  /** Items like these, by what shoppers do with them. */
  async similar(items: string[], options: QueryOptions): Promise<Recommendation[]> {
    const query = this.#query(options);
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

  /** Items that were shown may be shown again. */
  forget(): void {
    this.#rotation.forget();
  }

  /** A core for another bundle; what was shown so far it knows. */
  successor(url: string | URL): Core {
    return new Core(sourceOf(url, this.#host), this.#host, this.#rotation);
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
      candidates = (await this.engines.ask(ask, query.signal)).answer;
    } catch (error) {
      if (query.signal?.aborted || this.#life.signal.aborted || isCallersFault(error)) throw error;
      return this.#without(query, below);
    }
    return this.#finish(query, { candidates, likeness: (item) => this.#likeness(item, candidates) });
  }

  async #without(query: Query, { events, includeSeen, rungs }: Below): Promise<Recommendation[]> {
    const popular = rungs.includes("popular") ? await unlessAborted(this.#readPopular(), query.signal) : undefined;
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
    const items = await (this.#items ??= engine.items());
    return { ...options, ...asArrays(query, items, this.#rotation.factor(query)) };
  }

  async #likeness(item: string, candidates: Candidate[]): Promise<Map<string, number> | undefined> {
    const among = new Set(candidates.map((candidate) => candidate.item));
    const { answer } = await this.engines.ask(async (engine) => {
      const items = await (this.#items ??= engine.items());
      return engine.similar([item], { k: among.size, exclude: [], allow: Uint8Array.from(items, (id) => (among.has(id) ? 1 : 0)) });
    });
    return new Map(answer.map((near) => [near.item, near.score]));
  }

  async #readPopular(): Promise<{ item: string; share: number }[] | undefined> {
    const read = async () => readPopular(await this.bundle.open(this.#life.signal));
    const popular = await (this.#popular ??= read().catch(() => undefined));
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
  return new Core(sourceOf(url, host), host);
}

function sourceOf(url: string | URL, { options: { onProgress, fetch }, mayStore }: CoreHost): BundleSource {
  return new BundleSource(url, { onProgress, cache: openCache(mayStore), ...(fetch && { fetch }) });
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

