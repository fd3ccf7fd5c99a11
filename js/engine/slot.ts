/** The state of one engine: started, timed, failed, started once more, retired. */

import type { BundleFiles } from "../bundle/bundle.js";
import { pause } from "../common/deferred.js";
import type { EngineClient } from "./engine.js";
import { LOAD_MS } from "./engine.js";
import { IngleError, toIngleError } from "../errors.js";
import type { EnginesHost } from "./engines.js";
import type { GpuVerdict } from "./gpu.js";
import type { Loaded } from "./protocol.js";
import { buildOf, needsGeneral } from "./builds.js";
import { passTest, selfTestOf } from "./self-test.js";
import type { BundleInfo, EngineBuild, EngineKind, EngineState, SignedBy } from "../types.js";
import { requireVectors } from "./vectors.js";

/** Number of failures after which an engine is not started again. */
const LIVES = 2;
/** How long a ready engine waits for its bundle to be stored, in milliseconds. */
const KEEPING_MS = 1_000;
/** How often an engine is timed; the median is used. */
const TRIALS = 5;
/** Number of the most popular items in the history on which engines are warmed up and timed. */
const SAMPLE = 20;

export class EngineSlot {
  readonly kind: EngineKind;
  /** The build that was started last. */
  build: EngineBuild;
  state: EngineState = { state: "waiting" };
  /** The engine, while it can be asked. */
  engine: EngineClient | undefined;
  /** The bundle's description when this engine opened it. */
  bundle: BundleInfo | null = null;
  /** Why it is not running, if it failed. */
  error: IngleError | undefined;
  /** Resolves with the kind if the second start succeeded, else with `undefined`. */
  revival: Promise<EngineKind | undefined> = Promise.resolve(undefined);
  readonly #host: EnginesHost;
  /** What judges clicks in the engine that was loaded last. */
  #scorer: EngineKind | undefined;
  #failures = 0;
  /** Whether to start the general engine though the bundle does not need it. */
  #general: boolean;
  /** Whether the bundle needs it. */
  #needed = false;
  #disposed = false;

  constructor(kind: EngineKind, host: EnginesHost) {
    this.kind = kind;
    this.#general = host.general;
    this.build = buildOf(kind, host.general);
    this.#host = host;
  }

