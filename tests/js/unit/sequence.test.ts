import { test } from "node:test";
import { checkWeights, sequence } from "../../../js/answers/sequence.js";
import type { HistoryEvent, WeightOptions } from "../../../js/types.js";
import { codeOf, equal } from "../check.js";

const event = (item: string, type = "view", dwell?: number): HistoryEvent => ({ item, type, at: 0, ...(dwell !== undefined && { dwell }) });

function read(events: HistoryEvent[], options?: WeightOptions): unknown {
  const { items, weights, places } = sequence(events, checkWeights(options));
  return [items, weights.map((weight) => Math.round(weight * 1000) / 1000), [...places]];
}

test("views alone count in full", () => {
  equal(read([event("a"), event("b")]), [["a", "b"], [1, 1], [0, 1]]);
});

test("stronger events make weaker ones count less", () => {
  equal(read([event("a"), event("b", "cart"), event("c", "click")]), [["a", "b", "c"], [0.8, 1, 0.6], [0, 1, 2]]);
});

test("what one does with an item in a row is one entry, of the strongest weight", () => {
  equal(read([event("a", "click"), event("a"), event("a", "cart"), event("b"), event("a")]), [["a", "b", "a"], [1, 0.8, 0.8], [0, 0, 0, 1, 2]]);
});

test("a later view after a view is another entry", () => {
  equal(read([event("a"), event("a")]), [["a", "a"], [1, 1], [0, 1]]);
});

test("taking an item out of the basket undoes putting it there", () => {
  equal(read([event("a"), event("a", "cart"), event("b"), event("a", "remove")]), [["a", "b"], [1, 1], [0, -1, 1, -1]]);
});

test("a removal of what was never in the basket changes nothing", () => {
  equal(read([event("a"), event("b", "remove")]), [["a"], [1], [0, -1]]);
});

test("a bounced view counts a quarter, one of unknown length in full", () => {
  equal(read([event("a", "view", 500), event("b"), event("c", "view", 9000)]), [["a", "b", "c"], [0.25, 1, 1], [0, 1, 2]]);
});

test("weights are the shop's to set, words of its own among them", () => {
  equal(read([event("a", "wishlist"), event("b"), event("c", "seen in a list")], { types: { wishlist: 1.6, "seen in a list": 0 } }), [["a", "b"], [1, 0.5], [0, 1, -1]]);
});

for (const type of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
  test(`an event type called ${type} counts like any word of the shop's own`, () => {
    equal(read([event("a", type), event("b")]), [["a", "b"], [1, 1], [0, 1]]);
    equal(read([event("a", type), event("b")], { types: JSON.parse(`{"${type}": 0.4}`) }), [["a", "b"], [0.5, 1], [0, 1]]);
  });
}

test("an empty history is an empty sequence", () => equal(read([]), [[], [], []]));

for (const options of [{ types: { view: -1 } }, { types: { view: Number.NaN } }, { bounceMs: -1 }, { bounceWeight: 2 }]) {
  test(`refuses weights ${JSON.stringify(options)}`, async () => {
    equal(await codeOf((async () => checkWeights(options))()), "input/options");
  });
}
