/** Fallbacks: answers without an engine. */

import type { Candidate } from "./answer.js";
import { poolOf, type Query } from "./query.js";
import type { HistoryEvent } from "../types.js";

/** Popular items if the bundle could be read, else the items of `recent`, latest first. */
export function fallBack(
  popular: { item: string; share: number }[] | undefined,
  recent: readonly HistoryEvent[],
  query: Query,
  includeSeen: boolean,
  shown: (item: string) => number,
  seen: readonly HistoryEvent[],
): Candidate[] {
  if (!popular) return recentItems(recent, query);
  const barred = new Set(query.exclude);
  if (!includeSeen) for (const { item } of seen) barred.add(item);
  const wanted = popular.filter(({ item }) => !barred.has(item) && query.allows(item));
  const worth = ({ item, share }: (typeof popular)[number]): number => share * query.factor(item) * shown(item);
  const ranked = wanted.map((one) => ({ ...one, worth: worth(one) })).sort((a, b) => b.worth - a.worth);
  return ranked.slice(0, poolOf(query)).map(({ item, share }) => ({ item, score: share, source: "popular", reason: { kind: "popular" } }));
}

/** The items of a history, each once, latest first. */
export function recentItems(events: readonly HistoryEvent[], query: Query): Candidate[] {
  const latest = [...new Set(events.map(({ item }) => item).reverse())];
  const wanted = latest.filter((item) => !query.exclude.has(item) && query.allows(item)).slice(0, poolOf(query));
  return wanted.map((item, place) => ({ item, score: 1 / (place + 1), source: "recent", reason: { kind: "recent" } }));
}
