/**
 * What `beside.ts` finds beside its module, for the plain script: beside the script, unless a plugin has combined it
 * with others or put it inline. Then the page says where the files are.
 */

import { folderAt, importFrom, wasmIn, workerAt, workerIn } from "./assets.js";
import { IngleError } from "./errors.js";
import { own } from "./engine/script-address.js";
import type { EngineBuild } from "./types.js";

export function startWorker(build: EngineBuild, assets: URL | undefined): Worker {
  return workerAt(workerIn(base(assets), build), build);
}

export async function importEngine(build: EngineBuild, assets: URL | undefined): Promise<typeof import("./worker-cpu.js")> {
  return importFrom(workerIn(base(assets), build));
}

export async function defaultWasm(build: EngineBuild, assets: URL | undefined): Promise<string> {
  return wasmIn(base(assets), build);
}

/** The folder of the package's files. */
export function base(assets: URL | undefined): URL {
  if (assets) return assets;
  // Never of any element: what shoppers write may carry data attributes, and this names code that is run.
  const told = document.querySelector("script[data-ingle-base], meta[data-ingle-base]")?.getAttribute("data-ingle-base");
  if (told) return folderAt(told);
  if (own) return new URL("./", own);
  throw new IngleError("engine/files", 'This script has no address, so the engine\'s files cannot be found beside it: say where they are by the option assets, or by <meta data-ingle-base="/folder/"> in the page.');
}
