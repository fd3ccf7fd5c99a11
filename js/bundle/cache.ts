/** The package's caches on this device: their names and locks, how they are erased, and the addresses in them. */

import { IngleError } from "../errors.js";

/** The bundles' files. */
export const CACHE_NAME = "ingle-bundles";
/** Which engine was faster: a separate cache, because it is erased with the history and the files are not. */
export const VERDICTS_NAME = "ingle-engines";

/** The prefix of all addresses of the bundle at `base`; they are never requested, as `.invalid` is reserved. */
export function keptAddress(base: string): string {
  return `https://ingle.invalid/${encodeURIComponent(base)}`;
}

/** How long to wait for another tab's lock before working without it, in milliseconds. */
const LOCK_MS = 5_000;

/**
 * Runs `work` while no other tab of this origin runs such work with the same cache. If browsers have no locks, or
 * another tab does not release it, `work` runs all the same: changes to the cache must be safe without a lock.
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

/** Deletes all bundles' files from the device. */
export const eraseBundles = (): Promise<void> => erase(CACHE_NAME, "The bundle's files");

/** Deletes the verdicts on which engine was faster, for every bundle. */
export const eraseVerdicts = (): Promise<void> => erase(VERDICTS_NAME, "Which engine was faster");

/** Deletes a cache when no tab writes to it; rejects if that fails. */
async function erase(name: string, what: string): Promise<void> {
  try {
    // Insecure pages have no caches.
    if (typeof caches !== "undefined") await alone(() => caches.delete(name), name);
  } catch (cause) {
    throw new IngleError("storage/erase", `${what} could not be erased from this device: ${String(cause)}`, { cause });
  }
}
