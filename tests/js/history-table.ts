/** What every history store must do, whichever storage is behind it. */

import type { Kept } from "../../js/history/events.js";
import type { HistoryStore, Retention } from "../../js/history/store.js";
import type { HistoryEvent } from "../../js/types.js";
import { equal, ok } from "./check.js";

export type OpenStore = (retention: Retention) => Promise<HistoryStore>;

const KEEP: Retention = { retain: 100, collapseMs: 1000, maxAgeMs: Infinity };

const view = (item: string, at: number): HistoryEvent => ({ item, type: "view", at });
const items = async (store: HistoryStore) => (await store.list()).map(({ item }) => item);

async function filled(store: HistoryStore, ...events: Kept[]): Promise<HistoryStore> {
  for (const event of events) await store.add([event]);
  return store;
}

export const HISTORY_TABLE: Record<string, (open: OpenStore) => Promise<void>> = {
  "starts empty": async (open) => equal(await (await open(KEEP)).list(), []),

  "lists events whole, oldest first": async (open) => {
    const events = [view("a", 1000), { item: "b", type: "purchase", at: 2000 }];
    equal(await (await filled(await open(KEEP), ...events)).list(), events);
  },

  "puts a late event in its place": async (open) => {
    equal(await items(await filled(await open(KEEP), view("a", 1000), view("c", 9000), view("b", 5000))), ["a", "b", "c"]);
  },

  "keeps the order of events at one moment": async (open) => {
    equal(await items(await filled(await open(KEEP), view("b", 7), view("a", 7), view("c", 7))), ["b", "a", "c"]);
  },

  "counts a view repeated at once as one, at its latest time": async (open) => {
    equal(await (await filled(await open(KEEP), view("a", 1000), view("a", 1500))).list(), [view("a", 1500)]);
  },

  "counts a view repeated later, or after another item, again": async (open) => {
    const store = await filled(await open(KEEP), view("a", 1000), view("a", 2000), view("b", 2100), view("a", 2200));
    equal(await items(store), ["a", "a", "b", "a"]);
  },

  "never collapses purchases": async (open) => {
    const bought = { item: "a", type: "purchase", at: 1000 };
    equal((await (await filled(await open(KEEP), bought, { ...bought, at: 1001 })).list()).length, 2);
  },

  "keeps the latest events only": async (open) => {
    const store = await open({ retain: 3, collapseMs: 0, maxAgeMs: Infinity });
    equal(await items(await filled(store, view("a", 1), view("b", 2), view("c", 3), view("d", 4), view("e", 5))), ["c", "d", "e"]);
  },

  "drops an event that is older than all that are kept": async (open) => {
    const store = await open({ retain: 2, collapseMs: 0, maxAgeMs: Infinity });
    equal(await items(await filled(store, view("b", 20), view("c", 30), view("a", 10))), ["b", "c"]);
  },

  "forgets one item wherever it is": async (open) => {
    const store = await filled(await open(KEEP), view("a", 1000), view("b", 3000), view("a", 5000));
    await store.remove("a");
    equal(await items(store), ["b"]);
    await store.remove("never seen");
    equal(await items(store), ["b"]);
  },

  "forgets everything": async (open) => {
    const store = await filled(await open(KEEP), view("a", 1000), view("b", 3000));
    await store.remove();
    equal(await store.list(), []);
  },

  "forgets what had come about by a moment, and what a clock that was ahead dated later": async (open) => {
    const store = await filled(await open(KEEP), view("a", 1000), view("b", 3000), view("c", 5000), { item: "d", type: "cart", at: 10, since: 4000 });
    await store.remove("a", 500);
    equal(await items(store), ["d", "a", "b", "c"]);
    await store.remove(undefined, 3000);
    equal(await items(store), ["d", "c"]);
    await store.add([{ item: "e", type: "cart", at: Date.now() + 86_400_000 }]);
    await store.remove("e", 5000);
    equal(await items(store), ["d", "c"]);
  },

  "takes in what another tab has, each event once": async (open) => {
    const store = await filled(await open(KEEP), view("a", 1000), view("b", 30_000));
    const theirs = [view("a", 1000), { ...view("b", 35_000), dwell: 5000, since: 30_000 }, view("c", 60_000)];
    for (let again = 0; again < 3; again++) await store.join(theirs);
    equal(await store.list(), [view("a", 1000), { ...view("b", 35_000), dwell: 5000 }, view("c", 60_000)]);
  },

  "keeps ids with quotes, commas and emoji as they are": async (open) => {
    const odd = ['"', "a,b", "🧦", " ", "__proto__", "\u0000"];
    equal(await items(await filled(await open(KEEP), ...odd.map((item, at) => view(item, at)))), odd);
  },

  "adds many events at once, in their order": async (open) => {
    const events = [view("c", 9000), view("a", 1000), view("a", 1500), view("b", 5000)];
    const store = await open(KEEP);
    await store.add(events);
    equal(await store.list(), [view("a", 1500), view("b", 5000), view("c", 9000)]);
  },

  "joins the report of a long look with its beginning": async (open) => {
    const store = await filled(await open(KEEP), view("a", 1000), { ...view("a", 61_000), dwell: 60_000 });
    equal(await store.list(), [{ ...view("a", 61_000), dwell: 60_000 }]);
  },

  "finds the view that a dwell belongs to behind later events": async (open) => {
    const cart = { item: "a", type: "cart", at: 2000 };
    const store = await filled(await open(KEEP), view("a", 1000), cart, view("b", 3000), { ...view("a", 9000), dwell: 8000 });
    equal(await store.list(), [{ ...view("a", 1000), dwell: 8000 }, cart, view("b", 3000)]);
  },

  "keeps the longer of two dwells": async (open) => {
    const store = await filled(await open(KEEP), { ...view("a", 1000), dwell: 900 }, { ...view("a", 1500), dwell: 100 });
    equal(await store.list(), [{ ...view("a", 1500), dwell: 900 }]);
  },

  "drops events that are too old": async (open) => {
    const now = Date.now();
    const store = await filled(await open({ ...KEEP, maxAgeMs: 60_000 }), view("old", now - 120_000), view("new", now - 1000));
    equal(await items(store), ["new"]);
  },

  "brings events of a clock that was ahead back to now, in their order": async (open) => {
    const ahead = Date.now() + 86_400_000;
    const store = await filled(await open(KEEP), view("a", ahead), view("b", ahead + 5000), view("c", Date.now()));
    equal(await items(store), ["a", "b", "c"]);
    ok((await store.list()).every(({ at }) => at <= Date.now()), "none is in the future");
  },

  "remembers a pause": async (open) => {
    const store = await open(KEEP);
    equal(await store.paused(), false);
    await store.setPaused(true);
    equal(await store.paused(), true);
    await store.setPaused(false);
    equal(await store.paused(), false);
  },
};
