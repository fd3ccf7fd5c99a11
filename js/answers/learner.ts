/**
 * Learns the bundle's adapter from the shopper's own clicks, while the page is idle.
 *
 * Equal histories teach equal adapters. So it is learnt anew whenever the history has changed, and tabs need not agree on
 * who learns. What is forgotten takes the adapter with it at once: that of the events that are left is learnt after.
 */

import { isId } from "../common/ids.js";
import { deferred, pause, unlessAborted } from "../common/deferred.js";
import type { EngineClient } from "../engine/engine.js";
import type { Learning } from "../engine/learning.js";
import type { HistoryEvent } from "../types.js";

/** How long the history must have been quiet, in milliseconds: the answers to a new click go first. */
const QUIET_MS = 400;

/** An adapter, as it is also stored. */
export interface Adapter {
  /** The hash of the manifest that it belongs to. */
  bundle: string;
  /** The items that it was learnt from, as the model read them. */
  items: string[];
  /** The bias, then the weight of popularity. */
  vector: Float32Array;
}

/** What a learner needs from the core that it belongs to. */
export interface LearnerHost {
  /** The events of now, oldest first, and the items that the model reads of them. */
  read(): Promise<{ events: readonly HistoryEvent[]; items: string[] }>;
  /** Asks the engine that answers, or another if that fails. */
  ask<T>(question: (engine: EngineClient) => Promise<T>): Promise<T>;
  /** What an earlier visit stored. */
  recall(): Promise<unknown>;
  /** Stores what was learnt from these events, if that is consented to; nothing deletes it. */
  keep(adapter: Adapter | undefined, events: readonly HistoryEvent[]): Promise<void>;
  /** Another adapter, or none, is in use. */
  onChange(): void;
}

export class Learner {
  readonly #host: LearnerHost;
  readonly #signal: AbortSignal;
  /** Resolves when what an earlier visit stored has been read. */
  readonly recalled: Promise<void>;
  #adapter: Adapter | undefined;
  /** How often something was forgotten. */
  #forgets = 0;
  /** Whether an engine is there, with a bundle that has something to learn. */
  #begun = false;
  /** What was learnt from, or is about to be. */
  #seen: string | undefined;
  #waiting: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Learning failed on this page, and is not tried again: it must not cost the engine that answers. */
  #failed = false;

  constructor(host: LearnerHost, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
    this.recalled = host.recall().then((found) => {
      if (this.#forgets === 0 && isAdapter(found)) this.#adapter = found;
    }, () => {});
    signal.addEventListener("abort", () => this.#waiting?.abort());
  }

  /** What was learnt for an engine's bundle. */
  of({ learning }: { learning?: Learning | undefined }): Adapter | undefined {
    const { bundle, vector } = this.#adapter ?? {};
    return learning && bundle === learning.bundle && vector?.length === learning.width + 1 ? this.#adapter : undefined;
  }

  /** Number of clicks that the adapter in use was learnt from; 0 if there is none. */
  get clicks(): number {
    return this.#begun ? (this.#adapter?.items.length ?? 0) : 0;
  }

  /** An engine is ready, and has this to learn: what was stored with another bundle goes. */
  async begin(learning: Learning | undefined): Promise<void> {
    await this.recalled;
    this.#begun = learning !== undefined;
    const stored = this.#adapter;
    this.#adapter = this.of({ learning });
    // Nothing to do if these are still the shopper's clicks.
    if (this.#adapter) this.#seen = keyOf(this.#adapter.items);
    else if (stored) await this.#host.keep(undefined, []).catch(() => {});
    this.#host.onChange();
  }

  /** These are the items that the model reads now: learns from them unless it has. */
  see(items: readonly string[]): void {
    const key = keyOf(items);
    if (!this.#begun || key === this.#seen) return;
    this.#seen = key;
    this.#wake();
  }

  /** Something was forgotten. */
  forget(): void {
    this.#forgets++;
    this.#seen = undefined;
    const had = this.#adapter !== undefined;
    this.#adapter = undefined;
    if (had) this.#host.onChange();
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.abort();
    if (!this.#begun || this.#failed || this.#signal.aborted) return;
    const { signal } = (this.#waiting = new AbortController());
    idle(signal).then(() => (this.#running = this.#running.then(() => this.#learn()))).catch(() => {});
  }

  async #learn(): Promise<void> {
    if (this.#signal.aborted || this.#failed) return;
    const forgets = this.#forgets;
    const { events, items } = await this.#host.read();
    this.#seen = keyOf(items);
    let learning: Learning | undefined;
    let attempts = 0;
    let vector: Float32Array | undefined;
    try {
      await this.#host.ask(async (engine) => {
        // An engine that has failed is not asked a second time: two failures would retire it.
        if (attempts++ > 0) return;
        ({ learning } = engine);
        if (learning && items.length >= learning.clicks) vector = await engine.adapt(items, this.of(engine)?.vector);
      });
    } catch {
      attempts = 2;
    }
    // What was learnt stays in use if learning fails.
    if (attempts > 1) return void (this.#failed = true);
    // What was forgotten meanwhile must not come back.
    if (forgets !== this.#forgets || this.#signal.aborted) return;
    const before = this.#adapter;
    this.#adapter = learning && vector?.length ? { bundle: learning.bundle, items, vector } : undefined;
    await this.#host.keep(this.#adapter, events).catch(() => {});
    if (before !== this.#adapter) this.#host.onChange();
  }
}

/** Whether a stored record is an adapter. */
export function isAdapter(value: unknown): value is Adapter {
  if (typeof value !== "object" || value === null) return false;
  const { bundle, items, vector } = value as Record<keyof Adapter, unknown>;
  return typeof bundle === "string" && Array.isArray(items) && items.every(isId) && vector instanceof Float32Array && vector.every(Number.isFinite);
}

function keyOf(items: readonly string[]): string {
  return JSON.stringify(items);
}

/** Resolves when the page is shown, has been quiet for a while and has nothing else to do. */
async function idle(signal: AbortSignal): Promise<void> {
  await pause(QUIET_MS, signal);
  if (typeof document === "undefined") return;
  const visible = deferred<void>();
  const look = (): void => void (document.visibilityState === "visible" && visible.resolve());
  document.addEventListener("visibilitychange", look);
  look();
  await unlessAborted(visible.promise, signal).finally(() => document.removeEventListener("visibilitychange", look));
  // Safari has no such callback.
  if (typeof requestIdleCallback === "undefined") return;
  await unlessAborted(new Promise((resolve) => requestIdleCallback(resolve)), signal);
}
