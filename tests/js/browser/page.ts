/** What the tests call inside a page: the package as published, and the history stores. */

import { createRecommender } from "ingle";
import { History } from "../../../js/history.js";
import { IndexedDbStore } from "../../../js/indexeddb.js";
import type { Consent, Explanation, HistoryEvent, Recommendation, Recommender, RecommenderOptions, Status } from "../../../js/index.js";
import { equal, ok, until } from "../check.js";
import { HISTORY_TABLE } from "../history-table.js";

let databases = 0;
const freshName = () => `ingle-test-${Date.now()}-${databases++}`;

let recommender: Recommender | undefined;

const page = {
  historyCases: Object.keys(HISTORY_TABLE),

  /** Runs one case of the history table against IndexedDB. */
  async historyCase(name: string): Promise<void> {
    await HISTORY_TABLE[name]?.((retention) => IndexedDbStore.open(freshName(), retention));
  },

  /** Runs one of `STORAGE` below. */
  async storageCase(name: string): Promise<void> {
    await STORAGE[name]?.();
  },

  storageCases: [] as string[],

  /** Makes the page's recommender and waits for its engine; says how that went. */
  async open(options: RecommenderOptions = {}): Promise<{ status: Status; failure?: string }> {
    recommender?.dispose();
    const made = (recommender = createRecommender("/b/", options));
    const failure = await made.ready.then(
      () => undefined,
      (error: { code?: string }) => error.code ?? String(error),
    );
    return { status: made.status, ...(failure !== undefined && { failure }) };
  },

  async visit(items: string[]): Promise<void> {
    const since = Date.now() - items.length;
    await opened().record(items.map((item, n) => ({ item, at: since + n })));
  },

  recommend: (k?: number): Promise<Recommendation[]> => opened().recommend(k === undefined ? {} : { k }),
  explain: (): Promise<Explanation[]> => opened().explain(),
  history: async (): Promise<string[]> => (await opened().history()).map(({ item }) => item),
  forget: (): Promise<void> => opened().forget(),
  forgetItem: (item: string): Promise<void> => opened().forget(item),
  status: (): Status => opened().status,
  events: (): Promise<HistoryEvent[]> => opened().history(),
  consent: (consent: Consent): Promise<void> => opened().consent(consent),
  pause: (on: boolean): Promise<void> => (on ? opened().pause() : opened().resume()),

  /** What this origin has stored, and the history's records as text. */
  async stored(): Promise<{ databases: string[]; caches: string[]; local: number; session: number; cookies: string; events?: string }> {
    const databases = (await indexedDB.databases()).map(({ name = "" }) => name).sort();
    const found = { databases, caches: await caches.keys(), local: localStorage.length, session: sessionStorage.length, cookies: document.cookie };
    return databases.includes("ingle") ? { ...found, events: JSON.stringify(await records("getAll")) } : found;
  },

  /** The key of the oldest record: how many there were before it, and one. */
  firstKey: async (): Promise<unknown> => ((await records("getAllKeys")) as unknown[])[0],

  /** A product that shows, with its button, and one that is far below. */
  markup(): void {
    document.body.innerHTML =
      '<div id="product" data-ingle-item="sku-42">A <button id="buy" data-ingle-item="sku-42" data-ingle-event="cart">Buy</button></div><div style="height: 5000px"></div><div data-ingle-item="sku-7">B</div>';
    opened().observe(document, { afterMs: 50 });
  },

  /** Waits until the GPU engine is in one of these states. */
  async untilGpu(...states: string[]): Promise<Status> {
    await until(() => states.includes(opened().status.gpu.state), `gpu is ${states.join(" or ")}`, 90_000);
    return opened().status;
  },

  /** Events of every type, with questions of every kind in between. */
  async longVisit(events: number): Promise<void> {
    const types = ["view", "click", "cart", "purchase", "remove"];
    for (let n = 0; n < events; n++) {
      await opened().record({ item: `sku-${n % 90}`, type: types[n % 5]! });
      if (n % 20 > 0) continue;
      await Promise.all([opened().recommend({ diversity: 0.2 }), opened().similar("sku-7"), opened().complete(["sku-7", "sku-9"]), opened().popular(), opened().recentlyViewed(), opened().explain()]);
    }
  },

  /** Changes one byte of every cached item file. */
  async damageCache(): Promise<number> {
    const cache = await caches.open("ingle-bundles");
    const damaged = (await cache.keys()).filter(({ url }) => url.includes("/items-"));
    for (const request of damaged) {
      const bytes = new Uint8Array(await (await cache.match(request))!.arrayBuffer());
      bytes[bytes.length - 1]! ^= 1;
      await cache.put(request, new Response(bytes));
    }
    return damaged.length;
  },
};

