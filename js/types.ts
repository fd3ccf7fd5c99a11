/** The public types: what a shop passes in and what it gets back. */

import type { ErrorCode, IngleError } from "./errors.js";

/** The two engines: the same model, computed on the CPU or through WebGPU. */
export type EngineKind = "cpu" | "gpu";

/** Which engine to use. `auto` answers from the CPU at once and moves to the GPU if that is faster here. */
export type EngineChoice = "auto" | EngineKind;

/**
 * Where an answer comes from, lowest first: the items viewed last, the bundle's most popular items,
 * the model on the CPU, the model on the GPU.
 */
export type Rung = "recent" | "popular" | EngineKind;

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

/** How the history is kept. */
export interface StorageOptions {
  /** `auto` is IndexedDB where it works and memory otherwise; `memory` keeps nothing beyond the page. */
  kind?: "auto" | "memory";
  /** The IndexedDB database; give each shop on one origin its own. Default `ingle`. */
  name?: string;
  /** How many of the latest events are kept. Default 200. */
  retain?: number;
  /** A repeated view of the same item within this many milliseconds counts once. Default 30 000. */
  collapseMs?: number;
}

/** Options of `createRecommender`; every one has a sensible default. */
export interface RecommenderOptions {
  /** Default `auto`. */
  engine?: EngineChoice;
  /** Called as the bundle arrives. Not called for files that are already on the device. */
  onProgress?: (progress: Progress) => void;
  /** Aborts loading and disposes of the recommender. */
  signal?: AbortSignal;
  /** `false` computes on the page's main thread. Default: in a worker, where workers work. */
  worker?: boolean;
  /** Where the engines' wasm files are, if the bundler moved them. Default: beside this module. */
  wasm?: Partial<Record<EngineKind, WasmSource>>;
  /** How the history is kept. */
  storage?: StorageOptions;
  /** A replacement for `fetch`, for the bundle's files. */
  fetch?: typeof fetch;
}

/** Something the shopper did. */
export interface HistoryEvent {
  /** The shop's own item id. */
  item: string;
  /** `view`, `cart`, `purchase`, or a word of the shop's own. */
  type: string;
  /** When, in milliseconds since 1970. */
  at: number;
}

/** What `record` takes. */
export interface RecordInput {
  item: string;
  /** Default `view`. */
  type?: string;
  /** Default now. */
  at?: number | Date;
}

/** Options of `recommend`. */
export interface RecommendOptions {
  /** How many items to return at most. Default 10. */
  k?: number;
  /** Items never to return: sold out, in the basket, on the page already. */
  exclude?: Iterable<string>;
  /** Also return items that are in the history. Default false. */
  includeSeen?: boolean;
  /** Stops waiting; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** One recommended item. */
export interface Recommendation {
  item: string;
  /** Higher is better; comparable within one answer only. */
  score: number;
  /** What produced it. */
  source: Rung;
}

/** One event of the history, and what the model made of it. */
export interface Explanation extends HistoryEvent {
  /** Whether the bundle knows the item; one it does not know changes no recommendation. */
  known: boolean;
  /** How likely this event is noise, 0 to 1. */
  noise: number;
  /** How much of it the model keeps, 0 to 1. */
  keep: number;
  /** How likely it is noise by what the item is, 0 to 1; in a method of two views, for a known item. */
  prior?: number;
  /** How likely it is noise by what shoppers do with the item, 0 to 1; likewise. */
  posterior?: number;
}

/** What the bundle says of itself. */
export interface BundleInfo {
  name: string;
  method: string;
  items: number;
  width: number;
  maxLen: number;
  /** Bytes of all its files. */
  bytes: number;
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
  | { state: "ready" | "slower"; loadMs: number; medianMs?: number; thread: "worker" | "main" }
  | { state: "absent" | "refused" | "failed" | "retired"; code: ErrorCode; reason: string };

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
  /** `null` until the bundle has been opened. */
  bundle: BundleInfo | null;
  /** Where the history is kept, and if that is memory only, why. */
  storage: { kind: "indexeddb" | "memory"; reason?: string };
}

/** The events of a recommender, by name. */
export interface RecommenderEventMap {
  /** The status changed; `detail` is the new one. */
  status: CustomEvent<Status>;
  /** The history changed on this page; `detail` is the history, oldest first. */
  change: CustomEvent<HistoryEvent[]>;
  /** Something failed that no call reported: a load, an engine, the storage. */
  error: CustomEvent<IngleError>;
}
