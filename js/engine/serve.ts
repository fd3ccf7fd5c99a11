/**
 * The engine's side of a connection: receives calls from a port and answers them.
 *
 * Runs in a worker, or on the page's own thread at the other end of a `MessageChannel`.
 */

import { compile } from "./compile.js";
import { IngleError } from "../errors.js";
import type { Glue, GlueEngine } from "./glue.js";
import { sha256OfEach } from "../bundle/hash.js";
import type { Loaded, LoadRequest, Reply, Request } from "./protocol.js";
import { packError } from "./protocol.js";
import { RELEASE } from "./release.js";
import type { Port } from "./rpc.js";
import type { EngineBuild } from "../types.js";

/** How long an engine learns before it looks for questions, in milliseconds. */
const SLICE_MS = 4;

export function serve(port: Port, build: EngineBuild, glue: Glue): void {
  let engine: GlueEngine | undefined;
  const send = (reply: Reply) => port.postMessage(reply, []);

  async function load({ wasm, manifest, files, gpuJudges }: LoadRequest): Promise<Loaded> {
    const [module, hashes] = await Promise.all([compile(wasm), sha256OfEach(files)]);
    await glue.default({ module_or_path: module });
    engine = await glue.Engine.load(manifest, files, hashes, gpuJudges);
    return { info: engine.info(), scorer: engine.scorer() };
  }

  function loaded(): GlueEngine {
    if (!engine) throw new IngleError("engine/unavailable", "The engine was asked before it had loaded a bundle.");
    return engine;
  }

  async function answer(request: Request): Promise<unknown> {
    switch (request.call) {
      case "load":
        return load(request.body);
      case "recommend":
        return loaded().recommend(request.body.history, request.body.options);
      case "explain":
        return loaded().explain(request.body.history);
      case "adapt":
        return loaded().adapt(request.body.history, request.body.previous, slices());
      case "similar":
        return loaded().similar(request.body.items, request.body.options);
      case "items":
        return loaded().items();
    }
  }

  const die = (error: unknown) => send({ kind: "fatal", error: packError(error) });
  const traps = new Traps(die);
  port.onmessage = async ({ data }: MessageEvent<Request>) => {
    traps.watch();
    try {
      send({ kind: "answer", id: data.id, body: await answer(data) });
    } catch (error) {
      // After a trap the wasm instance cannot be used any more.
      if (error instanceof WebAssembly.RuntimeError) die(error);
      else send({ kind: "error", id: data.id, error: packError(error) });
    } finally {
      traps.rest();
    }
  };
  send({ kind: "hello", engine: build, release: RELEASE });
}

/** Makes way for messages that have come, whenever a slice of time has been used up. */
function slices(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    // A timer would be held back by milliseconds.
    const { port1, port2 } = new MessageChannel();
    await new Promise<unknown>((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(undefined);
    });
    port1.close();
    since = performance.now();
  };
}

/**
 * Traps between two awaits of the engine. They reject no promise, so their call would stay pending; they are only
 * visible as an error of the thread, which is listened for while a call is running.
 */
class Traps {
  readonly #die: (error: unknown) => void;
  #due = 0;

  constructor(die: (error: unknown) => void) {
    this.#die = die;
  }

  watch(): void {
    if (this.#due++ === 0) globalThis.addEventListener?.("error", this.#hear);
  }

  rest(): void {
    if (--this.#due === 0) globalThis.removeEventListener?.("error", this.#hear);
  }

  readonly #hear = (event: Event): void => {
    const { error } = event as ErrorEvent;
    if (!(error instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    globalThis.removeEventListener("error", this.#hear);
    this.#die(error);
  };
}

/** Serves the page that started this worker; does nothing if this module was only imported. */
export function serveWorker(build: EngineBuild, glue: Glue): void {
  const scope: unknown = globalThis;
  // Recognised by its name if the package started the worker; otherwise by the absence of a page.
  if (!isWorkerScope(scope) || (scope.name !== "" && scope.name !== `ingle-${build}`)) return;
  // A panic between two awaits is only visible here; without this its call would stay pending.
  scope.addEventListener("unhandledrejection", (event) => {
    scope.postMessage({ kind: "fatal", error: packError((event as PromiseRejectionEvent).reason) } satisfies Reply, []);
  });
  serve(scope, build, glue);
}

type WorkerScope = Port & EventTarget & { name: string };

function isWorkerScope(scope: unknown): scope is WorkerScope {
  return typeof scope === "object" && scope !== null && "WorkerGlobalScope" in scope && "postMessage" in scope;
}
