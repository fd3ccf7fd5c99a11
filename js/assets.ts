/** The engines' files in a folder that is only known when the page runs. */

import { scriptUrl } from "./engine/trusted.js";
import type { EngineKind } from "./types.js";

/** The files of an engine in a folder. */
export const workerIn = (folder: URL, kind: EngineKind): URL => new URL(`worker-${kind}.js`, folder);
export const wasmIn = (folder: URL, kind: EngineKind): string => new URL(`${kind}.wasm`, folder).href;

export function workerAt(address: URL, kind: EngineKind): Worker {
  return new Worker(scriptUrl(address.href), { type: "module", name: `ingle-${kind}`, credentials: "omit" });
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
