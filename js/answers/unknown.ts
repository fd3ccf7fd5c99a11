/**
 * Ids that the shop passes in and the bundle does not know. New products are such, and so are slips: a name in place
 * of an id, another shop's bundle. They are told once, on a developer's machine with the ids that they may have meant.
 *
 * Nothing is loaded for that: what a page asks its host for must not depend on what was clicked.
 */

import type { JudgedClick } from "../engine/protocol.js";
import type { UnknownItem } from "../types.js";

/** So many are told: more of them are the same slip. */
const MOST = 10;
/** So many ids are compared at most. */
const COMPARED = 100_000;
/** What a character more costs at either end of an id, where 1 is what another character costs: `42` is close to `sku-42`. */
const END = 0.25;

/** What is asked of the bundle at work. */
export interface Bundled {
  /** Resolves once an engine can answer, with how many items it looks back on. */
  ready(): Promise<number>;
  judge(items: string[]): Promise<JudgedClick[]>;
  /** Every id. */
  ids(): Promise<readonly string[]>;
  onChange(): void;
}

export class UnknownItems {
  list: readonly UnknownItem[] = [];
  /** What was passed in, until the history is forgotten. */
  #noticed = new Set<string>();
  #due: string[] = [];
  #waiting = false;
  readonly #bundle: Bundled;

  constructor(bundle: Bundled, before?: UnknownItems) {
    this.#bundle = bundle;
    if (before) this.notice([...before.#noticed]);
  }

  notice(items: readonly string[]): void {
    const fresh = [...new Set(items)].filter((item) => !this.#noticed.has(item));
    for (const item of fresh) this.#noticed.add(item);
    this.#due.push(...fresh);
    // Where no engine can answer now, those that come later ask again.
    if (!this.#waiting && fresh.length > 0) this.#look(this.#noticed).catch(() => {});
  }

  /** What is forgotten is not told either. */
  forget(): void {
    this.list = [];
    this.#noticed = new Set();
    this.#due = [];
  }

  async #look(noticed: Set<string>): Promise<void> {
    this.#waiting = true;
    const lookBack = await this.#bundle.ready().finally(() => (this.#waiting = false));
    const items = this.#due.splice(0).slice(-lookBack);
    if (noticed !== this.#noticed || items.length === 0) return;
    const unknown = (await this.#bundle.judge(items)).filter(({ known }) => !known).map(({ item }) => item);
    if (unknown.length === 0) return;
    const known = isDevelopers() ? await this.#bundle.ids() : [];
    if (noticed !== this.#noticed) return;
    const told = unknown.slice(0, Math.max(0, MOST - this.list.length)).map((item) => ({ item, nearest: nearest(item, known.slice(0, COMPARED)) }));
    this.list = [...this.list, ...told];
    for (const { item, nearest } of known.length > 0 ? told : []) {
      console.warn(`ingle: the bundle does not know the item ${JSON.stringify(item)}, so it changes no recommendation. The ids most like it are ${nearest.map((id) => JSON.stringify(id)).join(", ")}.`);
    }
    this.#bundle.onChange();
  }
}

/** The three ids most like this one. */
export function nearest(id: string, known: readonly string[]): string[] {
  const wanted = id.toLowerCase();
  return known
    .map((item) => ({ item, far: distance(wanted, item.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ item }) => item);
}

/** The least cost of characters put in, left out and replaced (Levenshtein), where what is more at an end is cheap. */
function distance(a: string, b: string): number {
  let row = Float32Array.from({ length: b.length + 1 }, (_, at) => at * END);
  for (let n = 1; n <= a.length; n++) {
    const next = new Float32Array(row.length);
    next[0] = n * END;
    for (let m = 1; m < row.length; m++) {
      const replaced = row[m - 1]! + (a[n - 1] === b[m - 1] ? 0 : 1);
      const leftOut = row[m]! + (m === b.length ? END : 1);
      const putIn = next[m - 1]! + (n === a.length ? END : 1);
      next[m] = Math.min(replaced, leftOut, putIn);
    }
    row = next;
  }
  return row[b.length]!;
}

/**
 * Whether whoever opens the console made the page. A shopper's console would hold what was looked at, and tools that
 * watch pages for errors send it on.
 */
function isDevelopers(): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]|.*\.(localhost|local|test)|)$/.test(globalThis.location?.hostname ?? "");
}
