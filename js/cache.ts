/** The bundles' cache on this device: its name, the lock that goes with it, and its end; and the addresses that caches of ours use. */

import { IngleError } from "./errors.js";

/** The name of ours among the origin's caches. */
export const CACHE_NAME = "ingle-bundles";

/** What belongs to the bundle at `base` lies under this, and nobody asks for it: `.invalid` is nobody's, for ever. */
export function keptAddress(base: string): string {
  return `https://ingle.invalid/${encodeURIComponent(base)}`;
}

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
