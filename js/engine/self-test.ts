/** The self-test of a signed manifest: what an engine must recommend before its bundle is used. */

import { LOAD_MS, type EngineClient } from "./engine.js";
import { IngleError } from "../errors.js";
import { manifestOf } from "./manifest.js";

/** The test that a manifest has: a history, and the best items after it. */
export function selfTestOf(manifest: Uint8Array): { history: string[]; items: string[] } | undefined {
  const { history, items } = manifestOf(manifest).self_test ?? {};
  return Array.isArray(history) && Array.isArray(items) ? { history: history.map(String), items: items.map(String) } : undefined;
}

/** Asks the engine; rejects if it recommends anything else. */
export async function passTest(engine: EngineClient, { history, items }: NonNullable<ReturnType<typeof selfTestOf>>): Promise<void> {
  const best = await engine.recommend(history, { k: items.length, exclude: [], includeSeen: false }, { timeoutMs: LOAD_MS });
  if (best.length === items.length && best.every(({ item }, n) => item === items[n])) return;
  throw new IngleError("delivery/self-test", "The bundle's self-test failed: the engine does not recommend what the manifest says it must.");
}
