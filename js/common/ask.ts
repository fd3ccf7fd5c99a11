/** A question of any kind, as the elements and the framework wrappers ask it. */

import type { Recommender } from "../recommender.js";
import { given } from "./given.js";
import { oneOrMore } from "./ids.js";
import type { ItemId, Recommendation, RecommendOptions } from "../types.js";

/** Which recommendations: the recommender's methods, by name. */
export type QuestionKind = "personal" | "similar" | "complete" | "recent" | "popular" | "rank";

/** A question with its options. */
export interface Question extends RecommendOptions {
  /** Default `personal`. */
  kind?: QuestionKind;
  /** The items that `similar` and `complete` are about, and the list that `rank` puts in order. */
  items?: ItemId | Iterable<ItemId>;
}

export function ask(recommender: Recommender, { kind = "personal", items = [], ...options }: Question): Promise<Recommendation[]> {
  switch (kind) {
    case "personal":
      return recommender.recommend(options);
    case "similar":
      return recommender.similar(items, options);
    case "complete":
      return recommender.complete(items, options);
    case "recent":
      return recommender.recentlyViewed(options);
    case "popular":
      return recommender.popular(options);
    case "rank":
      return recommender.rank(items, options);
  }
}

/** What stands there until a question is answered: a list as it is, which is there on a server too. */
export function meanwhile({ kind, items = [], ...options }: Question): Recommendation[] {
  if (kind !== "rank") return [];
  try {
    return given(oneOrMore(items, "rank"), options, "given");
  } catch {
    // What is no list the answer tells.
    return [];
  }
}

/** Whether answers to a question can change when the history does. */
export function followsHistory({ kind = "personal" }: Question): boolean {
  return kind === "personal" || kind === "recent" || kind === "rank";
}
