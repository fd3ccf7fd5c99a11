/**
 * The recommender of a plain script: one that Turbo, htmx or a router runs again is handed the one it made before, and
 * no second engine is started.
 */

import type { Recommender } from "./recommender.js";
import { onServer } from "./common/server.js";
import { createRecommender, living } from "./shared.js";
import type { RecommenderOptions } from "./types.js";

/** The recommender that was made with this address and these options, or a new one. */
export function samePageRecommender(src: string | URL, options: RecommenderOptions = {}): Recommender {
  const { consent, signal, offers, scenarios } = options;
  // One that ends with a signal of its own is no one else's.
  const one = onServer() || signal ? undefined : living(src).find((shared) => lasting(shared.options) === lasting(options));
  if (!one) return createRecommender(src, options);
  Object.assign(one.options, offers && { offers }, scenarios && { scenarios });
  // The shop has news of what is allowed; said again, it would undo what the shopper chose since.
  if (consent !== undefined && consent !== "ask" && consent !== one.consent) void one.recommender.consent((one.consent = consent)).catch(() => {});
  return one.recommender;
}

/** Options without those that later calls change; functions of the same words are the same. */
function lasting({ consent: _, offers: __, scenarios: ___, onProgress: ____, ...options }: RecommenderOptions): string {
  return JSON.stringify(options, (_, value: unknown) => (typeof value === "function" ? String(value) : value));
}
