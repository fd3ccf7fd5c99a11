// The rules of consent, pause and forgetting, by themselves.

import { test } from "node:test";
import { union, type Kept } from "../../../js/history/events.js";
import { State } from "../../../js/history/state.js";
import { readMessage } from "../../../js/history/tabs.js";
import type { Consent, HistoryEvent } from "../../../js/types.js";
import { equal, ok } from "../check.js";

const CONSENTS: Consent[] = ["denied", "session", "granted"];
const rank = (consent: Consent): number => CONSENTS.indexOf(consent);

/** Numbers that look like chance and are the same every time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("whatever other tabs say, in ten thousand orders, nothing is raised above what the page itself allowed", () => {
  const roll = dice(7);
  for (let run = 0; run < 10_000; run++) {
    const own = CONSENTS[roll(3)]!;
    const state = new State(own);
    let allowed = own;
    let pausedHere = false;
    for (let step = 0; step < 12; step++) {
      const at = Date.now() - 50 + roll(100);
      const before = state.consent;
      switch (roll(4)) {
        case 0:
          state.choose((allowed = CONSENTS[roll(3)]!));
          continue;
        case 1:
          state.pause((pausedHere = roll(2) === 0));
          continue;
        case 2:
          state.hearConsent(CONSENTS[roll(3)]!, at);
          break;
        case 3:
          state.hearPause(roll(2) === 0, at);
          break;
      }
      ok(rank(state.consent) <= rank(before), "a message never raises consent");
      ok(rank(state.consent) <= rank(allowed), "nor past the page's own");
      if (pausedHere) ok(state.paused, "a pause made here ends here");
    }
  }
});

test("of two decisions the later one counts, in whichever order they come", () => {
  const now = Date.now();
  const state = new State("granted");
  state.choose("granted", "granted", now - 10);
  equal([state.hearConsent("denied", now - 20), state.consent], [false, "granted"]);
  equal([state.hearConsent("session", now - 5), state.consent], [true, "session"]);
  equal(state.lowered.consent, { value: "session", at: now - 5 });
  state.hearConsent("granted", now);
  equal([state.consent, state.lowered], ["session", {}], "and is not told any more once it is undone");
});

test("a page that was away keeps to what it knew and tells nobody, as there may be later decisions", () => {
  const state = new State("granted");
  state.choose("session");
  state.pause(true);
  state.comeBack(false);
  equal([state.consent, state.paused, state.lowered], ["session", true, {}]);
});

test("a page that begins as session has decided nothing, one that begins as denied has", () => {
  equal(new State("session").lowered, {});
  equal(new State("denied").lowered.consent?.value, "denied");
});

test("a clock that was ahead when something was forgotten bars nothing that happens later", () => {
  const state = new State("session");
  state.forget("a", Date.now() + 86_400_000);
  state.forget(undefined, Date.now() + 86_400_000);
  const seen = { item: "a", type: "view", at: Date.now() + 5 };
  equal(state.isForgotten(seen), false);
  ok(state.mayRecord({ ...seen, dwell: 1 }), "a look too");
});

test("a look that spans the moment its item was forgotten is over; what the shop dates back is not a look", () => {
  const state = new State("session");
  const now = Date.now();
  state.forget("a", now - 1000);
  const look = { item: "a", type: "view", at: now, dwell: 5000 };
  equal(state.mayRecord(look), false);
  equal(state.mayRecord({ ...look, dwell: 500 }), true);
  equal(state.mayRecord({ ...look, item: "b" }), true);
  equal(state.mayRecord({ item: "a", type: "view", at: now }, { since: now - 2000, appeared: now - 2000 }), false);
  equal(state.mayRecord({ item: "a", type: "purchase", at: 5 }), true);
  state.pause(true, now - 500);
  state.pause(false, now - 400);
  equal(state.mayRecord({ ...look, item: "b" }), false, "nor one that began before a pause");
});

test("an item that was on the page when it was forgotten is not looked at again on that page", () => {
  const now = Date.now();
  const seen = (item: string): HistoryEvent => ({ item, type: "view", at: now });
  const everything: Record<string, (state: State) => void> = {
    "forget the item": (state) => state.forget("a", now - 100),
    "forget everything": (state) => state.forget(undefined, now - 100),
    "hear that it is forgotten": (state) => state.forget("a", now - 100),
    "withdraw and grant": (state) => (state.choose("denied", "denied", now - 100), state.choose("granted", "granted", now - 90)),
    "hear of a denial": (state) => (state.hearConsent("denied", now - 100), state.choose("granted", "granted", now - 90)),
    "come back from where it may have missed one": (state) => state.comeBack(true, now - 100),
  };
  for (const [what, act] of Object.entries(everything)) {
    const state = new State("granted");
    state.look("a", "/list", now - 200);
    act(state);
    equal(state.mayRecord(seen("a"), state.look("a", "/list", now - 50)), false, `${what}: shown again`);
    equal(state.mayRecord({ ...seen("a"), dwell: 10 }, state.look("a", "/list", now - 40)), false, `${what}: its dwell`);
    equal(state.mayRecord(seen("b"), state.look("b", "/list", now - 50)), true, `${what}: another item`);
    equal(state.mayRecord({ ...seen("a"), type: "click" }), true, `${what}: a click`);
    equal(state.mayRecord(seen("a"), state.look("a", "/product", now - 30)), true, `${what}: the next page`);
    equal(state.mayRecord(seen("a"), state.look("a", "/list", now - 20)), true, `${what}: the list after it`);
  }
  const paused = new State("granted");
  paused.look("a", "/list", now - 200);
  paused.pause(true, now - 100);
  paused.pause(false, now - 90);
  equal(paused.mayRecord(seen("a"), paused.look("a", "/list", now - 50)), true, "a pause forgets nothing");
});

test("lists of several tabs become one with nothing in it twice, in any order and however often", () => {
  const roll = dice(3);
  for (let run = 0; run < 2_000; run++) {
    const events: Kept[] = Array.from({ length: 1 + roll(8) }, (_, n) => ({ item: `sku-${roll(3)}`, type: ["view", "cart"][roll(2)]!, at: 1_000_000 * (n + 1) }));
    const some = (): Kept[] => events.filter(() => roll(3) > 0);
    // Another tab knows more of a look that this one has seen the beginning of.
    const longer = (event: Kept): Kept => (event.type === "view" && roll(2) === 0 ? { ...event, at: event.at + 500, dwell: 500, since: event.at } : event);
    const [a, b, c] = [some(), some().map(longer), events];
    const whole = union(union(a, b, 1000), c, 1000);
    equal(whole.map(({ item, type }) => `${item} ${type}`), events.map(({ item, type }) => `${item} ${type}`));
    equal(union(whole, union(b, a, 1000), 1000), whole, "nothing is added by what is there already");
  }
});

test("what a shopper did twice in one moment is there twice, in every tab", () => {
  const bought = { item: "a", type: "purchase", at: 5 };
  equal(union([bought, bought], [bought, bought], 1000).length, 2);
});

const good = { item: "a", type: "view", at: 5 };

test("messages that are none are ignored, and others are cut to what they may be", () => {
  for (const data of [undefined, null, 7, "forget", [], {}, { kind: "toString" }, { kind: "consent", consent: "everything", at: 1 }, { kind: "consent", consent: "denied" }, { kind: "forget", item: 7, at: 1 }, { kind: "forget", item: "x".repeat(2000), at: 1 }, { kind: "forget", at: Number.NaN }, { kind: "paused", paused: 1, at: 1 }, { kind: "events", events: "abc" }]) {
    equal(readMessage(data, 10), undefined, JSON.stringify(data));
  }
  const odd = [7, null, { ...good, item: "" }, { ...good, type: "x".repeat(5000) }, { ...good, at: Infinity }, { ...good, dwell: -1 }, { ...good, since: "then" }];
  equal(readMessage({ kind: "events", events: [...odd, { ...good, more: "x".repeat(1e6) }] }, 10), { kind: "events", events: [good] });
  equal((readMessage({ kind: "events", events: Array.from({ length: 50 }, () => good) }, 10) as { events: unknown[] }).events.length, 10);
});
