/**
 * A question's options, checked, and converted for an engine: a byte and a number for each item of the catalogue, so
 * that filters, stock, price and boosts apply before the best items are chosen.
 */

import { IngleError } from "../errors.js";
import { byId, idOf, idsOf } from "../common/ids.js";
import type { Boost, ItemId, Offers, Pin, QueryOptions, RankOptions } from "../types.js";

/** Factors are clamped to this range, so that their logarithms are finite. */
const [LEAST, MOST] = [1e-9, 1e9];
/** The pool of candidates for a diversified answer, in multiples of the answer's length. */
const POOL = 5;

/** A question with all options set. */
export interface Query {
  k: number;
  scenario: string;
  exclude: Set<string>;
  pins: { item: string; place: number }[];
  diversity: number;
  minScore: number;
  rotate: number;
  signal: AbortSignal | undefined;
  /** Whether every item is allowed and none is boosted: then no list of items is needed. */
  plain: boolean;
  allows(item: string): boolean;
  factor(item: string): number;
}

/** Checks options; those of the call override those of its scenario. */
export function checkQuery(call: QueryOptions, scenarios: Record<string, QueryOptions>, offers: Offers | undefined): Query {
  const { scenario = "default" } = call;
  if (typeof scenario !== "string") throw refused(`scenario is a name, not ${String(scenario)}.`);
  const given: QueryOptions = { ...(Object.hasOwn(scenarios, scenario) ? scenarios[scenario] : {}), ...call };
  const { k = 10, exclude = [], signal } = given;
  if (!Number.isSafeInteger(k) || k < 0) throw refused(`k is a count, not ${String(k)}.`);
  const lookUp = given.offers ?? offers;
  return {
    k,
    scenario,
    exclude: new Set(idsOf(exclude, "exclude")),
    pins: placed(given.pin ?? []),
    diversity: share(given.diversity, "diversity"),
    minScore: share(given.minScore, "minScore"),
    rotate: share(given.rotate, "rotate"),
    signal,
    plain: !given.filter && !given.boost && !lookUp && !given.price,
    allows: both(membership(given.filter), onOffer(lookUp, given.price)),
    factor: factorOf(given.boost),
  };
}

/** What `rank` takes; all other options would add something to the list or leave something out. */
const OF_RANK = new Set(["k", "scenario", "boost", "signal"]);

/** Checks the options of `rank` for a list; of a scenario's own options only `boost` counts. */
export function checkRank(items: readonly string[], call: RankOptions, scenarios: Record<string, QueryOptions>): Query {
  const other = Object.entries(call).find(([name, value]) => value !== undefined && !OF_RANK.has(name));
  if (other) throw refused(`rank adds nothing to the list and leaves nothing out, so it does not take ${other[0]}: change the list itself.`);
  const { scenario = "default", k = items.length } = call;
  const own = Object.hasOwn(scenarios, scenario) ? scenarios[scenario]?.boost : undefined;
  const boost = call.boost ?? own;
  const listed = new Set(items);
  return { ...checkQuery({ ...call, k, ...(boost !== undefined && { boost }) }, {}, undefined), plain: false, allows: (item) => listed.has(item) };
}

/** Converts functions to arrays for an engine; `items` is the catalogue, in its order. */
export function asArrays(query: Query, items: readonly string[], shown: (item: string) => number): { allow: Uint8Array; boost: Float32Array } {
  const allow = new Uint8Array(items.length);
  const boost = new Float32Array(items.length);
  for (const [row, item] of items.entries()) {
    allow[row] = query.allows(item) ? 1 : 0;
    if (allow[row]) boost[row] = Math.log(query.factor(item) * shown(item));
  }
  return { allow, boost };
}

/** Number of items to ask for, so that there are enough to diversify. */
export function poolOf({ k, diversity, pins }: Query): number {
  return (diversity > 0 ? k * POOL : k) + pins.length;
}

function placed(pins: Iterable<Pin>): { item: string; place: number }[] {
  if (typeof pins === "string" || typeof pins?.[Symbol.iterator] !== "function") throw refused("pin takes a list of item ids, or of { item, place }.");
  return Array.from(pins, (pin, n) => {
    if (typeof pin !== "object" || pin === null) return { item: idOf(pin, "pin"), place: n };
    const { item, place } = pin;
    if (!Number.isSafeInteger(place) || place < 0) throw refused("pin takes item ids, or { item, place } with places from 0.");
    return { item: idOf(item, "pin"), place };
  });
}

function membership(filter: QueryOptions["filter"]): ((item: string) => boolean) | undefined {
  if (filter === undefined || typeof filter === "function") return filter;
  const ids = new Set(idsOf(filter, "filter"));
  return (item) => ids.has(item);
}

function onOffer(offers: Offers | undefined, price: QueryOptions["price"]): ((item: string) => boolean) | undefined {
  if (!offers) {
    if (price) throw refused("price needs to know prices: pass offers, here or to createRecommender.");
    return undefined;
  }
  const { min = 0, max = Infinity } = price ?? {};
  return (item) => {
    const offer = offers(item);
    if (!offer || offer.stock === false || (typeof offer.stock === "number" && offer.stock <= 0) || offer.price === 0) return false;
    return !price || (offer.price !== undefined && offer.price >= min && offer.price <= max);
  };
}

function both(a: ((item: string) => boolean) | undefined, b: ((item: string) => boolean) | undefined): (item: string) => boolean {
  if (!a || !b) return a ?? b ?? (() => true);
  return (item) => a(item) && b(item);
}

function factorOf(boost: Boost | undefined): (item: string) => number {
  if (boost === undefined) return () => 1;
  if (boost === null || (typeof boost !== "object" && typeof boost !== "function") || Array.isArray(boost)) throw refused("boost takes factors by item id, or a function.");
  const look = typeof boost === "function" ? boost : boost instanceof Map ? (item: string) => byId(boost as ReadonlyMap<ItemId, number>, item) : (item: string) => (Object.hasOwn(boost, item) ? (boost as Record<string, number>)[item] : 1);
  return (item) => {
    const factor = look(item) ?? 1;
    if (!(factor > 0)) throw refused(`a boost is a factor above 0, not ${String(factor)} (for ${JSON.stringify(item)}).`);
    return Math.min(MOST, Math.max(LEAST, factor));
  };
}

function share(value: number | undefined, name: string): number {
  if (value === undefined) return 0;
  if (!(value >= 0 && value <= 1)) throw refused(`${name} is 0 to 1, not ${String(value)}.`);
  return value;
}

const refused = (why: string): IngleError => new IngleError("input/options", why);
