/** What an adapter changes for a shopper. */

import type { RankedItem } from "../engine/protocol.js";
import type { Learnt } from "../types.js";

/** Number of the best items that are compared. */
export const SHOWN = 10;

/** Items whose place is better than in `before`, best first. */
export function movedUp(now: readonly RankedItem[], before: readonly RankedItem[]): Learnt["moved"] {
  const places = new Map(before.map(({ item }, at) => [item, at + 1]));
  const moved = now.map(({ item }, at) => ({ item, place: at + 1, before: places.get(item) ?? null }));
  return moved.filter(({ place, before }) => before === null || before > place);
}
