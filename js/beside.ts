/**
 * The files beside this module: workers and wasm. Each is written out, because bundlers find and copy
 * files only in exactly these forms; `assets` says where they are if they are elsewhere.
 *
 * `beside-inline.ts` has the same functions for a build that has no files beside it, `beside-script.ts` for a
 * plain script, and `beside-burn.ts` those of the general engine, which few pages load.
 */

import { importFrom, wasmIn, workerAt, workerIn } from "./assets.js";
import type { EngineBuild, WasmSource } from "./types.js";

export function startWorker(build: EngineBuild, assets: URL | undefined): Worker | Promise<Worker> {
  if (assets) return workerAt(workerIn(assets, build), build);
  if (isGeneral(build)) return import("./beside-burn.js").then((beside) => beside.startWorker(build));
  return workerAt(build === "cpu" ? new URL("./worker-cpu.js", import.meta.url) : new URL("./worker-gpu.js", import.meta.url), build);
}

/** The engine's module for this thread. */
export function importEngine(build: EngineBuild, assets: URL | undefined): Promise<typeof import("./worker-cpu.js")> {
  if (assets) return importFrom(workerIn(assets, build));
  if (isGeneral(build)) return import("./beside-burn.js").then((beside) => beside.importEngine(build));
  return build === "cpu" ? import("./worker-cpu.js") : import("./worker-gpu.js");
}

export function defaultWasm(build: EngineBuild, assets: URL | undefined): WasmSource | Promise<WasmSource> {
  if (assets) return wasmIn(assets, build);
  if (isGeneral(build)) return import("./beside-burn.js").then((beside) => beside.defaultWasm(build));
  return (build === "cpu" ? new URL("./cpu.wasm", import.meta.url) : new URL("./gpu.wasm", import.meta.url)).href;
}

function isGeneral(build: EngineBuild): build is "burn-cpu" | "burn-gpu" {
  return build.startsWith("burn-");
}
