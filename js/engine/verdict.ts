/**
 * Which engine was the faster one on this device and with this bundle.
 *
 * Timing both costs the download of an engine that may be let go at once, so it is done once: again when the GPU,
 * the browser or the bundle is another one. Like the bundle's files it lies on the device only while that is consented to. What
 * it was found on is kept as a hash: the names of GPU and browser are nobody's to read there.
 */

import type { BundleSource } from "../bundle/bundle.js";
import { sha256 } from "../bundle/hash.js";
import type { EngineKind } from "../types.js";
import type { VerdictStore } from "./verdict-store.js";

interface Kept {
  /** The hash of what it was found on. */
  on: string;
  faster: EngineKind;
}

export interface Verdicts {
  /** The faster engine with this GPU, if both have been timed. */
  recall(gpu: string): Promise<EngineKind | undefined>;
  keep(gpu: string, faster: EngineKind): Promise<void>;
}

export class BundleVerdicts implements Verdicts {
  readonly #bundle: Pick<BundleSource, "base" | "manifest">;
  readonly #store: VerdictStore;

  constructor(bundle: Pick<BundleSource, "base" | "manifest">, store: VerdictStore) {
    this.#bundle = bundle;
    this.#store = store;
  }

  async recall(gpu: string): Promise<EngineKind | undefined> {
    const text = await this.#store.get(this.#bundle.base.href);
    if (text === undefined) return undefined;
    try {
      const { on, faster } = JSON.parse(text) as Kept;
      return on !== undefined && on === (await this.#on(gpu)) && (faster === "cpu" || faster === "gpu") ? faster : undefined;
    } catch {
      // Whatever lies there is not ours: both are timed again.
      return undefined;
    }
  }

  async keep(gpu: string, faster: EngineKind): Promise<void> {
    const on = await this.#on(gpu);
    // Without a hash there is no secure page either, and neither a GPU nor a cache.
    if (on === undefined) return;
    const kept: Kept = { on, faster };
    await this.#store.put(this.#bundle.base.href, JSON.stringify(kept));
  }

  async #on(gpu: string): Promise<string | undefined> {
    const browser = typeof navigator === "undefined" ? "" : navigator.userAgent;
    return sha256(new TextEncoder().encode([gpu, browser, new TextDecoder().decode(await this.#bundle.manifest())].join("\n")));
  }
}
