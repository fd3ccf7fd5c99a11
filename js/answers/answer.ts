/** From ranked items to an answer: diversified, with pins at their places, and marked for attribution. */

import { mark } from "../common/given.js";
import type { Query } from "./query.js";
import type { Recommendation } from "../types.js";

/** An item before its place in the answer is known. */
export type Candidate = Omit<Recommendation, "attribution">;

/** Input of an answer: ranked candidates, best first, and the similarity of two items. */
export interface Ranked {
  candidates: Candidate[];
  /** The cosines of the candidates with one of them, by item; `undefined` if no engine can compute them. */
  similarity(item: string): Promise<Map<string, number> | undefined>;
}

/** Chooses `k` of the candidates and gives each its place. */
export async function compose(query: Query, { candidates, similarity }: Ranked): Promise<Recommendation[]> {
  const { k, minScore, diversity, scenario } = query;
  const pins = query.pins.filter(({ item }) => !query.exclude.has(item) && query.allows(item));
  const pinned = new Set(pins.map(({ item }) => item));
  const free = candidates.filter(({ item, score }) => score >= minScore && !pinned.has(item));
  const wanted = Math.max(0, k - pinned.size);
  const chosen = diversity > 0 ? await vary(free, wanted, diversity, similarity) : free.slice(0, wanted);
  const known = new Map(candidates.map((candidate) => [candidate.item, candidate]));
  const { source } = candidates[0] ?? { source: "popular" as const };
  for (const { item, place } of [...pins].sort((a, b) => a.place - b.place)) {
    if (chosen.some((one) => one.item === item)) continue;
    const candidate: Candidate = { item, score: known.get(item)?.score ?? 0, source, reason: { kind: "pinned" } };
    chosen.splice(Math.min(place, chosen.length), 0, candidate);
  }
  const answer = mark();
  return chosen.slice(0, k).map((candidate, place) => ({ ...candidate, attribution: `${scenario}.${answer}.${place}` }));
}

/**
 * Maximal marginal relevance (Carbonell and Goldstein, 1998): each next item has the highest weighted difference of its score,
 * scaled to a maximum of 1, and its largest similarity to an item already chosen.
 */
async function vary(free: Candidate[], k: number, diversity: number, similarity: Ranked["similarity"]): Promise<Candidate[]> {
  const best = free[0]?.score || 1;
  const left = free.map((candidate) => ({ candidate, worth: candidate.score / best, alike: 0 }));
  const chosen: Candidate[] = [];
  while (chosen.length < k && left.length > 0) {
    const marginal = ({ worth, alike }: (typeof left)[number]): number => (1 - diversity) * worth - diversity * alike;
    let at = 0;
    for (let n = 1; n < left.length; n++) if (marginal(left[n]!) > marginal(left[at]!)) at = n;
    const [next] = left.splice(at, 1);
    if (!next) break;
    chosen.push(next.candidate);
    const like = chosen.length < k ? await similarity(next.candidate.item) : undefined;
    for (const other of left) other.alike = Math.max(other.alike, like?.get(other.candidate.item) ?? 0);
  }
  return chosen;
}

/** How often a scenario has shown each item on this page, and the factor by which that lowers the item. */
export class Rotation {
  readonly #shown = new Map<string, Map<string, number>>();

  /** The factor on an item's probability; it falls each time the item was shown. */
  factor({ scenario, rotate }: Query): (item: string) => number {
    const times = this.#shown.get(scenario);
    if (rotate === 0 || !times) return () => 1;
    // With `rotate` 1 a shown item is almost excluded; its logarithm must stay finite.
    const kept = Math.max(1e-6, 1 - rotate);
    return (item) => Math.max(1e-12, kept ** (times.get(item) ?? 0));
  }

  show({ scenario, rotate }: Query, answer: Recommendation[]): void {
    if (rotate === 0) return;
    const times = this.#shown.get(scenario) ?? new Map<string, number>();
    this.#shown.set(scenario, times);
    for (const { item } of answer) times.set(item, (times.get(item) ?? 0) + 1);
  }

  /** Whether any item of this scenario is lowered. */
  matters({ scenario, rotate }: Query): boolean {
    return rotate > 0 && this.#shown.has(scenario);
  }

  forget(): void {
    this.#shown.clear();
  }
}
