/**
 * Messages between the page and an engine: plain data with ids.
 *
 * Private to the package: both ends are of the same build, which the greeting checks.
 */

import type { ErrorCode } from "../errors.js";
import { IngleError, toIngleError } from "../errors.js";
import type { EngineBuild, EngineKind, ServedInterest } from "../types.js";

/** What an engine needs before it can answer. */
export interface LoadRequest {
  /** The wasm file's address, its bytes, or the compiled module. */
  wasm: string | BufferSource | WebAssembly.Module;
  manifest: Uint8Array<ArrayBuffer>;
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Whether the GPU judges clicks, if it can. */
  gpuJudges: boolean;
}

/** Options of all rankings. */
export interface FilterOptions {
  k: number;
  exclude: string[];
  /** One byte for each item in catalogue order: 0 for items that may not be returned. */
  allow?: Uint8Array;
  /** One finite number per item in catalogue order, added to its score. */
  boost?: Float32Array;
}

export interface RankOptions extends FilterOptions {
  includeSeen: boolean;
  /** For each entry of the history the probability that it counts, 0 to 1, apart from noise. */
  weights?: Float32Array;
  /** What was learnt from the shopper's own clicks, instead of the bundle's start. */
  adapter?: Float32Array;
}

export interface RankedItem {
  item: string;
  /** The model's logit plus the boost. */
  score: number;
  /** The softmax of the model's logits over the whole catalogue, before boosts and filters: 0 to 1. */
  probability: number;
  /** The click that contributes most to it, and its share of all contributions, above 0 up to 1. */
  because?: { item: string; share: number };
}

export interface SimilarItem {
  item: string;
  /** The cosine plus the boost. */
  score: number;
}

export interface JudgedClick {
  item: string;
  known: boolean;
  noise: number;
  keep: number;
  prior?: number;
  posterior?: number;
  interest?: ServedInterest;
}

/** An engine's description, once loaded. */
export interface EngineInfo {
  name: string;
  method: string;
  items: number;
  width: number;
  maxLen: number;
}

/** An engine that has loaded a bundle. */
export interface Loaded {
  info: EngineInfo;
  /** What judges clicks; absent for a method that judges none. */
  scorer?: EngineKind | undefined;
}

/** Every call: its arguments and its answer. */
export interface Calls {
  load: { request: LoadRequest; reply: Loaded };
  recommend: { request: { history: string[]; options: RankOptions }; reply: RankedItem[] };
  explain: { request: { history: string[] }; reply: JudgedClick[] };
  adapt: { request: { history: string[]; previous: Float32Array | undefined }; reply: Float32Array };
  similar: { request: { items: string[]; options: FilterOptions }; reply: SimilarItem[] };
  items: { request: undefined; reply: string[] };
}

export type CallName = keyof Calls;

/** A call on its way to the engine. */
export type Request = { [N in CallName]: { id: number; call: N; body: Calls[N]["request"] } }[CallName];

/** An error in a message: `Error` objects lose their class and code between threads. */
export interface ErrorData {
  name: string;
  message: string;
  code: ErrorCode;
}

/** Messages from the engine: a greeting, an answer, an error, or a notice that it has stopped. */
export type Reply =
  | { kind: "hello"; engine: EngineBuild; release: string }
  | { kind: "answer"; id: number; body: unknown }
  | { kind: "error"; id: number; error: ErrorData }
  | { kind: "fatal"; error: ErrorData };

export function packError(error: unknown, fallback: ErrorCode = "engine/failed"): ErrorData {
  const { name, message, code } = toIngleError(error, fallback);
  return { name, message, code };
}

export function unpackError({ message, code }: ErrorData): IngleError {
  return new IngleError(code, message);
}