export type Page = typeof page;

function opened(): Recommender {
  if (!recommender) throw new Error("open() comes first");
  return recommender;
}

const EVER = { maxAgeMs: Infinity };

const STORAGE: Record<string, () => Promise<void>> = {
  "two pages see one history": async () => {
    const name = freshName();
    const [a, b] = [new History({ name, ...EVER }), new History({ name, ...EVER })];
    await a.record({ item: "from a", at: 1 });
    await b.record({ item: "from b", at: 2 });
    equal((await b.list()).map(({ item }) => item), ["from a", "from b"]);
    await until(async () => (await a.list()).length === 2, "the other page hears of it");
  },

  "broken records cost only themselves": async () => {
    const name = freshName();
    const history = new History({ name, retain: 3, ...EVER });
    await history.record({ item: "whole", at: 1 });
    await put(name, [7, null, { item: 5, type: "view", at: 2 }, { item: "no type", at: 3 }, { item: "", type: "view", at: 4 }]);
    equal((await history.list()).map(({ item }) => item), ["whole"]);
    await history.forget("whole");
    equal(await history.list(), []);
  },

  "a database deleted halfway is made again": async () => {
    const name = freshName();
    const history = new History({ name, ...EVER });
    await history.record({ item: "before", at: 1 });
    await request(indexedDB.deleteDatabase(name));
    await history.record({ item: "after", at: 2 });
    equal((await history.list()).map(({ item }) => item), ["after"]);
    equal(history.storage.kind, "indexeddb");
  },

  "storage that fails halfway moves to memory with everything it had": async () => {
    const losses: string[] = [];
    const history = new History({ name: freshName(), ...EVER }, "granted", { onLoss: ({ code }) => losses.push(code) });
    await history.record({ item: "before", at: 1 });
    const { transaction } = IDBDatabase.prototype;
    const { open } = IDBFactory.prototype;
    const broken = () => {
      throw new DOMException("the disk is gone", "UnknownError");
    };
    IDBDatabase.prototype.transaction = broken;
    IDBFactory.prototype.open = broken;
    try {
      await history.record({ item: "after", at: 2 });
    } finally {
      IDBDatabase.prototype.transaction = transaction;
      IDBFactory.prototype.open = open;
    }
    equal((await history.list()).map(({ item }) => item), ["before", "after"]);
    equal([history.storage.kind, losses], ["memory", ["storage/lost"]]);
  },

  "a database that another page holds back counts as missing": async () => {
    const name = freshName();
    // A page that has a newer version open and does not let go.
    await request(indexedDB.open(name, 99));
    const history = new History({ name, ...EVER });
    await history.record({ item: "a", at: 1 });
    equal(history.storage.kind, "memory");
    ok(history.storage.reason, "the reason is given");
  },
};
page.storageCases = Object.keys(STORAGE);

async function records(method: "getAll" | "getAllKeys"): Promise<unknown> {
  const database = (await request(indexedDB.open("ingle"))) as IDBDatabase;
  const found = await request(database.transaction("events").objectStore("events")[method]());
  database.close();
  return found;
}

async function put(name: string, records: unknown[]): Promise<void> {
  const database = (await request(indexedDB.open(name))) as IDBDatabase;
  const transaction = database.transaction("events", "readwrite");
  for (const record of records) transaction.objectStore("events").add(record);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  database.close();
}

function request(made: IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    made.onsuccess = () => resolve(made.result);
    made.onerror = () => reject(made.error);
  });
}

(globalThis as unknown as { page: Page }).page = page;
