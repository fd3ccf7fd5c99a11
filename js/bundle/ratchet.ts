/**
 * The highest release that this device has seen of each shop's bundle, so that an older one is refused.
 *
 * Kept in memory while the page lives. On the device it is beside the verdicts on engines, so that it is erased with
 * the history, and it is written only while that is consented to.
 */

import { alone, keptAddress, VERDICTS_NAME } from "./cache.js";
import { putWhile } from "./put.js";
import type { Number2 } from "./signed.js";

const seen = new Map<string, Number2>();

/** The highest release seen. */
export async function highest(place: string): Promise<Number2> {
  return later(seen.get(place), await stored(place));
}

/** A release was seen: it is the highest from now on if it is. */
export async function raise(place: string, number: Number2, mayStore: () => boolean): Promise<void> {
  seen.set(place, later(seen.get(place), number));
  if (!mayStore()) return;
  try {
    await alone(async () => {
      const before = await stored(place);
      const now = later(before, number);
      if (now !== before) await putWhile(mayStore, VERDICTS_NAME, address(place), JSON.stringify(now));
    }, VERDICTS_NAME);
  } catch {
    // Storage is missing, full or disabled.
  }
}

/** Forgets what is in memory, as a new page would. */
export function forgetSeen(): void {
  seen.clear();
}

async function stored(place: string): Promise<Number2> {
  try {
    // Opening a cache creates it; matching does not.
    const found = await caches.match(address(place), { cacheName: VERDICTS_NAME });
    const [epoch, release] = JSON.parse(new TextDecoder().decode(await found?.arrayBuffer())) as unknown[];
    return Number.isSafeInteger(epoch) && Number.isSafeInteger(release) ? [epoch as number, release as number] : [0, 0];
  } catch {
    return [0, 0];
  }
}

function later(a: Number2 = [0, 0], b: Number2): Number2 {
  return b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a;
}

function address(place: string): string {
  return `${keptAddress(place)}/release`;
}
