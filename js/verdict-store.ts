/**
 * Where it is kept which engine was faster: in a cache of its own, beside the bundles', because it is forgotten with the
 * history and they are not. Small, so that erasing needs nothing else of the package.
 */

import { keptAddress } from "./cache.js";
import { IngleError } from "./errors.js";

/** The name of ours among the origin's caches. */
const CACHE_NAME = "ingle-engines";

/** One text for each bundle, by its address. */
export interface VerdictStore {
  get(base: string): Promise<string | undefined>;
  put(base: string, text: string): Promise<void>;
}

/** The device's; written to only while `mayStore`. What cannot be kept is found out again. */
export function verdictsOnDevice(mayStore: () => boolean): VerdictStore {
  return {
    async get(base) {
      try {
        // Opening a cache makes it; looking through those that exist does not.
        return await (await caches.match(keptAddress(base), { cacheName: CACHE_NAME }))?.text();
      } catch {
        return undefined;
      }
    },
    async put(base, text) {
      if (!mayStore()) return;
      try {
        await (await caches.open(CACHE_NAME)).put(keptAddress(base), new Response(text));
        // Consent may have been taken back, and this erased, meanwhile.
        if (!mayStore()) await caches.delete(CACHE_NAME);
      } catch {
        // Storage that is missing, full or switched off.
      }
    },
  };
}

/** Deletes it for every bundle; rejects if that cannot be done. */
export async function eraseVerdicts(): Promise<void> {
  try {
    // Pages that are not secure have no caches, and never had.
    if (typeof caches !== "undefined") await caches.delete(CACHE_NAME);
  } catch (cause) {
    throw new IngleError("storage/lost", `Which engine was faster could not be erased from this device: ${String(cause)}`, { cause });
  }
}
