/** An engine as the page uses it: the same calls whether it runs in a worker or on the page's thread. */

import { importEngine, startWorker } from "../beside.js";
import { within } from "../common/deferred.js";
import { IngleError } from "../errors.js";
import { type Learning, learningOf } from "./learning.js";
import type { FilterOptions, JudgedClick, Loaded, LoadRequest, RankedItem, RankOptions, SimilarItem } from "./protocol.js";
import { RELEASE } from "./release.js";
import { portPair, Rpc } from "./rpc.js";
import { kindOf } from "./builds.js";
import type { EngineBuild, EngineKind } from "../types.js";

/** Time for a worker's script to load and send its greeting, in milliseconds. */
const GREETING_MS = 15_000;
/** Time to download and compile the wasm and for the first answer, which compiles the shaders on a GPU, in milliseconds. */
export const LOAD_MS = 120_000;
/** Time for one answer, in milliseconds: a GPU that hangs never answers, and a busy machine is slow. */
const ANSWER_MS = 60_000;

/** How long to wait for an answer. */
export interface Patience {
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

/** An engine that can be loaded and asked. */
export interface EngineClient {
  readonly kind: EngineKind;
  readonly thread: "worker" | "main";
  /** Called once if the engine stops without being disposed of. */
  onDeath: ((error: IngleError) => void) | undefined;
  load(request: LoadRequest): Promise<Loaded>;
  recommend(history: string[], options: RankOptions, patience?: Patience): Promise<RankedItem[]>;
  explain(history: string[], patience?: Patience): Promise<JudgedClick[]>;
  /** What the loaded bundle has to learn from a shopper's own clicks, if anything. */
  readonly learning?: Learning | undefined;
  /** The adapter that a history teaches, or `previous` if it teaches none; empty if there is neither. Answers go first. */
  adapt(history: string[], previous: Float32Array | undefined, patience?: Patience): Promise<Float32Array>;
  /** The items nearest to the mean of `items`, none of which is among them. */
  similar(items: string[], options: FilterOptions, patience?: Patience): Promise<SimilarItem[]>;
  /** The ids of all items in catalogue order, which is also the order of `allow` and `boost`. */
  items(patience?: Patience): Promise<string[]>;
  dispose(): void;
}

class RemoteEngine implements EngineClient {
  readonly kind: EngineKind;
  readonly thread: "worker" | "main";
  learning: Learning | undefined;
  onDeath: ((error: IngleError) => void) | undefined;
  readonly #rpc: Rpc;
  #disposed = false;

  constructor(build: EngineBuild, thread: "worker" | "main", rpc: Rpc, close: () => void) {
    this.kind = kindOf(build);
    this.thread = thread;
    this.#rpc = rpc;
    rpc.onDeath = (error) => {
      close();
      if (!this.#disposed) this.onDeath?.(error);
    };
  }

  async load(request: LoadRequest): Promise<Loaded> {
    this.learning = await learningOf(request.manifest);
    // The bytes are transferred, not copied: the page does not need them any more.
    const transfer = [request.manifest.buffer, ...[...request.files.values()].map((file) => file.buffer)];
    return this.#rpc.call("load", request, { transfer, timeoutMs: LOAD_MS });
  }

  recommend(history: string[], options: RankOptions, patience?: Patience): Promise<RankedItem[]> {
    return this.#rpc.call("recommend", { history, options }, { timeoutMs: ANSWER_MS, ...patience });
  }

  explain(history: string[], patience?: Patience): Promise<JudgedClick[]> {
    return this.#rpc.call("explain", { history }, { timeoutMs: ANSWER_MS, ...patience });
  }

  adapt(history: string[], previous: Float32Array | undefined, patience?: Patience): Promise<Float32Array> {
    return this.#rpc.call("adapt", { history, previous }, { timeoutMs: ANSWER_MS, ...patience });
  }

  similar(items: string[], options: FilterOptions, patience?: Patience): Promise<SimilarItem[]> {
    return this.#rpc.call("similar", { items, options }, { timeoutMs: ANSWER_MS, ...patience });
  }

  items(patience?: Patience): Promise<string[]> {
    return this.#rpc.call("items", undefined, { timeoutMs: ANSWER_MS, ...patience });
  }

  dispose(): void {
    this.#disposed = true;
    this.#rpc.die(new IngleError("disposed", "The engine was disposed of."));
  }
}

/** Starts an engine in a worker, or on this thread if `worker` is false or workers do not work here. */
export async function openEngine(build: EngineBuild, worker: boolean | ((build: EngineBuild) => Worker), assets: URL | undefined): Promise<EngineClient> {
  if (worker && typeof Worker !== "undefined") {
    try {
      return await inWorker(build, worker === true ? () => startWorker(build, assets) : worker);
    } catch {
      // If workers are forbidden (worker-src, trusted-types) or cannot load modules, the page's own thread is used.
    }
  }
  return onMainThread(build, assets);
}

async function inWorker(build: EngineBuild, start: (build: EngineBuild) => Worker | Promise<Worker>): Promise<EngineClient> {
  const worker = await start(build);
  const rpc = new Rpc(worker);
  worker.onerror = (event) => {
    event.preventDefault();
    rpc.die(new IngleError("engine/failed", `The ${build} engine's worker stopped: ${event.message || "no reason given"}.`));
  };
  worker.onmessageerror = () => rpc.die(new IngleError("engine/failed", `The ${build} engine's answer could not be read.`));
  const engine = new RemoteEngine(build, "worker", rpc, () => worker.terminate());
  try {
    checkRelease(await within(rpc.greeting, GREETING_MS, () => new IngleError("engine/timeout", "The worker did not start.")));
  } catch (error) {
    engine.dispose();
    throw error;
  }
  return engine;
}

async function onMainThread(build: EngineBuild, assets: URL | undefined): Promise<EngineClient> {
  const { servePort } = await within(importEngine(build, assets), GREETING_MS, () => new IngleError("engine/timeout", `The ${build} engine's script did not come.`)).catch((cause: unknown) => {
    if (cause instanceof IngleError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = "if the engine's files lie elsewhere, say where by the option assets, or for ingle.iife.js by data-ingle-base on its script or a meta element";
    throw new IngleError("engine/files", `The ${build} engine's script could not be loaded (${why}); ${hint}.`, { cause });
  });
  const [here, there] = portPair();
  const rpc = new Rpc(here);
  servePort(there);
  checkRelease(await rpc.greeting);
  return new RemoteEngine(build, "main", rpc, () => here.close());
}

/** Scripts of different builds may be incompatible; builds before this check have no name. */
function checkRelease(release: string | undefined): void {
  if (release === RELEASE) return;
  const hint = "upload all files of the package together, and let none be cached under a name that does not change";
  throw new IngleError("engine/release", `The engine's script is of build ${release ?? "none"} of the package, and the page's of build ${RELEASE}: ${hint}.`);
}
