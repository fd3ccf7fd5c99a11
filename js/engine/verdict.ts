/**
 * Which engine was faster on this device with this bundle.
 *
 * Timing both engines requires a download that may be discarded at once. So it is done once, and again if the GPU, the
 * browser or the bundle changes. The verdict is on the device only while that is consented to, as the bundle's files
 * are. GPU and browser are stored as a hash, so that their names cannot be read there.
 */

import type { BundleSource } from "../bundle/bundle.js";
import { sha256 } from "../bundle/hash.js";
import type { EngineKind } from "../types.js";
import type { VerdictStore } from "./verdict-store.js";

interface Kept {
  /** The hash of the GPU, browser and bundle. */
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
      // An unreadable verdict is ignored: both are timed again.
      return undefined;
    }
  }

  async keep(gpu: string, faster: EngineKind): Promise<void> {
    const on = await this.#on(gpu);
    // Without a hash the page is not secure, so it has neither a GPU nor a cache.
    if (on === undefined) return;
    const kept: Kept = { on, faster };
    await this.#store.put(this.#bundle.base.href, JSON.stringify(kept));
  }

  async #on(gpu: string): Promise<string | undefined> {
    const browser = typeof navigator === "undefined" ? "" : navigator.userAgent;
    return sha256(new TextEncoder().encode([gpu, browser, new TextDecoder().decode(await this.#bundle.manifest())].join("\n")));
  }
}
