/** The general engine's files, as `beside.ts` has those of the small ones. */

import { workerAt } from "./assets.js";

type General = "burn-cpu" | "burn-gpu";

export function startWorker(build: General): Worker {
  return workerAt(build === "burn-cpu" ? new URL("./worker-burn-cpu.js", import.meta.url) : new URL("./worker-burn-gpu.js", import.meta.url), build);
}

export function importEngine(build: General): Promise<typeof import("./worker-cpu.js")> {
  return build === "burn-cpu" ? import("./worker-burn-cpu.js") : import("./worker-burn-gpu.js");
}

export function defaultWasm(build: General): string {
  return (build === "burn-cpu" ? new URL("./burn-cpu.wasm", import.meta.url) : new URL("./burn-gpu.wasm", import.meta.url)).href;
}
