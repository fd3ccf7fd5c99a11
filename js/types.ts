/** The public types: what a shop passes in and what it gets back. */

import type { ErrorCode, IngleError } from "./errors.js";

/** The two engines: the same model, computed on the CPU or through WebGPU. */
export type EngineKind = "cpu" | "gpu";

/**
 * A build of an engine. The small ones know the built-in backbones and methods; `burn-cpu` and `burn-gpu` run whatever
 * is written in Burn, and are loaded for bundles that need them, or if they are asked for.
 */
export type EngineBuild = EngineKind | "burn-cpu" | "burn-gpu";

/**
 * Which engine to use. `auto` answers from the CPU at once and moves to the GPU if that is faster here; `burn` does the
 * same with the general engine.
 */
export type EngineChoice = "auto" | "burn" | EngineBuild;

/**
 * Where an answer comes from, lowest first: the items viewed last, the bundle's most popular items,
 * the model on the CPU, the model on the GPU.
 */
export type Rung = "recent" | "popular" | EngineKind;

/** What an answer is from: one of these, or the list itself that was given to `rank`. */
export type Source = Rung | "given";

/** Bytes of the bundle so far; `total` is exact, from the manifest. */
export interface Progress {
  /** Bytes that have arrived, over all files. */
  loaded: number;
  /** Bytes of all files together. */
  total: number;
  /** The file that these bytes belong to. */
  file: string;
}

/** A compiled engine, or where to get it. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;

/**
 * What the shopper allows to be kept.
 *
 * - `granted`: the history is kept on this device until it is forgotten or too old.
 * - `session`: it is kept in the memory of the open pages and no event is written. The default.
 * - `denied`: nothing is recorded at all, and what was stored is erased.
 */
export type Consent = "granted" | "session" | "denied";

/** How the history is kept. */
export interface StorageOptions {
  /** `auto` is IndexedDB where it works and consent allows it; `memory` keeps nothing beyond the page. */
  kind?: "auto" | "memory";
  /** The IndexedDB database; give each shop on one origin its own. Default `ingle`. */
  name?: string;
  /** How many of the latest events are kept. Default 200. */
  retain?: number;
  /** Events older than this many milliseconds are dropped. Default 180 days; `Infinity` keeps them. */
  maxAgeMs?: number;
  /** A repeated view of the same item within this many milliseconds counts once. Default 30 000. */
  collapseMs?: number;
}

/** What a shopper may do with an item. `remove` takes it out of the basket and undoes its `cart`. */
export type EventType = "view" | "click" | "cart" | "purchase" | "remove";

/** How much an event counts for the model, before the model's own judgement. */
export interface WeightOptions {
  /**
   * Weights by event type, 0 or more; only their ratios matter, within one history. Default: view 0.8,
   * click 0.6, cart 1, purchase 1; words of the shop's own 0.8. A weight of 0 keeps a type from the model.
   */
  types?: Partial<Record<string, number>>;
  /** A view that is known to have lasted less than this many milliseconds is a bounce. Default 2 000. */
  bounceMs?: number;
  /** What a bounced view's weight is multiplied by, 0 to 1. Default 0.25. */
  bounceWeight?: number;
}

/** What the shop knows of an item at the moment of a call. */
export interface Offer {
  /** In stock: a count, or whether. 0 and `false` are never recommended. Default: in stock. */
  stock?: number | boolean;
  /** In the shop's currency, for `price` in a call's options. An item with a price of 0 is no offer. */
  price?: number;
}

/** Looks an item up in the shop's own data, without waiting; `null` for one that is no longer sold. */
export type Offers = (item: string) => Offer | null | undefined;

/** Whose signed releases a page uses, and no other bundle. `ingle keys show` prints it. */
export interface Trust {
  /** The shop's name in its signed files. */
  shop: string;
  /** The root keys of the epoch, each of 64 hex digits. */
  keys: string[];
  /** The epoch of these keys. Later ones are followed from it. Default 1. */
  epoch?: number;
  /** How many of the keys must have signed a file of keys. Default 1. */
  threshold?: number;
  /** The lowest release of this epoch that is used. Default 1. */
  atLeast?: number;
}

