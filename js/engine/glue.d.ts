/**
 * The generated bindings of a wasm build, as far as this package uses them.
 *
 * The specifiers `ingle:cpu`, `ingle:gpu`, `ingle:burn-cpu` and `ingle:burn-gpu` mean this file to the type checker and what wasm-bindgen
 * wrote to `build.mjs`: the TypeScript can be checked before any wasm is built.
 */

import type { EngineKind } from "../types.js";
import type { EngineInfo, FilterOptions, JudgedClick, RankedItem, RankOptions, SimilarItem } from "./protocol.js";

export interface GlueEngine {
  info(): EngineInfo;
  /** What judges clicks; nothing for a method that judges none. */
  scorer(): EngineKind | undefined;
  recommend(history: string[], options: RankOptions): Promise<RankedItem[]>;
  explain(history: string[]): Promise<JudgedClick[]>;
  /** The adapter that a history teaches, or `previous`; empty if there is neither. Awaits `rest` between pieces of work. */
  adapt(history: string[], previous: Float32Array | undefined, rest: () => Promise<void>): Promise<Float32Array>;
  /** The items nearest to the mean of `items`, none of which is among them. */
  similar(items: string[], options: FilterOptions): Promise<SimilarItem[]>;
  /** The ids of all items in catalogue order, that of `allow` and `boost`. */
  items(): string[];
}

export interface Glue {
  default(init: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /**
   * `hashes`: the SHA-256 of files by name, in hex; of those that are missing the engine computes them. `gpuJudges`:
   * whether the GPU judges clicks, if it can.
   */
  Engine: { load(manifest: Uint8Array, files: Map<string, Uint8Array>, hashes: Map<string, string>, gpuJudges: boolean): Promise<GlueEngine> };
}

declare const init: Glue["default"];
export default init;
export declare const Engine: Glue["Engine"];
