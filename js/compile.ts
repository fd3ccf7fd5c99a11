/** Turns whatever names an engine's wasm into a compiled module, and says plainly why when it cannot. */

import { IngleError } from "./errors.js";

/** How browsers word a content security policy that forbids WebAssembly. */
const BLOCKED = /content security policy|blocked by csp|unsafe-eval|refused to create a webassembly/i;

/** The first four bytes of every wasm file: `\0asm`. */
const MAGIC = 0x6d736100;

export async function compile(source: string | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === "undefined") throw new IngleError("engine/blocked", "This browser has WebAssembly switched off.");
  if (source instanceof WebAssembly.Module) return source;
  try {
    return typeof source === "string" ? await download(source) : await WebAssembly.compile(source);
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

async function download(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer" });
  if (!response.ok) throw new IngleError("engine/wasm", `The engine's wasm is not at ${url}: HTTP ${response.status}; say where the engine's files are by the option assets.`);
  if (response.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(response);
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength < 4 || new DataView(bytes).getUint32(0, true) !== MAGIC) {
    // The usual cause: a development server that answers unknown paths with its index page.
    const hint = "tell your bundler to leave this package alone (Vite: optimizeDeps.exclude), or pass `wasm`";
    throw new IngleError("engine/wasm", `${url} is not a wasm file; ${hint}.`);
  }
  return WebAssembly.compile(bytes);
}
