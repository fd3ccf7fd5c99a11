/**
 * On a server, which renders pages for many shoppers, a recommender stores nothing, requests nothing and answers with
 * nothing; a list is as it was given.
 */

import type { Core } from "../answers/core.js";
import { IngleError } from "../errors.js";
import type { RankOptions, Recommendation } from "../types.js";
import { given } from "./given.js";

/** Pages have a document, and workers in a browser an address; Node, Deno, Bun and edge servers have neither. */
export function onServer(): boolean {
  return typeof document === "undefined" && !("WorkerGlobalScope" in globalThis && typeof location !== "undefined");
}

/** Replaces the bundle and the engines on a server. */
export function noCore(): Core {
  const nothing = async (): Promise<never[]> => [];
  const off = { state: { state: "off" } };
  const ready = async (): Promise<never> => {
    throw new IngleError("engine/server", WHY);
  };
  const core = {
    rung: { rung: "recent", why: WHY },
    engines: { active: null, bundle: null, cpu: off, gpu: off, ready },
    bundle: { cache: { settle: async () => {} } },
    rank: async (items: string[], options: RankOptions): Promise<Recommendation[]> => given(items, options),
    ...{ recommend: nothing, similar: nothing, complete: nothing, popular: nothing, recentlyViewed: nothing, explain: nothing, affinities: nothing },
    explainLearnt: async () => null,
    changed() {},
    forget() {},
    dispose() {},
  };
  return core as unknown as Core;
}

const WHY = "On a server nothing is recorded and nothing is recommended: the page does both.";
