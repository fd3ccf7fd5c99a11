/**
 * Erasures that are not complete. An erasure that fails is remembered, by the page and in `localStorage` under
 * `ingle:NAME:erase`, and is done before anything else at the next call and on the next visit.
 */

import { eraseBundles, eraseVerdicts } from "../bundle/cache.js";
import { IngleError } from "../errors.js";
import { isId } from "../common/ids.js";
import type { IndexedDbStore } from "./indexeddb.js";

/** What is to be erased. */
export interface Owed {
  /** The whole history, and the verdicts on which engine was faster. */
  all?: boolean;
  /** Single items of the history. */
  items?: string[];
  /** The bundles' files. */
  files?: boolean;
}

export class Erasures {
  readonly #key: string;
  readonly #store: IndexedDbStore;
  #owed: Owed = {};
  #reason: string | undefined;
  #read = false;

  constructor(name: string, store: IndexedDbStore) {
    this.#key = `ingle:${name}:erase`;
    this.#store = store;
  }

  /** Why something is not erased yet; `undefined` if everything is. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Erases this and what could not be erased before; rejects with `storage/erase` if something is left. */
  async run({ all = false, items = [], files = false }: Owed = {}): Promise<void> {
    const before = this.#read ? this.#owed : recall(this.#key);
    const noted = this.#read ? this.#reason !== undefined : isOwed(before);
    this.#read = true;
    this.#owed = { all: all || before.all === true, items: [...new Set([...(before.items ?? []), ...items])], files: files || before.files === true };
    if (!isOwed(this.#owed)) return;
    const failures: unknown[] = [];
    const left: Owed = {};
    const attempt = async (work: () => Promise<void>, owe: () => void): Promise<void> => {
      try {
        await work();
      } catch (error) {
        // If the browser forbids storage, no page can read anything there.
        if ([error, (error as Error | undefined)?.cause].some((one) => one instanceof DOMException && one.name === "SecurityError")) return;
        failures.push(error);
        owe();
      }
    };
    if (this.#owed.all) {
      await attempt(() => this.#store.erase(), () => (left.all = true));
      await attempt(eraseVerdicts, () => (left.all = true));
    } else for (const item of this.#owed.items ?? []) await attempt(() => this.#store.remove(item), () => (left.items ??= []).push(item));
    if (this.#owed.files) await attempt(eraseBundles, () => (left.files = true));
    this.#owed = left;
    this.#reason = undefined;
    if (failures.length === 0) return void (noted && note(this.#key, undefined));
    const kept = note(this.#key, left);
    const [cause] = failures;
    const what = left.all || left.items ? "What was to be forgotten" : "The bundle's files";
    this.#reason = `${what} could not be erased from this device (${cause instanceof Error ? cause.message : String(cause)}). ${kept ? "It is tried again on the next visit." : "This browser keeps no note of it either: forget again on the next visit."}`;
    throw new IngleError("storage/erase", this.#reason, { cause });
  }
}

function isOwed({ all, items = [], files }: Owed): boolean {
  return all === true || files === true || items.length > 0;
}

function recall(key: string): Owed {
  try {
    const { all, items, files } = JSON.parse(localStorage.getItem(key) ?? "{}") as Record<keyof Owed, unknown>;
    return { all: all === true, items: Array.isArray(items) ? items.filter(isId) : [], files: files === true };
  } catch {
    // There is no storage, or other code wrote there.
    return {};
  }
}

/** Stores what is still to be erased, or that nothing is; says whether that worked. */
function note(key: string, owed: Owed | undefined): boolean {
  try {
    if (owed) localStorage.setItem(key, JSON.stringify(owed));
    else localStorage.removeItem(key);
    return true;
  } catch {
    return false;
  }
}
