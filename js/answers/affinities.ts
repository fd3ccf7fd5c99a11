/** What a shopper's clicks have in common, by the shop's own grouping of its items. */

import { IngleError } from "../errors.js";
import type { Affinity, Grouping } from "../types.js";

/** The groups of these items, weighted; an item in several groups counts for each with its part. Oldest item first. */
export function affinities(items: readonly string[], weights: readonly number[], of: Grouping): Affinity[] {
  const groups = new Map<string, { weight: number; items: Set<string> }>();
  let all = 0;
  for (let n = items.length - 1; n >= 0; n--) {
    const [item, weight] = [items[n]!, weights[n] ?? 0];
    if (weight <= 0) continue;
    const values = valuesOf(item, of);
    for (const value of values) {
      const group = groups.get(value) ?? { weight: 0, items: new Set() };
      groups.set(value, group);
      group.weight += weight / values.size;
      group.items.add(item);
    }
    if (values.size > 0) all += weight;
  }
  const shares = [...groups].map(([value, group]) => ({ value, share: group.weight / all, items: [...group.items] }));
  // The sort is stable: of equal ones the latest comes first.
  return shares.sort((a, b) => b.share - a.share);
}

function valuesOf(item: string, of: Grouping): Set<string> {
  const given: unknown = of(item);
  if (given === null || given === undefined) return new Set();
  const values = new Set<unknown>(typeof given === "object" && Symbol.iterator in given ? (given as Iterable<unknown>) : [given]);
  for (const value of values) {
    if (typeof value !== "string" || value === "") throw new IngleError("input/options", `affinities takes a function that gives a word, a list of words or nothing for an item, not ${value === "" ? "an empty word" : String(value)}.`);
  }
  return values as Set<string>;
}
