/** Puts a list in order within its own places. */

/**
 * Sorts the items that have a score, best first, into the places in which the list has such items; the others keep
 * theirs. Items with equal scores keep their order.
 */
export function sortInPlace(items: readonly string[], scores: ReadonlyMap<string, number>): string[] {
  const places = [...items.keys()].filter((place) => scores.has(items[place]!));
  const best = [...places].sort((a, b) => scores.get(items[b]!)! - scores.get(items[a]!)!);
  const sorted = [...items];
  for (const [n, place] of places.entries()) sorted[place] = items[best[n]!]!;
  return sorted;
}