  /** Loads the engine and warms it up; says whether it can be asked now. */
  async start(): Promise<boolean> {
    this.#enter({ state: "loading" });
    const begun = performance.now();
    let engine: EngineClient | undefined;
    try {
      requireVectors();
      engine = await this.#host.open(this.build);
      engine = await this.#load(engine);
      if (this.#disposed) throw new IngleError("disposed", "The recommender was disposed of.");
      const running = engine;
      running.onDeath = (error) => this.fail(running, error);
      this.engine = engine;
      this.error = undefined;
      const scorer = this.#scorer;
      this.#enter({ state: "ready", build: this.build, loadMs: performance.now() - begun, thread: engine.thread, ...(scorer && { scorer }) });
      return true;
    } catch (error) {
      engine?.dispose();
      await this.#lose(toIngleError(error, "engine/failed"), engine?.thread);
      return this.engine !== undefined;
    }
  }

  /** `engine` stopped while it was running: it is started once more in the background. */
  fail(engine: EngineClient, error: IngleError): void {
    // Reported several times: by the engine itself and by every waiting caller.
    if (this.engine !== engine) return;
    this.engine = undefined;
    engine.dispose();
    void this.#lose(error, engine.thread);
  }

  /** The engine is not to be downloaded. */
  refuse(verdict: Extract<GpuVerdict, { usable: false }>): void {
    if (verdict.state === "off") return this.#enter({ state: "off" });
    const { state, code, reason } = verdict;
    this.error = new IngleError(code, reason);
    this.#enter({ state, code, reason });
  }

  /** Milliseconds of an answer, the median of a few; infinite if the engine is not running. */
  async time(): Promise<number> {
    const { engine } = this;
    if (!engine) return Infinity;
    const history = await this.#sample(engine);
    const times: number[] = [];
    for (let trial = 0; trial < TRIALS; trial++) {
      const begun = performance.now();
      await ask(engine, history);
      times.push(performance.now() - begun);
    }
    const medianMs = times.sort((a, b) => a - b)[TRIALS >> 1] ?? Infinity;
    if (this.state.state === "ready") this.#enter({ ...this.state, medianMs });
    return medianMs;
  }

  /** Stops a working engine because the other one is faster. */
  letGo(): void {
    this.engine?.dispose();
    this.engine = undefined;
    if (this.state.state === "ready") this.#enter({ ...this.state, state: "slower" });
  }

  dispose(): void {
    this.#disposed = true;
    this.engine?.dispose();
    this.engine = undefined;
  }

  /** Loads a bundle into the engine, or into one of the build that the bundle needs, which is returned. */
  async #load(engine: EngineClient): Promise<EngineClient> {
    const { bundle, signal, wasm, gpuJudges } = this.#host;
    let loaded: Loaded | undefined;
    let bytes = 0;
    let signed: SignedBy | null = null;
    while (!loaded) {
      const opened = await bundle.open(signal);
      const { manifest, files } = opened;
      // Read before loading: the bytes are transferred to the engine.
      bytes = sizeOf(files);
      signed = opened.signed ?? null;
      const test = selfTestOf(manifest);
      this.#needed = needsGeneral(manifest);
      const build = buildOf(this.kind, this.#general || this.#needed);
      if (build !== this.build) {
        engine.dispose();
        this.build = build;
        engine = await this.#host.open(build);
      }
      try {
        const opening = await engine.load({ wasm: await wasm(build), manifest, files, gpuJudges });
        if (test) await passTest(engine, test);
        loaded = opening;
      } catch (error) {
        if (!(await bundle.refuse(toIngleError(error, "engine/failed")))) throw error;
      }
    }
    const kept = bundle.accept().catch(() => {});
    this.bundle = { ...loaded.info, bytes, signed };
    // The first answer is slow, on a GPU by seconds: it is made here, before a caller waits for it.
    await ask(engine, await this.#sample(engine));
    // The visit may end soon after this, so the bundle is stored first; but a slow disk is not waited for.
    await Promise.race([kept, pause(KEEPING_MS, undefined)]);
    this.#scorer = loaded.scorer;
    return engine;
  }

  /**
   * The history on which engines are warmed up and timed: the same for every visitor with this bundle. On the shopper's
   * own history the faster engine, and so the next visit's downloads, could depend on the clicks.
   */
  async #sample(engine: EngineClient): Promise<string[]> {
    const popular = await engine.recommend([], { k: SAMPLE, exclude: [], includeSeen: false }, { timeoutMs: LOAD_MS });
    return popular.map(({ item }) => item);
  }

  /** Records a failure and starts the engine once more if that is allowed. */
  async #lose(error: IngleError, thread: "worker" | "main" | undefined): Promise<void> {
    if (this.#disposed) return;
    this.#failures++;
    this.error = error;
    // The page's own thread has a single wasm instance of each build, which is now broken.
    let again = this.#failures < LIVES && thread !== "main" && isEnginesFault(error);
    if (!again && this.#general && !this.#needed) {
      // The small engine can read the bundle as well.
      this.#general = false;
      this.#failures = 0;
      this.build = buildOf(this.kind, false);
      again = true;
    }
    this.#enter({ state: again ? "failed" : "retired", code: error.code, reason: error.message });
    this.#host.onError(error);
    if (!again) return;
    this.revival = this.start().then((alive) => (alive ? this.kind : undefined));
    await this.revival;
  }

  #enter(state: EngineState): void {
    if (this.#disposed) return;
    this.state = state;
    this.#host.onChange();
  }
}

async function ask(engine: EngineClient, history: string[]): Promise<void> {
  await engine.recommend(history, { k: 10, exclude: [], includeSeen: false }, { timeoutMs: LOAD_MS });
}

function sizeOf(files: BundleFiles["files"]): number {
  return [...files.values()].reduce((sum, { length }) => sum + length, 0);
}

/** Whether starting the engine again could help: an invalid bundle or a forbidding policy does not change. */
function isEnginesFault({ code }: IngleError): boolean {
  return code.startsWith("device/") || code === "engine/failed" || code === "engine/timeout";
}
