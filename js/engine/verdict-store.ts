/** Storage of the verdicts on which engine was faster. */

import { alone, keptAddress, VERDICTS_NAME } from "../bundle/cache.js";
import { putWhile } from "../bundle/put.js";

/** One text for each bundle, by its address. */
export interface VerdictStore {
  get(base: string): Promise<string | undefined>;
  put(base: string, text: string): Promise<void>;
}

/** Storage on the device; written to only while `mayStore` is true. A missing verdict is found again by timing. */
export function verdictsOnDevice(mayStore: () => boolean): VerdictStore {
  return {
    async get(base) {
      try {
        // Opening a cache creates it; matching does not.
        return await (await caches.match(keptAddress(base), { cacheName: VERDICTS_NAME }))?.text();
      } catch {
        return undefined;
      }
    },
    async put(base, text) {
      if (!mayStore()) return;
      try {
        await alone(() => putWhile(mayStore, VERDICTS_NAME, keptAddress(base), text), VERDICTS_NAME);
      } catch {
        // Storage is missing, full or disabled.
      }
    },
  };
}
