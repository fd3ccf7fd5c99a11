/**
 * Bundle files on the device, by address: in the Cache API, and in memory where that is missing or full.
 *
 * Nothing here may fail: a cache that cannot is a cache that has nothing.
 */

import { IngleError } from "./errors.js";

type Bytes = Uint8Array<ArrayBuffer>;

export interface FileCache {
  get(url: string): Promise<Bytes | undefined>;
  put(url: string, bytes: Bytes): Promise<void>;
  /** Drops every entry in the folder `base` that `urls` does not name: files of earlier releases. */
  keepOnly(base: string, urls: string[]): Promise<void>;
  /** Writes to the device what had to stay in memory until now. */
  settle(): Promise<void>;
  /** Deletes the files of every bundle from the device. */
  erase(): Promise<void>;
}

/** The name of ours among the origin's caches. */
export const CACHE_NAME = "ingle-bundles";

/** How long another tab may hold the lock before the work is done without it, in milliseconds. */
const LOCK_MS = 5_000;

/**
 * Runs `work` while no other tab of this origin runs such work. Where browsers have no locks, or another tab does not
 * let go of it, runs it all the same: what changes the cache must be safe without, and is only tidier with it.
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : (navigator.locks as LockManager | undefined);
  if (!locks) return work();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), LOCK_MS);
  let begun = false;
  try {
    return await locks.request(CACHE_NAME, { signal: waiting.signal }, () => {
      begun = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (begun) throw error;
    return work();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Deletes the files of every bundle from the device, and whatever else lies with them; rejects if that cannot be
 * done. Needs nothing else of the package.
 */
export async function eraseBundles(): Promise<void> {
  try {
    // Pages that are not secure have no caches, and never had.
    if (typeof caches === "undefined") return;
    await alone(() => caches.delete(CACHE_NAME));
  } catch (cause) {
    throw new IngleError("storage/erase", `The bundle's files could not be erased from this device: ${String(cause)}`, { cause });
  }
}

/** The best cache that there is here; files are written to the device only while `mayStore`. */
export function openCache(mayStore: () => boolean = () => true): FileCache {
  const memory = new MemoryCache();
  // `caches` exists on secure pages only, and merely touching it throws where storage is blocked.
  try {
    return typeof caches === "undefined" ? memory : new BrowserCache(memory, mayStore);
  } catch {
    return memory;
  }
}

/** Keeps copies, so that what it hands out can be moved to a worker. */
export class MemoryCache implements FileCache {
  readonly #files = new Map<string, Bytes>();

  async get(url: string): Promise<Bytes | undefined> {
    return this.#files.get(url)?.slice();
  }

  async put(url: string, bytes: Bytes): Promise<void> {
    this.#files.set(url, bytes.slice());
  }

  async settle(): Promise<void> {}

  async erase(): Promise<void> {}

  /** Gives away everything it has. */
  take(): [string, Bytes][] {
    const files = [...this.#files];
    this.#files.clear();
    return files;
  }

  async keepOnly(base: string, urls: string[]): Promise<void> {
    for (const url of this.#files.keys()) {
      if (isStale(url, base, urls)) this.#files.delete(url);
    }
  }
}

class BrowserCache implements FileCache {
  readonly #overflow: MemoryCache;
  readonly #mayStore: () => boolean;

  constructor(overflow: MemoryCache, mayStore: () => boolean) {
    this.#overflow = overflow;
    this.#mayStore = mayStore;
  }

  async get(url: string): Promise<Bytes | undefined> {
    try {
      // Opening a cache makes it; looking through those that exist does not.
      const hit = await caches.match(url, { cacheName: CACHE_NAME });
      if (hit) return new Uint8Array(await hit.arrayBuffer());
    } catch {
      // Storage was switched off: as good as empty.
    }
    return this.#overflow.get(url);
  }

  async put(url: string, bytes: Bytes): Promise<void> {
    if (!this.#mayStore()) return this.#overflow.put(url, bytes);
    try {
      await (await caches.open(CACHE_NAME)).put(url, new Response(bytes));
    } catch {
      // Full (QuotaExceededError) or switched off: the page keeps its own copy.
      await this.#overflow.put(url, bytes);
    }
  }

  async erase(): Promise<void> {
    try {
      await caches.delete(CACHE_NAME);
    } catch {
      // Storage that is switched off holds nothing.
    }
  }

  async settle(): Promise<void> {
    for (const [url, bytes] of this.#overflow.take()) await this.put(url, bytes);
  }

  async keepOnly(base: string, urls: string[]): Promise<void> {
    await this.#overflow.keepOnly(base, urls);
    try {
      if (!(await caches.has(CACHE_NAME))) return;
      const cache = await caches.open(CACHE_NAME);
      const stale = (await cache.keys()).filter(({ url }) => isStale(url, base, urls));
      await Promise.all(stale.map((request) => cache.delete(request)));
    } catch {
      // Nothing can be stale in a cache that cannot be opened.
    }
  }
}

/** A bundle's files lie directly in its folder; what lies deeper belongs to another bundle. */
function isStale(url: string, base: string, keep: string[]): boolean {
  return url.startsWith(base) && !url.slice(base.length).includes("/") && !keep.includes(url);
}
