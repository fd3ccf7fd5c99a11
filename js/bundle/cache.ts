/** The caches of ours on this device: their names, the locks that go with them, their end, and the addresses that they use. */

import { IngleError } from "../errors.js";

/** The bundles' files. */
export const CACHE_NAME = "ingle-bundles";
/** Which engine was faster: in a cache of its own, because it is forgotten with the history and the files are not. */
export const VERDICTS_NAME = "ingle-engines";

/** What belongs to the bundle at `base` lies under this, and nobody asks for it: `.invalid` is nobody's, for ever. */
export function keptAddress(base: string): string {
  return `https://ingle.invalid/${encodeURIComponent(base)}`;
}

/** How long another tab may hold the lock before the work is done without it, in milliseconds. */
const LOCK_MS = 5_000;

/**
 * Runs `work` while no other tab of this origin runs such work with the same cache. Where browsers have no locks, or another tab does not
 * let go of it, runs it all the same: what changes the cache must be safe without, and is only tidier with it.
 */
export async function alone<T>(work: () => Promise<T>, cache = CACHE_NAME): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : (navigator.locks as LockManager | undefined);
  if (!locks) return work();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), LOCK_MS);
  let begun = false;
  try {
    return await locks.request(cache, { signal: waiting.signal }, () => {
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

/** Deletes the files of every bundle from the device, and whatever else lies with them. */
export const eraseBundles = (): Promise<void> => erase(CACHE_NAME, "The bundle's files");

/** Deletes from the device which engine was faster, for every bundle. */
export const eraseVerdicts = (): Promise<void> => erase(VERDICTS_NAME, "Which engine was faster");

/** Deletes a cache of ours once no tab writes to it; rejects if that cannot be done. Needs nothing else of the package. */
async function erase(name: string, what: string): Promise<void> {
  try {
    // Pages that are not secure have no caches, and never had.
    if (typeof caches !== "undefined") await alone(() => caches.delete(name), name);
  } catch (cause) {
    throw new IngleError("storage/erase", `${what} could not be erased from this device: ${String(cause)}`, { cause });
  }
}