/** Options of `createRecommender`; every one has a sensible default. */
export interface RecommenderOptions {
  /** Default `auto`. */
  engine?: EngineChoice;
  /**
   * What judges clicks for recommendations of the GPU engine. Default `cpu`: the processor, before the GPU ranks. `gpu`:
   * the GPU, in one submission with the rest, for the method `dc4sr`; for others the processor all the same. `status.gpu`
   * says which it is.
   */
  scorer?: EngineKind;
  /** Called as the bundle arrives. Not called for files that are already on the device. */
  onProgress?: (progress: Progress) => void;
  /** Aborts loading and disposes of the recommender. */
  signal?: AbortSignal;
  /**
   * `false` computes on the page's main thread; a function starts the worker itself, for bundlers that do
   * not find `ingle/worker`. Default: in a worker, where workers work.
   */
  worker?: boolean | ((build: EngineBuild) => Worker);
  /** The folder that the engines' files are in (`worker-cpu.js`, `cpu.wasm` and those of the GPU), if not beside this module. */
  assets?: string | URL;
  /** Where the engines' wasm files are, if the bundler moved them. Default: beside this module. */
  wasm?: Partial<Record<EngineBuild, WasmSource | Promise<WasmSource>>>;
  /**
   * What the shopper has allowed so far. Default `session`. `ask` takes what the shopper answered to `consent()` on
   * an earlier visit, which is then remembered on the device, and is `session` until there is an answer.
   */
  consent?: Consent | "ask";
  /** With `ask`: whether an answer other than `granted` is remembered too. Default false. */
  rememberRefusal?: boolean;
  /** Whether Global Privacy Control turns `granted` into `session`. Default `respect`. */
  globalPrivacyControl?: "respect" | "ignore";
  /** How the history is kept. */
  storage?: StorageOptions;
  /** How much events count. */
  weights?: WeightOptions;
  /** Stock and prices, asked for at every call. */
  offers?: Offers;
  /** Options of calls by the name of a placement; a call that names the `scenario` begins with these. */
  scenarios?: Record<string, QueryOptions>;
  /**
   * Uses only bundles that these keys have signed. Default: the keys that `<meta name="ingle-trust">` in the page's head
   * names, as JSON; any bundle at the address where there is none. `any` takes any bundle whatever the tag says.
   */
  trust?: Trust | "any";
  /** A replacement for `fetch`, for the bundle's files. */
  fetch?: typeof fetch;
}

/** The shop's own id of an item. A whole number means the string of its digits, which is what comes back. */
export type ItemId = string | number;

/** Something the shopper did. */
export interface HistoryEvent {
  /** The shop's own item id. */
  item: string;
  /** An `EventType`, or a word of the shop's own. */
  type: string;
  /** When, in milliseconds since 1970. */
  at: number;
  /** How long a view lasted, in milliseconds, where that is known. */
  dwell?: number;
}

/** What `record` takes. */
export interface RecordInput {
  item: ItemId;
  /** Default `view`. */
  type?: EventType | (string & {});
  /** Default now. A time in the future counts as now. */
  at?: number | Date;
  /** How long the view has lasted so far, in milliseconds. Recorded again it updates the same view. */
  dwell?: number;
}

/** Factors on an item's chance: 2 doubles it against others, 0.5 halves it. All above 0; 1 changes nothing. */
export type Boost = Readonly<Record<string, number>> | ReadonlyMap<ItemId, number> | ((item: string) => number);

/** An item at a place that the shop decides on: next in order, or at `place`, counted from 0. */
export type Pin = ItemId | { item: ItemId; place: number };

