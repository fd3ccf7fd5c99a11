/**
 * What `beside.ts` finds in files, here inside this module: the CPU engine's worker and its wasm. The
 * others are too large to be carried along.
 */

import wasm from "ingle:inline-wasm";
import worker from "ingle:inline-worker";
import { IngleError } from "./errors.js";
import { scriptUrl } from "./engine/trusted.js";
import type { EngineBuild, WasmSource } from "./types.js";

export function startWorker(build: EngineBuild): Worker {
  if (build !== "cpu") throw absent();
  const address = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
  return new Worker(scriptUrl(address), { type: "module", name: "ingle-cpu" });
}

/** Where the policy forbids workers from blobs the engine runs on this thread. */
export async function importEngine(build: EngineBuild): Promise<typeof import("./worker-cpu.js")> {
  if (build !== "cpu") throw absent();
  return import("./worker-cpu.js");
}

/** Unpacks the gzip that this module carries as text. */
export async function defaultWasm(build: EngineBuild): Promise<WasmSource> {
  if (build !== "cpu") throw absent();
  const packed = Uint8Array.from(atob(wasm), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function absent(): IngleError {
  return new IngleError("engine/unavailable", "ingle/inline has the CPU engine only; import ingle for the others.");
}
