/**
 * The generated bindings of a wasm build, as far as this package uses them.
 *
 * The specifiers `ingle:cpu` and `ingle:gpu` mean this file to the type checker and what wasm-bindgen
 * wrote to `build.mjs`: the TypeScript can be checked before any wasm is built.
 */

import type { EngineInfo, JudgedClick, RankedItem, RankOptions } from "./protocol.js";

export interface GlueEngine {
  info(): EngineInfo;
  recommend(history: string[], options: RankOptions): Promise<RankedItem[]>;
  explain(history: string[]): Promise<JudgedClick[]>;
}

export interface Glue {
  default(init: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  Engine: { load(manifest: Uint8Array, files: Map<string, Uint8Array>): Promise<GlueEngine> };
}

declare const init: Glue["default"];
export default init;
export declare const Engine: Glue["Engine"];
