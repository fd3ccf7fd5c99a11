/** What every history store must do, whichever storage is behind it. */

import type { HistoryStore, Retention } from "../../js/history.js";
import type { HistoryEvent } from "../../js/types.js";
import { equal } from "./check.js";

export type OpenStore = (retention: Retention) => Promise<HistoryStore>;

const KEEP: Retention = { retain: 100, collapseMs: 1000 };

const view = (item: string, at: number): HistoryEvent => ({ item, type: "view", at });
const items = async (store: HistoryStore) => (await store.list()).map(({ item }) => item);

async function filled(store: HistoryStore, ...events: HistoryEvent[]): Promise<HistoryStore> {
  for (const event of events) await store.add(event);
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
    const store = await open({ retain: 3, collapseMs: 0 });
    equal(await items(await filled(store, view("a", 1), view("b", 2), view("c", 3), view("d", 4), view("e", 5))), ["c", "d", "e"]);
  },

  "drops an event that is older than all that are kept": async (open) => {
    const store = await open({ retain: 2, collapseMs: 0 });
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

  "keeps ids with quotes, commas and emoji as they are": async (open) => {
    const odd = ['"', "a,b", "🧦", " ", "__proto__", "\u0000"];
    equal(await items(await filled(await open(KEEP), ...odd.map((item, at) => view(item, at)))), odd);
  },
};
