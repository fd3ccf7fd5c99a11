/**
 * The recommenders of a page by the bundle's address: elements take the one that a script of the page has made, so
 * that no second engine is started.
 */

import { folderOf } from "./bundle/address.js";
import { Recommender } from "./recommender.js";
import { onServer } from "./common/server.js";
import type { Consent, RecommenderOptions } from "./types.js";

export interface Shared {
  recommender: Recommender;
  /** The options that it reads, ours to change. */
  options: RecommenderOptions;
  /** What a script last said that the shopper allows. */
  consent: Consent | "ask" | undefined;
}

const shared = new Map<string, Shared[]>();

/**
 * Makes a recommender from the bundle at `url`, a folder on any static host.
 *
 * Returns at once and loads in the background; follow `ready`, `status` and `onProgress`. The package
 * stores nothing on the device until `consent("granted")`. On a server it records nothing and answers with nothing.
 * Elements of the page with the same `src` ask the first one that is made before they need one of their own.
 *
 * @example
 * const recommender = createRecommender("/ingle/", { consent: "granted" });
 * await recommender.record({ item: "sku-123" });
 * const items = await recommender.recommend({ k: 8 });
 */
export function createRecommender(url: string | URL, options: RecommenderOptions = {}): Recommender {
  const own = { ...options };
  const recommender = new Recommender(url, own);
  // One that ends with a signal of its own is no one else's.
  if (onServer() || options.signal) return recommender;
  shared.set(folderOf(url).href, [...living(url), { recommender, options: own, consent: options.consent }]);
  return recommender;
}

/** The recommender that elements with this address share: the first that a script has made, or else one of their own. */
export function sharedRecommender(src: string | URL, consent?: Consent | "ask"): Recommender {
  return living(src)[0]?.recommender ?? createRecommender(src, { ...(consent && { consent }) });
}

/** Those with this address that nobody has disposed of, the oldest first. */
export function living(src: string | URL): Shared[] {
  return (shared.get(folderOf(src).href) ?? []).filter(({ recommender }) => !recommender.disposed);
}
