/**
 * The recommenders of a page that elements and scripts share by the bundle's address: a script that Turbo, htmx or a
 * router runs again is handed the one it made before, and no second engine is started.
 */

import { folderOf } from "./address.js";
import { createRecommender, type Recommender } from "./recommender.js";
import { onServer } from "./server.js";
import type { Consent, RecommenderOptions } from "./types.js";

interface Shared {
  recommender: Recommender;
  /** The options that it reads, ours to change. */
  options: RecommenderOptions;
  /** Those of them that cannot be changed later. */
  made: string;
  /** What the script last said that the shopper allows. */
  consent: Consent | "ask" | undefined;
}

const shared = new Map<string, Shared[]>();

/** The recommender that elements with this address share; made at the first call, unless a script has made one. */
export function sharedRecommender(src: string | URL, consent?: Consent | "ask"): Recommender {
  return living(src)[0]?.recommender ?? add(src, { ...(consent && { consent }) });
}

/** The recommender that was made with this address and these options, or a new one. */
export function samePageRecommender(src: string | URL, options: RecommenderOptions = {}): Recommender {
  const { consent, signal } = options;
  // One that ends with a signal of its own is no one else's.
  if (onServer() || signal) return createRecommender(src, options);
  const one = living(src).find(({ made }) => made === lasting(options));
  if (!one) return add(src, options);
  const { offers, scenarios } = options;
  Object.assign(one.options, offers && { offers }, scenarios && { scenarios });
  // The shop has news of what is allowed; said again, it would undo what the shopper chose since.
  if (consent !== undefined && consent !== "ask" && consent !== one.consent) void one.recommender.consent((one.consent = consent)).catch(() => {});
  return one.recommender;
}

function living(src: string | URL): Shared[] {
  return (shared.get(folderOf(src).href) ?? []).filter(({ recommender }) => !recommender.disposed);
}

function add(src: string | URL, given: RecommenderOptions): Recommender {
  const options = { ...given };
  const recommender = createRecommender(src, options);
  shared.set(folderOf(src).href, [...living(src), { recommender, options, made: lasting(options), consent: options.consent }]);
  return recommender;
}

/** Options without those that later calls change; functions of the same words are the same. */
function lasting({ consent: _, offers: __, scenarios: ___, onProgress: ____, ...options }: RecommenderOptions): string {
  return JSON.stringify(options, (_, value: unknown) => (typeof value === "function" ? String(value) : value));
}
