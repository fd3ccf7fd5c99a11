/**
 * A cell of the table of forgetting, inside a page: one recommender, with storage of its own name, and what is done
 * with it. Many cells share a page, so each step takes a list of them.
 */

import { createRecommender } from "ingle";
import type { Consent, Recommender, RecommenderOptions } from "../../../js/index.js";
import { equal } from "../check.js";

export const ACTIONS = ["forget an item", "forget everything", "pause", "withdraw", "let an item grow too old"] as const;
export type Action = (typeof ACTIONS)[number];

export interface Cell {
  /** Names its storage and its items. */
  id: string;
  consent: Consent;
  action: Action;
}

/** What a tab knows of a cell. */
export interface Known {
  history: string[];
  explained: string[];
  recent: string[];
  stored: string[];
  consent: Consent;
  paused: boolean;
  unerased: boolean;
}

/** The item that goes, one that stays, and what a tab records afterwards. */
export const gone = ({ id }: Cell): string => `gone.${id}.`;
export const kept = ({ id }: Cell): string => `kept.${id}.`;
export const after = ({ id }: Cell, tab: string): string => `after.${id}.${tab}.`;

/** How long events are kept where one grows too old, and how far from it that one is recorded. */
const MAX_AGE_MS = 600_000;
export const GROWS_OLD_MS = 4_000;

const open = new Map<string, Recommender>();
const files = new Map<string, Promise<ArrayBuffer>>();
let engine: Promise<WebAssembly.Module> | undefined;

/** One download and one compilation for all recommenders of a page. */
const shared: RecommenderOptions = {
  engine: "cpu",
  worker: false,
  fetch: async (input) => {
    const url = String(input);
    const bytes = files.get(url) ?? fetch(url).then((response) => response.arrayBuffer());
    files.set(url, bytes);
    return new Response((await bytes).slice(0));
  },
};

const of = (cell: Cell): Recommender => {
  const recommender = open.get(cell.id);
  if (!recommender) throw new Error("begin comes first");
  return recommender;
};

const thawed = new Map<string, Promise<{ item: string }[]>>();

const items = (events: { item: string }[]): string[] => events.map(({ item }) => item).sort();

