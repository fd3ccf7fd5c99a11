/**
 * The files beside this module: workers and wasm. Each is written out, because bundlers find and copy
 * files only in exactly these forms.
 *
 * `beside-inline.ts` has the same functions for a build that has no files beside it.
 */

import type { EngineKind, WasmSource } from "./types.js";

export function startWorker(kind: EngineKind): Worker {
  return kind === "cpu"
    ? new Worker(new URL("./worker-cpu.js", import.meta.url), { type: "module", name: "ingle-cpu", credentials: "omit" })
    : new Worker(new URL("./worker-gpu.js", import.meta.url), { type: "module", name: "ingle-gpu", credentials: "omit" });
}

/** The engine's module for this thread. */
export function importEngine(kind: EngineKind): Promise<typeof import("./worker-cpu.js")> {
  return kind === "cpu" ? import("./worker-cpu.js") : import("./worker-gpu.js");
}

export function defaultWasm(kind: EngineKind): WasmSource | Promise<WasmSource> {
  return (kind === "cpu" ? new URL("./cpu.wasm", import.meta.url) : new URL("./gpu.wasm", import.meta.url)).href;
}
