/** What the model made of each event, in words and weights. */

import type { Sequence } from "./sequence.js";
import type { JudgedClick } from "../engine/protocol.js";
import type { Explanation, HistoryEvent, Verdict } from "../types.js";

/** Below this the model has set a click aside: less than half of it counts. */
const ASIDE = 0.5;
/** From here on a click counts as good as fully. */
const FULL = 0.9;

/** The verdict on each event; `sequence` is of the last of them, and `judged` has its entries. */
export function explanations(events: readonly HistoryEvent[], { places, weights }: Sequence, judged: JudgedClick[]): Explanation[] {
  const older = events.length - places.length;
  return events.map((event, n) => {
    const place = n < older ? -1 : (places[n - older] ?? -1);
    const { item: _, ...verdict } = judged[place] ?? { item: event.item, known: false, noise: 0, keep: 0 };
    return { ...event, ...verdict, weight: verdict.keep * (weights[place] ?? 0), verdict: wordFor(verdict) };
  });
}

function wordFor({ known, keep }: Pick<JudgedClick, "known" | "keep">): Verdict {
  if (!known) return "unknown";
  if (keep < ASIDE) return "ignored";
  return keep < FULL ? "less" : "kept";
}
