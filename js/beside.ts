/**
 * The files beside this module: workers and wasm. Each is written out, because bundlers find and copy
 * files only in exactly these forms; `assets` says where they are if they are elsewhere.
 *
 * `beside-inline.ts` has the same functions for a build that has no files beside it, `beside-script.ts` for a
 * plain script.
 */

import { importFrom, wasmIn, workerAt, workerIn } from "./assets.js";
import type { EngineKind, WasmSource } from "./types.js";

export function startWorker(kind: EngineKind, assets: URL | undefined): Worker {
  const beside = kind === "cpu" ? new URL("./worker-cpu.js", import.meta.url) : new URL("./worker-gpu.js", import.meta.url);
  return workerAt(assets ? workerIn(assets, kind) : beside, kind);
}

/** The engine's module for this thread. */
export function importEngine(kind: EngineKind, assets: URL | undefined): Promise<typeof import("./worker-cpu.js")> {
  if (assets) return importFrom(workerIn(assets, kind));
  return kind === "cpu" ? import("./worker-cpu.js") : import("./worker-gpu.js");
}

export function defaultWasm(kind: EngineKind, assets: URL | undefined): WasmSource | Promise<WasmSource> {
  if (assets) return wasmIn(assets, kind);
  return (kind === "cpu" ? new URL("./cpu.wasm", import.meta.url) : new URL("./gpu.wasm", import.meta.url)).href;
}
