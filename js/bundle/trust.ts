/** The keys that a page trusts: those that it gives a recommender, or those that a tag in its head names for all of them. */

import { IngleError } from "../errors.js";
import type { Trust } from "../types.js";

const TAG = "ingle-trust";
const COUNTS = ["epoch", "threshold", "atLeast"] as const;
const FIELDS: string[] = ["shop", "keys", ...COUNTS];

/** The keys to trust; rejects where they are not as `ingle keys show` prints them, so that a slip does not turn checks off. */
export async function trustOf(given: Trust | "any" | undefined): Promise<Trust | undefined> {
  if (given === "any") return undefined;
  const [trust, where] = given === undefined ? [await named(), `<meta name="${TAG}">`] : [given as unknown, "trust"];
  if (trust === undefined) return undefined;
  const wrong = faultOf(Object(trust) as Record<string, unknown>);
  if (wrong) throw new IngleError("input/options", `${where}: ${wrong}. \`ingle keys show\` prints what belongs there.`);
  return trust as Trust;
}

/** What the page's tag says. Only the head is read: what shoppers may write is in the body. */
async function named(): Promise<unknown> {
  if (typeof document === "undefined") return undefined;
  await headIsRead();
  const tag = document.head?.querySelector<HTMLMetaElement>(`meta[name="${TAG}"]`);
  if (!tag) return undefined;
  try {
    return JSON.parse(tag.content) as unknown;
  } catch {
    // Not JSON: no object, which is told.
    return null;
  }
}

/** Resolves once the parser has left the head: a script may run before the tag behind it is there. */
async function headIsRead(): Promise<void> {
  const isRead = (): boolean => document.body !== null || document.readyState !== "loading";
  if (isRead()) return;
  await new Promise<void>((resolve) => {
    const watcher = new MutationObserver(() => {
      if (!isRead()) return;
      watcher.disconnect();
      resolve();
    });
    watcher.observe(document, { childList: true, subtree: true });
    document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
  });
}

/** What is wrong with it, if anything. */
function faultOf(trust: Record<string, unknown>): string | undefined {
  const { shop, keys, threshold = 1 } = trust;
  const other = Object.keys(trust).find((name) => !FIELDS.includes(name));
  if (typeof shop !== "string" || shop === "") return "it is not an object with the name of a shop";
  if (other !== undefined) return `${JSON.stringify(other)} is none of ${FIELDS.join(", ")}`;
  if (!Array.isArray(keys) || !keys.every((key) => /^[0-9a-f]{64}$/.test(String(key)))) return "keys is not a list of public keys, each of 64 hex digits in lower case";
  const count = COUNTS.find((name) => trust[name] !== undefined && !(Number.isSafeInteger(trust[name]) && (trust[name] as number) > 0));
  if (count) return `${count} is not a whole number above 0`;
  return new Set(keys).size < (threshold as number) ? `${String(threshold)} keys must sign, and there are ${new Set(keys).size}` : undefined;
}
