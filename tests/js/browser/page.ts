/** What the tests call inside a page: the package as published, and the history stores. */

import { createRecommender } from "ingle";
import { API_TABLE, LOOKED_AT, type Shop } from "../api-table.js";
import { eraseVerdicts } from "../../../js/bundle/cache.js";
import { isSigned } from "../../../js/bundle/ed25519.js";
import { History } from "../../../js/history/history.js";
import { IndexedDbStore } from "../../../js/history/indexeddb.js";
import type { Consent, Explanation, HistoryEvent, HistoryExport, Learnt, Recommendation, Recommender, RecommenderOptions, Status, WasmSource } from "../../../js/index.js";
import { verdictsOnDevice } from "../../../js/engine/verdict-store.js";
import { codeOf, equal, ok, until } from "../check.js";
import { HISTORY_TABLE } from "../history-table.js";
import { ending } from "./ending.js";
import { breakStorage, type Cell, doStep, hasBegun, type Outcome, readable, type Steps } from "./cells.js";

let databases = 0;
const freshName = () => `ingle-test-${Date.now()}-${databases++}`;

let recommender: Recommender | undefined;
let kept = false;
let writes = 0;
let letWrite = (): void => {};

const page = {
  ...ending,

  /** The names of a table's cases. */
  cases: (table: string): string[] => Object.keys(TABLES[table] ?? {}),

  /** Runs one case of a table. */
  run: async (table: string, name: string): Promise<void> => TABLES[table]?.[name]?.(),

  /** Makes the page's recommender and waits for its engine; says how that went. */
  async open(options: RecommenderOptions = {}, bundle = "/b/"): Promise<{ status: Status; failure?: string }> {
    recommender?.dispose();
    const made = (recommender = createRecommender(bundle, options));
    const failure = await made.ready.then(
      () => undefined,
      (error: { code?: string }) => error.code ?? String(error),
    );
    return { status: made.status, ...(failure !== undefined && { failure }) };
  },

  /** The same without waiting for anything. */
  begin(options: RecommenderOptions = {}): void {
    recommender?.dispose();
    recommender = createRecommender("/b/", options);
  },

  /** The signatures (public key, text, signature, whether it is right) that this browser judges otherwise, by itself or by the script that it loads. */
  async misjudged(signatures: [string, string, string, boolean][], bySelf: boolean): Promise<string[]> {
    if (!bySelf) crypto.subtle.importKey = () => Promise.reject(new DOMException("no", "NotSupportedError"));
    const wrong: string[] = [];
    for (const [key, text, signature, expected] of signatures) if ((await isSigned(text, signature, key)) !== expected) wrong.push(`${key} ${text} ${signature}`);
    return wrong;
  },

  /** From now on the browser knows no Ed25519. */
  knowNoEd25519: (): void => void (crypto.subtle.importKey = () => Promise.reject(new DOMException("no", "NotSupportedError"))),

  /** Whether there is a new bundle, or the code of why there is none. */
  update: (): Promise<boolean | string> => opened().update().catch((error: { code: string }) => error.code),

  ready: (): Promise<Status> => opened().ready,
  codeOfReady: (): Promise<string> => codeOf(opened().ready),

  async visit(items: string[]): Promise<void> {
    const since = Date.now() - items.length;
    await opened().record(items.map((item, n) => ({ item, at: since + n })));
  },

  recommend: (k?: number): Promise<Recommendation[]> => opened().recommend(k === undefined ? {} : { k }),
  learnt: (): Promise<Learnt | null> => opened().learnt(),
  exported: (): Promise<HistoryExport> => opened().export(),

  /** Waits until the page has learnt from that many clicks. */
  untilLearnt: (clicks: number): Promise<void> => until(() => opened().status.learnt === clicks, `learnt from ${clicks} clicks`, 30_000),

  /** Waits until the GPU's engine is not used any more. */
  untilRetired: (): Promise<void> => until(() => opened().status.gpu.state === "retired", "the GPU's engine is retired", 30_000),

  /** What the database has beside the events and a pause. */
  async adapter(): Promise<{ bundle: string; items: string[]; vector: number[] } | null> {
    if (!(await indexedDB.databases()).some(({ name }) => name === "ingle")) return null;
    const database = (await request(indexedDB.open("ingle"))) as IDBDatabase;
    const found = (await request(database.transaction("settings").objectStore("settings").get("adapter"))) as { bundle: string; items: string[]; vector: Float32Array } | undefined;
    database.close();
    return found ? { ...found, vector: [...found.vector] } : null;
  },

  /** Writes something in the place of the adapter. */
  async putAdapter(given: unknown): Promise<void> {
    // Messages to the page are JSON.
    const { vector } = given as { vector?: unknown };
    const adapter = Array.isArray(vector) ? { ...(given as object), vector: Float32Array.from(vector) } : given;
    const database = (await request(indexedDB.open("ingle"))) as IDBDatabase;
    await request(database.transaction("settings", "readwrite").objectStore("settings").put(adapter, "adapter"));
    database.close();
  },

  /** From now on settings cannot be written, as on a full disk. */
  fillSettings(): void {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...given: Parameters<typeof put>) {
      const made = put.apply(this, given);
      if (this.name === "settings") this.transaction.abort();
      return made;
    };
  },

  /** Asks at once after a click, while the page learns; says how long each answer took, and how often it asked. */
  async askWhileLearning(clicks: number): Promise<{ longest: number; asked: number; idle: number }> {
    const ask = async (): Promise<number> => {
      const begun = performance.now();
      await opened().recommend();
      return performance.now() - begun;
    };
    const idle: number[] = [];
    for (let n = 0; n < 20; n++) idle.push(await ask());
    await opened().record({ item: "sku-3", type: "cart" });
    const times: number[] = [];
    while (opened().status.learnt !== clicks) times.push(await ask(), await new Promise<number>((resolve) => setTimeout(() => resolve(0), 1)));
    return { longest: Math.max(...times), asked: times.length / 2, idle: Math.max(...idle) };
  },

  rank: (items: string[]): Promise<Recommendation[]> => opened().rank(items),
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
    await committed();
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

  /** The product as a shop's script may show it again: renamed to what it is, put anew where it was, watched once more. */
  showAgain(): void {
    const product = document.querySelector("#product")!;
    product.setAttribute("data-ingle-item", "sku-42");
    product.replaceWith(product.cloneNode(true));
    opened().observe(document, { afterMs: 50 });
  },

  visibility: (): string => document.visibilityState,

  buy: (): void => document.querySelector<HTMLElement>("#buy")?.click(),
  takeAway: (): void => document.querySelector("#product")?.remove(),

  /** Says something to every tab, as any script of the origin can. */
  say(message: unknown): void {
    const channel = new BroadcastChannel("ingle:ingle");
    channel.postMessage(message);
    channel.close();
  },

  /** What `localStorage` has. */
  local: (): Record<string, string> => ({ ...localStorage }),
  storedEarlier: async (): Promise<string[]> => (await opened().stored()).map(({ item }) => item),

  /** Gives the origin a cookie, as a shop's other scripts do. */
  haveCookie: (): void => void (document.cookie = "shopper=7"),

  /** From now on no cache is opened, and so none written to, until `letWrite`. */
  holdWrites(): void {
    const { open } = CacheStorage.prototype;
    const released = new Promise<void>((resolve) => (letWrite = resolve));
    CacheStorage.prototype.open = async function (name) {
      writes++;
      await released;
      return open.call(this, name);
    };
  },

  /** From now on nothing is written to the history until `letWrite`: another transaction comes first. */
  async holdHistory(): Promise<void> {
    let held = true;
    letWrite = () => (held = false);
    const database = (await request(indexedDB.open("ingle"))) as IDBDatabase;
    const events = database.transaction("events", "readwrite").objectStore("events");
    const again = (): void => {
      if (held) events.count().onsuccess = again;
    };
    again();
    database.onversionchange = () => database.close();
  },

  letWrite: (): void => letWrite(),
  heldWrites: (): number => writes,

  /** Finds out which engine is faster, and forgets it while that is written down; says which caches there are then. */
  async forgetVerdict(): Promise<string[]> {
    let may = true;
    page.holdWrites();
    const written = verdictsOnDevice(() => may).put("/b/", "cpu");
    await until(() => writes > 0, "it is being written");
    may = false;
    await eraseVerdicts();
    letWrite();
    await written;
    return caches.keys();
  },

  /** Sets the page's clock forward by so much. */
  clock(aheadMs: number): void {
    const { now } = Date;
    Date.now = () => now.call(Date) + aheadMs;
  },

  /** A step of cells of the table of forgetting. */
  step: doStep as (step: keyof Steps, cells: [Cell, ...unknown[]][]) => Promise<Outcome<unknown>[]>,
  breakStorage,
  hasBegun,
  readable,

  /** Lets the page tell later whether it came back from the back-forward cache. */
  leaveATrace: (): void => addEventListener("pageshow", ({ persisted }) => void (kept = persisted)),
  wasKept: (): boolean => kept,

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

  /** What is cached: the SHA-256 of each file of the bundle, by its name. */
  async cached(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    await committed();
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const bytes = await crypto.subtle.digest("SHA-256", await (await cache.match(request))!.arrayBuffer());
        found[request.url.split("/").at(-1)!] = [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      }
    }
    return found;
  },

  /** A visit to a page with the bundle at this address: a look at an item, and a question. */
  async visitBundle(address: string, consent: Consent): Promise<{ ms: number; source: string; bundle?: string | undefined; stale: string | null; failure?: string }> {
    const begun = performance.now();
    const made = createRecommender(address, { engine: "cpu", consent, storage: { name: new URL(address).pathname } });
    const failed = made.ready.then(() => undefined, ({ code }: { code?: string }) => code);
    await made.record({ item: "sku-42" });
    const [best] = await made.recommend({ k: 3 });
    const ms = performance.now() - begun;
    const { bundle, stale, cpu } = made.status;
    await committed();
    made.dispose();
    await failed;
    return { ms, source: best?.source ?? "", bundle: bundle?.name, stale: stale?.code ?? null, ...("code" in cpu && { failure: cpu.code }) };
  },

  /** Changes one byte of every cached item file. */
  async damageCache(): Promise<number> {
    await committed();
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

/** What an engine has accepted is written in the background, under this lock. */
const committed = (): Promise<void> => navigator.locks.request("ingle-bundles", async () => {});

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

/** The same package wherever its wasm is, and in whichever form a shop has it. */
const WASM: Record<string, () => WasmSource | Promise<WasmSource>> = {
  "an address relative to the page": () => "moved/engine",
  "a URL": () => new URL("/moved/engine", location.href),
  "a response": () => fetch("/moved/engine"),
  "bytes": async () => new Uint8Array(await (await fetch("/moved/engine")).arrayBuffer()),
  "a module": async () => WebAssembly.compile(await (await fetch("/moved/engine")).arrayBuffer()),
};

async function loadsFrom(source: () => WasmSource | Promise<WasmSource>, worker: boolean): Promise<void> {
  const recommender = createRecommender("/b/", { engine: "cpu", worker, wasm: { cpu: source() } });
  equal((await recommender.ready).rung, "cpu");
  equal((await recommender.recommend()).length, 10);
  recommender.dispose();
}

let shop: Promise<Shop> | undefined;

async function openShop(): Promise<Shop> {
  const open = (options: RecommenderOptions = {}): Recommender => createRecommender("/b/", { storage: { kind: "memory", collapseMs: 0, maxAgeMs: Infinity }, ...options });
  const shared = open();
  await shared.record(LOOKED_AT.map((item, at) => ({ item, at })));
  return { open, shared, again: "/again/", numbered: "/numbered/", nowhere: "/nowhere/" };
}

/** Every case is run in the page; each fails by throwing. */
const TABLES: Record<string, Record<string, () => Promise<void>>> = {
  api: mapped(API_TABLE, (run) => async () => run(await (shop ??= openShop()))),
  history: mapped(HISTORY_TABLE, (run) => () => run(async (retention) => new IndexedDbStore(freshName(), retention))),
  storage: STORAGE,
  wasm: Object.fromEntries(Object.entries(WASM).flatMap(([name, source]) => [true, false].map((worker) => [`${name}, ${worker ? "in a worker" : "on the page's thread"}`, () => loadsFrom(source, worker)]))),
};

function mapped<T>(table: Record<string, T>, run: (entry: T) => () => Promise<void>): Record<string, () => Promise<void>> {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, run(entry)]));
}

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
