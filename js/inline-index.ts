/**
 * `ingle` in one file with the CPU engine inside, for hosts and bundlers that cannot serve files beside a
 * module. About 0.6 MB more JavaScript, and no GPU engine.
 */

import type { Recommender } from "./recommender.js";
import { createRecommender as create } from "./shared.js";
import type { RecommenderOptions } from "./types.js";

export type * from "./index.js";
export { IngleError } from "./errors.js";

/** As in `ingle`, with `engine: "cpu"`. */
export function createRecommender(url: string | URL, options: RecommenderOptions = {}): Recommender {
  return create(url, { engine: "cpu", ...options });
}
