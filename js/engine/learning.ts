/** Whether a bundle has an adapter to learn from the shopper's own clicks. */

import type { Bytes } from "../bundle/bundle.js";
import { sha256 } from "../bundle/hash.js";
import { manifestOf } from "./manifest.js";

/** What a page has to know to let an engine learn. */
export interface Learning {
  /** The hash of the bundle's manifest: what was learnt with another bundle is of no use. */
  bundle: string;
  /** From how many clicks on. */
  clicks: number;
  /** The model's width: a vector has one number more. */
  width: number;
}

/** What a manifest says of learning; `undefined` if nothing is to be learnt. */
export async function learningOf(manifest: Bytes): Promise<Learning | undefined> {
  const { adapter, items } = manifestOf(manifest);
  const [clicks, width] = [adapter?.learning?.clicks, items?.width];
  if (typeof clicks !== "number" || typeof width !== "number") return undefined;
  // Without a hash what is learnt ends with the page: no later one has the same bundle.
  return { bundle: (await sha256(manifest)) ?? String(Math.random()), clicks, width };
}
