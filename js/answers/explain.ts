/** The verdict on each event, with its weights. */

import type { Sequence } from "./sequence.js";
import type { JudgedClick } from "../engine/protocol.js";
import type { Explanation, HistoryEvent, Verdict } from "../types.js";

/** Below this weight a click is called ignored. */
const ASIDE = 0.5;
/** From this weight on a click is called kept. */
const FULL = 0.9;

/** The verdict on each event; `sequence` is that of the latest events, and `judged` has its entries. */
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
