/**
 * What the page and an engine say to each other, and nothing else: plain data with ids.
 *
 * Private to the package: both ends always come from the same release.
 */

import type { ErrorCode } from "./errors.js";
import { IngleError, toIngleError } from "./errors.js";
import type { EngineKind } from "./types.js";

/** What an engine needs before it can answer. */
export interface LoadRequest {
  /** The wasm file's address, its bytes, or the compiled module. */
  wasm: string | BufferSource | WebAssembly.Module;
  manifest: Uint8Array<ArrayBuffer>;
  files: Map<string, Uint8Array<ArrayBuffer>>;
}

export interface RankOptions {
  k: number;
  exclude: string[];
  includeSeen: boolean;
}

export interface RankedItem {
  item: string;
  score: number;
}

export interface JudgedClick {
  item: string;
  known: boolean;
  noise: number;
  keep: number;
  prior?: number;
  posterior?: number;
}

/** What an engine says of itself once loaded. */
export interface EngineInfo {
  name: string;
  method: string;
  items: number;
  width: number;
  maxLen: number;
}

/** Every call: its arguments and its answer. */
export interface Calls {
  load: { request: LoadRequest; reply: EngineInfo };
  recommend: { request: { history: string[]; options: RankOptions }; reply: RankedItem[] };
  explain: { request: { history: string[] }; reply: JudgedClick[] };
}

export type CallName = keyof Calls;

/** A call on its way to the engine. */
export type Request = { [N in CallName]: { id: number; call: N; body: Calls[N]["request"] } }[CallName];

/** An error on its way back: `Error` objects lose their class and code between threads. */
export interface ErrorData {
  name: string;
  message: string;
  code: ErrorCode;
}

/** What the engine sends: a greeting, an answer, a failed answer, or its last words. */
export type Reply =
  | { kind: "hello"; engine: EngineKind }
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
