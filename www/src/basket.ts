/** The basket: ids and how many of each, kept as long as the visitor allows. */

import { findProduct } from "./products.js";
import { consentSoFar } from "./consent.js";

const KEY = "inglenook-basket";

export class Basket extends EventTarget {
  readonly #lines = new Map<string, number>(stored());

  /** Products and counts, in the order they were put in. */
  get lines(): [string, number][] {
    return [...this.#lines];
  }

  get count(): number {
    return this.lines.reduce((sum, [, count]) => sum + count, 0);
  }

  /** In pence. */
  get total(): number {
    return this.lines.reduce((sum, [item, count]) => sum + (findProduct(item)?.price ?? 0) * count, 0);
  }

  /** Sets how many there are of an item; 0 takes it out. */
  set(item: string, count: number): void {
    if (count > 0) this.#lines.set(item, count);
    else this.#lines.delete(item);
    this.save();
    this.dispatchEvent(new Event("change"));
  }

  /** Writes the basket down where that is allowed. */
  save(): void {
    if (consentSoFar() === "granted") localStorage.setItem(KEY, JSON.stringify(this.lines));
  }

  of(item: string): number {
    return this.#lines.get(item) ?? 0;
  }
}

function stored(): [string, number][] {
  try {
    const lines = JSON.parse(localStorage.getItem(KEY) ?? "[]") as [string, number][];
    return lines.filter(([item, count]) => findProduct(item) && Number.isSafeInteger(count) && count > 0);
  } catch {
    return [];
  }
}
