/**
 * Chooses the engine that answers: starts both, times them, keeps the faster one, and changes to the other if one
 * fails.
 *
 * Each is the small build, or the general one for bundles that need it and if it was asked for. The CPU engine is
 * always started. The GPU engine is checked before it is downloaded, gets a second start when it
 * fails, and is not used after a second failure.
 */

import type { BundleSource } from "../bundle/bundle.js";
import { unlessAborted } from "../common/deferred.js";
import type { EngineClient } from "./engine.js";
import { IngleError, isCallersFault, toIngleError } from "../errors.js";
import type { GpuVerdict } from "./gpu.js";
import { EngineSlot } from "./slot.js";
import type { BundleInfo, EngineBuild, EngineKind } from "../types.js";
import type { Verdicts } from "./verdict.js";

/** What the engines need from the rest of the package; tests replace it. */
export interface EnginesHost {
  /** What to compute on. */
  choice: "auto" | EngineKind;
  /** Whether the general engine was asked for; it is used in any case if the bundle needs it. */
  general: boolean;
  /** Whether the GPU judges clicks, if it can. */
  gpuJudges: boolean;
  open(build: EngineBuild): Promise<EngineClient>;
  wasm(build: EngineBuild): Promise<string | BufferSource | WebAssembly.Module>;
  bundle: Pick<BundleSource, "open" | "accept" | "refuse">;
  checkGpu(choice: "auto" | EngineKind): Promise<GpuVerdict>;
  verdicts: Verdicts;
  onChange(): void;
  onError(error: IngleError): void;
  signal: AbortSignal;
}

export class Engines {
  readonly cpu: EngineSlot;
  readonly gpu: EngineSlot;
  readonly #host: EnginesHost;
  /** Resolves when calls can be answered, or when it is clear that no engine can. */
  readonly #settled: Promise<void>;
  /** Whether the GPU engine was found to be faster, or was requested by name. */
  #preferGpu = false;

  constructor(host: EnginesHost) {
    this.#host = host;
    this.cpu = new EngineSlot("cpu", host);
    this.gpu = new EngineSlot("gpu", host);
    this.#settled = this.#start();
    this.#settled.catch(() => {});
  }

  /** The bundle's description, once an engine has opened it. */
  get bundle(): BundleInfo | null {
    return this.cpu.bundle ?? this.gpu.bundle;
  }

  /** The engine that would answer now. */
  get active(): EngineKind | null {
    return this.#order()[0]?.kind ?? null;
  }

  /** Resolves with the first engine that can answer; rejects with the reason if none can. */
  async ready(signal?: AbortSignal): Promise<EngineKind> {
    await unlessAborted(this.#settled, signal);
    const active = this.active;
    if (active === null) throw this.#whyNone;
    return active;
  }

  /** Asks the best engine, and the other one if that fails during the question. */
  async ask<T>(question: (engine: EngineClient) => Promise<T>, signal?: AbortSignal): Promise<{ by: EngineKind; answer: T }> {
    await unlessAborted(this.#settled, signal);
    const first = await this.#askEach(this.#order(), question, signal);
    if ("answer" in first) return first;
    // The failed engine may have been started again; it gets the same question once more.
    const revived = await unlessAborted(Promise.all([this.cpu.revival, this.gpu.revival]), signal);
    const second = await this.#askEach(this.#order().filter(({ kind }) => revived.includes(kind)), question, signal);
    if ("answer" in second) return second;
    throw second.error ?? first.error ?? this.#whyNone;
  }

  get #whyNone(): IngleError {
    return this.cpu.error ?? this.gpu.error ?? new IngleError("engine/unavailable", "No engine can answer.");
  }

  dispose(): void {
    this.cpu.dispose();
    this.gpu.dispose();
  }

  async #askEach<T>(slots: EngineSlot[], question: (engine: EngineClient) => Promise<T>, signal: AbortSignal | undefined): Promise<Answer<T>> {
    let error: IngleError | undefined;
    for (const slot of slots) {
      const { engine } = slot;
      if (!engine) continue;
      try {
        return { by: slot.kind, answer: await question(engine) };
      } catch (cause) {
        if (signal?.aborted || isCallersFault(cause)) throw cause;
        error = toIngleError(cause, "engine/failed");
        slot.fail(engine, error);
      }
    }
    return { error };
  }

  async #start(): Promise<void> {
    const startGpu = () => this.#startGpu().catch((error: unknown) => this.#host.onError(toIngleError(error, "engine/failed")));
    const cpu = this.cpu.start();
    if (this.#host.choice === "gpu") {
      // If the GPU is requested by name it also gets the first question, and the CPU engine is used only if it
      // fails.
      await startGpu();
      if (!this.gpu.engine) await cpu;
      return;
    }
    const haveCpu = await cpu;
    const gpu = startGpu();
    // It is waited for only if there is no other engine.
    if (!haveCpu) await gpu;
  }

  async #startGpu(): Promise<void> {
    const { choice, checkGpu, verdicts, onChange } = this.#host;
    const verdict = await checkGpu(choice);
    if (!verdict.usable) return this.gpu.refuse(verdict);
    const { error } = this.cpu;
    // An error of the bundle or the page would occur in every engine, and this one is a large download.
    if (error && isEveryonesFault(error)) return this.gpu.refuse({ usable: false, state: "refused", code: error.code, reason: error.message });
    const known = choice === "auto" && this.cpu.engine ? await verdicts.recall(this.#timedOn(verdict.gpu)) : undefined;
    if (known === "cpu") {
      const reason = "When both were last timed on this device and with this catalogue, the CPU was faster.";
      return this.gpu.refuse({ usable: false, state: "refused", code: "gpu/slower", reason });
    }
    this.#preferGpu = choice === "gpu" || known === "gpu";
    if (!(await this.gpu.start()) || this.#preferGpu || !this.cpu.engine) return;
    // Both are timed on this device and this catalogue, never on the shopper's history; a slower GPU engine is
    // stopped.
    const cpuMs = await this.cpu.time();
    this.#preferGpu = (await this.gpu.time()) < cpuMs;
    if (!this.#preferGpu) this.gpu.letGo();
    onChange();
    await verdicts.keep(this.#timedOn(verdict.gpu), this.#preferGpu ? "gpu" : "cpu");
  }

  /** The GPU by its name, and the builds if they are the general ones: their times differ. */
  #timedOn(gpu: string): string {
    return this.cpu.build === "cpu" ? gpu : `${gpu} ${this.cpu.build}`;
  }

  /** Engines that can be asked, best first. */
  #order(): EngineSlot[] {
    const order = this.#preferGpu ? [this.gpu, this.cpu] : [this.cpu, this.gpu];
    return order.filter(({ engine }) => engine !== undefined);
  }
}

type Answer<T> = { by: EngineKind; answer: T } | { error: IngleError | undefined };

function isEveryonesFault({ code }: IngleError): boolean {
  return /^(bundle|delivery|backbone|method|model)\//.test(code) || code === "engine/blocked" || code === "engine/simd";
}