const steps = {
  /** The shop's code makes a recommender. */
  async begin(cell: Cell, consent: Consent = cell.consent): Promise<void> {
    engine ??= fetch("/moved/engine").then(async (response) => WebAssembly.compile(await response.arrayBuffer()));
    const storage = { name: cell.id, ...(cell.action === "let an item grow too old" && { maxAgeMs: MAX_AGE_MS }) };
    open.set(cell.id, createRecommender("/b/", { ...shared, consent, storage, wasm: { cpu: engine } }));
    await of(cell).history();
  },

  /** The shopper looks at both items; the one that goes may be as good as too old. */
  async look(cell: Cell): Promise<boolean> {
    const old = cell.action === "let an item grow too old" && { at: Date.now() - MAX_AGE_MS + GROWS_OLD_MS };
    const [a, b] = [await of(cell).record({ item: gone(cell), ...old }), await of(cell).record({ item: kept(cell) })];
    return a && b;
  },

  record: (cell: Cell, item: string): Promise<boolean> => of(cell).record({ item }),

  /** Waits until nothing is written to the device any more: Chromium keeps no page that holds a lock. */
  async settle(cell: Cell): Promise<void> {
    await of(cell).ready;
    await navigator.locks.request("ingle-bundles", async () => {});
  },

  consent: (cell: Cell, consent: Consent): Promise<void> => of(cell).consent(consent),

  /** What the table is about; says with which code it failed, if it did. */
  async act(cell: Cell): Promise<string | undefined> {
    const recommender = of(cell);
    const acts: Record<Action, () => Promise<unknown>> = {
      "forget an item": () => recommender.forget(gone(cell)),
      "forget everything": () => recommender.forget(),
      pause: () => recommender.pause(),
      withdraw: () => recommender.consent("denied"),
      "let an item grow too old": () => new Promise((resolve) => setTimeout(resolve, GROWS_OLD_MS + 200)),
    };
    return acts[cell.action]().then(
      () => undefined,
      (error: { code?: string }) => error.code ?? String(error),
    );
  },

  /** Waits until a tab knows this, which other tabs may have to tell it, and then says what it does know. */
  async know(cell: Cell, history: string[], state: { consent?: Consent; paused?: boolean } = {}): Promise<Known> {
    const wanted = JSON.stringify([...history].sort());
    const { consent, paused } = state;
    const there = async (): Promise<boolean> => {
      const { status } = of(cell);
      return (consent ?? status.consent) === status.consent && (paused ?? status.paused) === status.paused && JSON.stringify(items(await of(cell).history())) === wanted;
    };
    for (let tries = 0; tries < 100 && !(await there()); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    const recommender = of(cell);
    const [known, recent, stored] = [await recommender.history(), await recommender.recentlyViewed({ k: 100 }), await recommender.stored()];
    const explained = await recommender.explain();
    const { status } = recommender;
    return { history: items(known), explained: items(explained), recent: items(recent), stored: items(stored), consent: status.consent, paused: status.paused, unerased: status.storage.unerased !== undefined };
  },

  /** What a tab has in memory, and whether it owes an erasure; asks nothing of the device. */
  async remembers(cell: Cell): Promise<[string[], boolean]> {
    return [items(await of(cell).history()), of(cell).status.storage.unerased !== undefined];
  },

  /** Shows an item, as a product's page does, until the view counts. */
  async show(cell: Cell, item: string): Promise<void> {
    const product = document.createElement("div");
    product.dataset["ingleItem"] = item;
    product.textContent = item;
    const part = document.createElement("div");
    part.append(product);
    document.body.prepend(part);
    of(cell).observe(part, { afterMs: 50 });
    if (cell.consent === "denied") return;
    const seen = async (): Promise<boolean> => (await of(cell).history()).some((event) => event.item === item);
    for (let tries = 0; tries < 100 && !(await seen()); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    equal(await seen(), true, "the view counts");
  },

  /** How long the looks at the item that goes are known to have been, in milliseconds. */
  dwells: async (cell: Cell): Promise<number[]> => (await of(cell).history()).filter(({ item }) => item === gone(cell)).map(({ dwell }) => dwell ?? 0),

  /** Asks for the history at the very moment that a frozen page goes on. */
  async askOnThaw(cell: Cell): Promise<void> {
    document.addEventListener("resume", () => void thawed.set(cell.id, of(cell).history()), { once: true });
  },

  answeredOnThaw: async (cell: Cell): Promise<string[]> => items((await thawed.get(cell.id)) ?? [{ item: "it was never thawed" }]),
};

/** Whether this page has made its recommenders: one that was loaded anew has not. */
export const hasBegun = (): boolean => open.size > 0;

export type Steps = typeof steps;

/** What a step takes beside its cell. */
export type Rest<K extends keyof Steps> = Steps[K] extends (cell: Cell, ...rest: infer R) => unknown ? R : never;

/** The result of a step for a cell, or how it failed. */
export type Outcome<T> = { value: T } | { error: string };

/** Does one step for every cell, each in its own time. */
export async function doStep<K extends keyof Steps>(step: K, cells: [Cell, ...Rest<K>][]): Promise<Outcome<Awaited<ReturnType<Steps[K]>>>[]> {
  const run = steps[step] as (cell: Cell, ...rest: unknown[]) => Promise<unknown>;
  return Promise.all(cells.map(([cell, ...rest]) => run(cell, ...rest).then((value) => ({ value }), (error: unknown) => ({ error: String(error) })))) as Promise<Outcome<Awaited<ReturnType<Steps[K]>>>[]>;
}

/** Storage whose every call fails, as that of a disk that is gone. */
export function breakStorage(): void {
  const fail = (): never => {
    throw new DOMException("the disk is gone", "UnknownError");
  };
  const take = (prototype: object, name: string): void => {
    const before = Object.getOwnPropertyDescriptor(prototype, name)!;
    Object.defineProperty(prototype, name, { ...before, value: fail });
  };
  for (const name of ["open", "deleteDatabase", "databases"]) take(IDBFactory.prototype, name);
  take(IDBDatabase.prototype, "transaction");
  for (const name of ["open", "delete", "keys", "has", "match"]) take(CacheStorage.prototype, name);
}

/** Everything of this origin that a page can read, as text. */
export async function readable(): Promise<string> {
  const found: unknown[] = [document.cookie, window.name, history.state, { ...localStorage }, { ...sessionStorage }];
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await answer(indexedDB.open(name));
    database.onversionchange = () => database.close();
    for (const store of database.objectStoreNames) {
      const all = database.transaction(store).objectStore(store);
      found.push(name, await answer(all.getAllKeys()), await answer(all.getAll()));
    }
    database.close();
  }
  for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) found.push(name, request.url, await (await caches.match(request))?.text());
  return JSON.stringify(found);
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
