/**
 * Bundle files on the device, by address: in the Cache API, and in memory where that is missing or full.
 *
 * Nothing here may fail: a cache that cannot is a cache that has nothing.
 */

type Bytes = Uint8Array<ArrayBuffer>;

export interface FileCache {
  get(url: string): Promise<Bytes | undefined>;
  put(url: string, bytes: Bytes): Promise<void>;
  /** Drops every entry in the folder `base` that `urls` does not name: files of earlier releases. */
  keepOnly(base: string, urls: string[]): Promise<void>;
}

/** The name of ours among the origin's caches. */
export const CACHE_NAME = "ingle-bundles";

/** The best cache that there is here. */
export function openCache(): FileCache {
  const memory = new MemoryCache();
  // `caches` exists on secure pages only, and merely touching it throws where storage is blocked.
  try {
    return typeof caches === "undefined" ? memory : new BrowserCache(memory);
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

  async keepOnly(base: string, urls: string[]): Promise<void> {
    for (const url of this.#files.keys()) {
      if (isStale(url, base, urls)) this.#files.delete(url);
    }
  }
}

class BrowserCache implements FileCache {
  readonly #overflow: FileCache;

  constructor(overflow: FileCache) {
    this.#overflow = overflow;
  }

  async get(url: string): Promise<Bytes | undefined> {
    try {
      const hit = await (await caches.open(CACHE_NAME)).match(url);
      if (hit) return new Uint8Array(await hit.arrayBuffer());
    } catch {
      // Storage was switched off: as good as empty.
    }
    return this.#overflow.get(url);
  }

  async put(url: string, bytes: Bytes): Promise<void> {
    try {
      await (await caches.open(CACHE_NAME)).put(url, new Response(bytes));
    } catch {
      // Full (QuotaExceededError) or switched off: the page keeps its own copy.
      await this.#overflow.put(url, bytes);
    }
  }

  async keepOnly(base: string, urls: string[]): Promise<void> {
    await this.#overflow.keepOnly(base, urls);
    try {
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
