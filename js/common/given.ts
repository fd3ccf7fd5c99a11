/** A list as the shop gave it: what `rank` answers where nothing can put it in order. */

import type { RankOptions, Recommendation } from "../types.js";

export function given(items: readonly string[], { k = items.length, scenario = "default" }: RankOptions, answer = mark()): Recommendation[] {
  const each = (item: string, place: number): Recommendation => ({ item, score: 0, source: "given", reason: { kind: "given" }, attribution: `${scenario}.${answer}.${place}` });
  return items.slice(0, k).map(each);
}

/** Ten random characters, new for every answer, so that they cannot identify a shopper. */
export function mark(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join("");
}