/** What all questions have in common. Filters, stock and price apply before the best are chosen. */
export interface QueryOptions {
  /** How many items to return at most. Default 10. */
  k?: number;
  /** The placement's name: its defaults, its rotation, and part of the attribution ids. Default `default`. */
  scenario?: string;
  /** The only items to return: their ids, or what is true of theirs. */
  filter?: Iterable<ItemId> | ((item: string) => boolean);
  /** Items never to return: in the basket, on the page already. */
  exclude?: Iterable<ItemId>;
  /** Items to make more or less likely. */
  boost?: Boost;
  /** Items to show whatever the model says, unless they are excluded, filtered out or out of stock. */
  pin?: Iterable<Pin>;
  /** 0 ranks by score alone, 1 mostly avoids items like those already chosen. Default 0. */
  diversity?: number;
  /** Items that score less are left out, 0 to 1. Default 0. */
  minScore?: number;
  /** 0 to 1: how far items that this scenario has shown on this page already step back. Default 0. */
  rotate?: number;
  /** Stock and prices for this call, instead of the recommender's. */
  offers?: Offers;
  /** Bounds on the price that `offers` gives; an item without a price is out of bounds. */
  price?: { min?: number; max?: number };
  /** Stops waiting; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Options of `recommend`. */
export interface RecommendOptions extends QueryOptions {
  /** Also return items that are in the history. Default false. */
  includeSeen?: boolean;
}

/** Options of `rank`, which adds nothing and leaves out nothing: what is in the list is the shop's. */
export interface RankOptions extends Pick<QueryOptions, "scenario" | "boost" | "signal"> {
  /** How many items to return, from the front of the ordered list. Default all. */
  k?: number;
}

/**
 * Why an item is in an answer.
 *
 * - `history`: mostly because of `item`, which the shopper did `type` with; `share` is its part, 0 to 1.
 * - `similar`, `complete`: it is like, or goes with, `item`, which the shop asked about.
 * - `popular`, `recent`, `pinned`: everybody likes it, the shopper looked at it last, the shop put it there.
 * - `given`: it is in the list that was given to `rank`, at the place that it had.
 */
export type Reason =
  | { kind: "history"; item: string; type: string; share: number }
  | { kind: "similar" | "complete"; item: string; share: number }
  | { kind: "popular" | "recent" | "pinned" | "given" };

/** One recommended item. */
export interface Recommendation {
  item: string;
  /**
   * 0 to 1. From the model: the probability that this is the next item clicked, of all in the catalogue.
   * For similar items: their cosine. For popular ones: their share of all clicks. For given ones: 0.
   */
  score: number;
  /** What produced it. */
  source: Source;
  reason: Reason;
  /**
   * New for every answer and place: `scenario.answer.place`. Says nothing about the shopper; the shop may
   * keep it with what follows from a click on this item.
   */
  attribution: string;
}

/** How an event was judged: it counts, counts less, is set aside as noise, or cannot be judged. */
export type Verdict = "kept" | "less" | "ignored" | "unknown";

/** A learnt interest, and an event's share in it. */
export interface ServedInterest {
  /** Which, counted from 0: the same number is the same interest in every history. */
  number: number;
  /** The event's share in the interest, 0 to 1. */
  share: number;
  /** Whether the model drops the whole interest. */
  dropped: boolean;
}

/** One event of the history, with the model's verdict. */
export interface Explanation extends HistoryEvent {
  /**
   * Whether the bundle has the item and the event is among those that the model reads; otherwise it changes no
   * recommendation.
   */
  known: boolean;
  /** Noise probability of the event, 0 to 1. */
  noise: number;
  /** Share of the kept histories that contain the event, 0 to 1; in a bundle with a gate, the weight that the gate gives it. */
  keep: number;
  /** Noise probability by what the item is (prior view), 0 to 1; for methods with two views, for known items. */
  prior?: number;
  /** Noise probability by how shoppers use the item (posterior view), 0 to 1; likewise. */
  posterior?: number;
  /** The interest that the event belongs to most; for methods with interests, for known items. */
  interest?: ServedInterest;
  /** Its weight in all: `keep` times the weight of its type and dwell, 0 to 1. */
  weight: number;
  /** `keep` in a word: ignored below a half, kept from nine tenths. */
  verdict: Verdict;
}

/** To which groups an item belongs, by the shop's own data: its category, its brand, its colours. Nothing for an item in none. */
export type Grouping = (item: string) => string | Iterable<string> | null | undefined;

/** A group of items that the shopper has clicked on, and how much. */
export interface Affinity {
  /** The group, by the shop's word for it. */
  value: string;
  /** Its part of all clicks that count and are in any group, 0 to 1; all together are 1. */
  share: number;
  /** The clicked items that are in it, latest first. */
  items: string[];
}

/** What the shopper's own clicks have taught this page; it never leaves it. */
export interface Learnt {
  /** Number of clicks that were read for it. Those that are set aside as noise teach nothing. */
  clicks: number;
  /**
   * Items that it moved up into the first ten of a plain `recommend()`, best first: the place that each has, counted from
   * 1, and the one that it would have otherwise; `null` if that is beyond the hundredth.
   */
  moved: { item: string; place: number; before: number | null }[];
  /** What was learnt: what is added to the model's vector of the shopper, then the weight of popularity. */
  vector: number[];
}

/** Everything that is kept about the shopper, to read, download or take elsewhere. */
export interface HistoryExport {
  /** The layout of this object: 1. */
  version: 1;
  /** When it was made, as ISO 8601. */
  exportedAt: string;
  consent: Consent;
  paused: boolean;
  events: HistoryEvent[];
  /** What earlier visits stored and this page may not use. */
  stored: HistoryEvent[];
  /** What was learnt from the events; `null` if nothing was, or no engine can tell. */
  learnt: Learnt | null;
}

/** A bundle's description. */
export interface BundleInfo {
  name: string;
  method: string;
  items: number;
  width: number;
  maxLen: number;
  /** Bytes of all its files. */
  bytes: number;
  /** Whose signature was verified; `null` if none was, as in a page without `trust`. */
  signed: SignedBy | null;
}

/** Whose release a bundle is. */
export interface SignedBy {
  shop: string;
  /** Number of the keys' file; not known of a bundle that was kept on this device. */
  epoch?: number;
  /** Number of the release; likewise. */
  release?: number;
}

/**
 * What an engine is doing.
 *
 * - `off`: not asked for. `waiting`: its turn has not come. `loading`: on its way. `ready`: can answer.
 * - `slower`: worked, but the other engine answers faster on this device, so it was let go.
 * - `absent`: this browser has no such engine. `refused`: it has one that is of no use here.
 * - `failed`: stopped, and will be tried once more. `retired`: stopped twice, not tried again.
 */
export type EngineState =
  | { state: "off" | "waiting" | "loading" }
  | {
      state: "ready" | "slower";
      build: EngineBuild;
      loadMs: number;
      medianMs?: number;
      thread: "worker" | "main";
      /** What judges the clicks that it ranks by; absent for a method that judges none. */
      scorer?: EngineKind;
    }
  | { state: "absent" | "refused" | "failed" | "retired"; code: ErrorCode; reason: string };

/** An id that the shop passed in and the bundle does not know. */
export interface UnknownItem {
  item: string;
  /** The ids of the bundle that are most like it; on a developer's machine (localhost) alone, else none. */
  nearest: string[];
}

/** What may be kept, and what keeps it. */
export interface StorageStatus {
  kind: "indexeddb" | "memory" | "none";
  /** If that is less than was consented to, why. */
  reason?: string;
  /** What was to be erased and is still on the device, and why; it is tried again at the next call and visit. */
  unerased?: string;
}

/** What the recommender is doing, and why. */
export interface Status {
  /** What would answer a call now. */
  rung: Rung;
  /** Why that one, in a sentence for people. */
  why: string;
  /** The engine that was asked for. */
  requested: EngineChoice;
  cpu: EngineState;
  gpu: EngineState;
  /** The bundle in use; `null` until it has been opened. */
  bundle: BundleInfo | null;
  /**
   * Why the bundle in use may not be the shop's latest: the one at its address could not be fetched or used, or is still
   * loading, and the last good one answers; or what is there has expired (`delivery/expired`). `null` if it is.
   */
  stale: { code: ErrorCode; reason: string } | null;
  /**
   * Items that this page recorded or asked about and that the bundle does not know, the first ten: new products, or a
   * slip. Empty again once the history is forgotten.
   */
  unknown: readonly UnknownItem[];
  /** Number of the shopper's clicks that this page has learnt from, for a bundle that gains by it; 0 before. */
  learnt: number;
  /** What the shopper allows, as it takes effect: Global Privacy Control may have lowered it. */
  consent: Consent;
  /** Whether the shop need not ask: false with `consent: "ask"` until there is an answer. */
  answered: boolean;
  /** Whether the browser asks for privacy and that is respected. */
  globalPrivacyControl: boolean;
  /** Whether the shopper has paused recording. */
  paused: boolean;
  storage: StorageStatus;
}

/** The events of a recommender, by name. */
export interface RecommenderEventMap {
  /** An engine can answer, for the first time. */
  ready: CustomEvent<Status>;
  /** Another rung answers from now on; `detail` is the status. */
  engine: CustomEvent<Status>;
  /**
   * Another bundle is in use, or an engine that came after calls had been answered without it: it is worth asking
   * again. `detail` is what the bundle says of itself.
   */
  updated: CustomEvent<BundleInfo>;
  /** Anything in the status changed, consent and pause included; `detail` is the new one. */
  status: CustomEvent<Status>;
  /** The history changed, here or in another tab; `detail` is the history, oldest first. */
  change: CustomEvent<HistoryEvent[]>;
  /** Something failed that no call reported: a load, an engine, the storage. */
  error: CustomEvent<IngleError>;
}

/** How `observe` watches a page. */
export interface ObserveOptions {
  /** A view counts once half of the element, or half of the screen, shows for this long. Default 1 000. */
  afterMs?: number;
}
