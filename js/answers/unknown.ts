/**
 * Ids that the shop passes in and the bundle does not contain: new products, or mistakes such as a name instead of an
 * id, or another shop's bundle. They are reported once, and on a developer's machine with similar ids of the bundle.
 *
 * Nothing is loaded for that: requests to the host must not depend on what was clicked.
 */

import { isDevelopers } from "../common/development.js";
import type { JudgedClick } from "../engine/protocol.js";
import type { UnknownItem } from "../types.js";

/** Most ids that are reported; more are likely the same mistake. */
const MOST = 10;
/** Most ids that are compared. */
const COMPARED = 100_000;
/** Cost of an additional character at either end of an id, relative to that of any other change: `42` is close to `sku-42`. */
const END = 0.25;

/** The parts of the bundle in use that are needed. */
export interface Bundled {
  /** Resolves with the number of clicks that the model reads, once an engine can answer. */
  ready(): Promise<number>;
  judge(items: string[]): Promise<JudgedClick[]>;
  /** Every id. */
  ids(): Promise<readonly string[]>;
  onChange(): void;
}

export class UnknownItems {
  list: readonly UnknownItem[] = [];
  /** Ids that were passed in since the history was forgotten. */
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
    // If no engine can answer now, later ids try again.
    if (!this.#waiting && fresh.length > 0) this.#look(this.#noticed).catch(() => {});
  }

  /** Forgotten ids are not reported. */
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

/** The three ids most similar to this one. */
export function nearest(id: string, known: readonly string[]): string[] {
  const wanted = id.toLowerCase();
  return known
    .map((item) => ({ item, far: distance(wanted, item.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ item }) => item);
}

/** Levenshtein distance, in which additional characters at an end cost less. */
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
