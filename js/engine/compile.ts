/** Compiles an engine's wasm from any source; errors say why it failed. */

import { Watch } from "../common/deferred.js";
import { IngleError } from "../errors.js";
import { RELEASE, releaseOf } from "./release.js";

/** Texts of browsers' errors about a content security policy that forbids WebAssembly. */
const BLOCKED = /content security policy|blocked by csp|unsafe-eval|refused to create a webassembly/i;

/** Milliseconds without data after which a request fails. */
const STALL_MS = 15_000;

/** The first four bytes of every wasm file: `\0asm`. */
const MAGIC = 0x6d736100;

export async function compile(source: string | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === "undefined") throw new IngleError("engine/blocked", "This browser has WebAssembly switched off.");
  const module = await compiled(source, "default");
  if (releaseOf(module) === RELEASE) return module;
  // The usual cause is a cached file of an earlier release.
  const again = typeof source === "string" ? await compiled(source, "reload") : module;
  if (releaseOf(again) === RELEASE) return again;
  const hint = "upload all files of the package together, and let none be cached under a name that does not change";
  throw new IngleError("engine/release", `The engine's wasm is of build ${releaseOf(again)} of the package, and its script of build ${RELEASE}: ${hint}.`);
}

async function compiled(source: string | BufferSource | WebAssembly.Module, cache: RequestCache): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  try {
    return typeof source === "string" ? await download(source, cache) : await WebAssembly.compile(source);
  } catch (error) {
    if (error instanceof IngleError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (BLOCKED.test(message)) {
      const hint = "The page's content security policy forbids WebAssembly; allow it with script-src 'wasm-unsafe-eval'.";
      throw new IngleError("engine/blocked", hint, { cause: error });
    }
    throw new IngleError("engine/wasm", `The engine's wasm could not be compiled: ${message}`, { cause: error });
  }
}

async function download(url: string, cache: RequestCache): Promise<WebAssembly.Module> {
  const watch = new Watch(STALL_MS);
  try {
    const response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer", cache, signal: watch.signal });
    if (!response.ok) throw new IngleError("engine/wasm", `The engine's wasm is not at ${url}: HTTP ${response.status}; say where the engine's files are by the option assets.`);
    // Read beside the compiler, which reports no progress.
    const arrived = listen(response.clone(), watch);
    if (response.headers.get("content-type") === "application/wasm") return await WebAssembly.compileStreaming(response);
    await arrived;
    const bytes = await response.arrayBuffer();
    if (bytes.byteLength < 4 || new DataView(bytes).getUint32(0, true) !== MAGIC) {
      // The usual cause is a development server that answers unknown paths with its index page.
      const hint = "tell your bundler to leave this package alone (Vite: optimizeDeps.exclude), or pass `wasm`";
      throw new IngleError("engine/wasm", `${url} is not a wasm file; ${hint}.`);
    }
    return await WebAssembly.compile(bytes);
  } catch (error) {
    if (!watch.signal.aborted) throw error;
    throw new IngleError("engine/wasm", `${url} could not be fetched: nothing came for ${STALL_MS / 1000} s.`, { cause: error });
  } finally {
    watch.end();
  }
}

/** Reports every byte to the watch; ends with the body. */
async function listen(response: Response, watch: Watch): Promise<void> {
  const reader = response.body?.getReader();
  try {
    while (reader && !(await reader.read()).done) watch.heard();
  } catch {
    // Errors are handled by the reader of the body itself.
  }
}
