/** The engines' files in a folder that is only known when the page runs. */

import { scriptUrl } from "./engine/trusted.js";
import type { EngineBuild } from "./types.js";

/** The files of an engine in a folder. */
export const workerIn = (folder: URL, build: EngineBuild): URL => new URL(`worker-${build}.js`, folder);
export const wasmIn = (folder: URL, build: EngineBuild): string => new URL(`${build}.wasm`, folder).href;

export function workerAt(address: URL, build: EngineBuild): Worker {
  return new Worker(scriptUrl(address.href), { type: "module", name: `ingle-${build}`, credentials: "omit" });
}

export function importFrom(address: URL): Promise<typeof import("./worker-cpu.js")> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ address.href);
}

/** A folder's address, as a shop gives it: with or without the slash at its end, relative to the page. */
export function folderAt(given: string | URL): URL {
  const folder = new URL(given, typeof document === "undefined" ? location.href : document.baseURI);
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  return folder;
}
