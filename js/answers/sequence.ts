/** From a history to the sequence of items and weights that the model reads. */

import { IngleError } from "../errors.js";
import type { HistoryEvent, WeightOptions } from "../types.js";

/** Weights of events, with all options set. */
export interface Weighing {
  types: ReadonlyMap<string, number>;
  bounceMs: number;
  bounceWeight: number;
}

const TYPES: [string, number][] = Object.entries({ view: 0.8, click: 0.6, cart: 1, purchase: 1 });
/** Weight of event types that are not known. */
const OTHER = 0.8;

export function checkWeights({ types = {}, bounceMs = 2_000, bounceWeight = 0.25 }: WeightOptions = {}): Weighing {
  const given = Object.entries(types) as [string, number][];
  for (const [type, weight] of given) {
    if (!(weight !== undefined && Number.isFinite(weight) && weight >= 0)) throw new IngleError("input/options", `weights.types.${type} is 0 or more, not ${String(weight)}.`);
  }
  if (!(bounceMs >= 0)) throw new IngleError("input/options", `weights.bounceMs is a time of 0 or more, not ${bounceMs}.`);
  if (!(bounceWeight >= 0 && bounceWeight <= 1)) throw new IngleError("input/options", `weights.bounceWeight is 0 to 1, not ${bounceWeight}.`);
  return { types: new Map([...TYPES, ...given]), bounceMs, bounceWeight };
}

/** What the model reads of a history. */
export interface Sequence {
  items: string[];
  /** By item, 0 to 1: relative to the strongest event of the history. */
  weights: number[];
  /** By event of the history, its index in `items`; -1 if the model does not read it. */
  places: Int32Array;
}

/**
 * Events as a sequence. Consecutive events on one item (click, view, cart) are one entry with the largest weight; a
 * later view after a view is a new entry, as in the logs that models are trained on. `remove` undoes the `cart` before
 * it and is no entry itself.
 */
export function sequence(events: readonly HistoryEvent[], weighing: Weighing): Sequence {
  const places = new Int32Array(events.length).fill(-1);
  const strengths = strengthsOf(events, weighing);
  const items: string[] = [];
  const weights: number[] = [];
  let before = "";
  events.forEach(({ item, type }, n) => {
    const strength = strengths[n] ?? 0;
    if (strength <= 0) return;
    const again = type === "view" && before === "view";
    before = type;
    if (items.at(-1) !== item || again) {
      items.push(item);
      weights.push(strength);
    } else weights[weights.length - 1] = Math.max(strength, weights[weights.length - 1] ?? 0);
    places[n] = items.length - 1;
  });
  const most = weights.reduce((a, b) => Math.max(a, b), 0);
  return { items, weights: most > 0 ? weights.map((weight) => weight / most) : weights, places };
}

function strengthsOf(events: readonly HistoryEvent[], { types, bounceMs, bounceWeight }: Weighing): number[] {
  /** The entries at which each item was put into the basket and not yet taken out. */
  const carts = new Map<string, number[]>();
  const strengths: number[] = [];
  for (const [n, { item, type, dwell }] of events.entries()) {
    const bounced = type === "view" && dwell !== undefined && dwell < bounceMs;
    strengths.push(type === "remove" ? 0 : (types.get(type) ?? OTHER) * (bounced ? bounceWeight : 1));
    if (type === "cart") carts.set(item, [...(carts.get(item) ?? []), n]);
    const undone = type === "remove" ? carts.get(item)?.pop() : undefined;
    if (undone !== undefined) strengths[undone] = 0;
  }
  return strengths;
}
