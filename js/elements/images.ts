/**
 * Images of all products, fetched alike for every visitor, so that no host can tell from what is asked of it which of
 * them are recommended.
 *
 * Loaded only where a shelf has the attribute `images`.
 */

import { IngleError } from "../errors.js";
import type { Catalogue } from "./products.js";

/** The image at an address, at an address of this page; nothing if it did not come. */
const local = new Map<string, Promise<string | undefined>>();

/** Fetches what these fields of all products name; says where an image that is among it can be had. */
export function fetchAll({ all }: Catalogue, fields: readonly string[]): (address: string) => Promise<string | undefined> {
  if (!all) {
    throw new IngleError("input/options", "The attribute `images` needs all products, as an object, a map, a list or a file: a function does not tell which there are.");
  }
  for (const product of all()) {
    for (const field of fields) {
      const address = product[field];
      if (typeof address === "string" && address !== "" && !local.has(address)) local.set(address, fetchOne(address));
    }
  }
  return (address) => local.get(address) ?? Promise.resolve(undefined);
}

async function fetchOne(address: string): Promise<string | undefined> {
  try {
    if (address.startsWith("data:")) return address;
    const response = await fetch(address, { credentials: "omit", referrerPolicy: "no-referrer", priority: "low" });
    return response.ok ? URL.createObjectURL(await response.blob()) : undefined;
  } catch {
    // A card without its image is still a card, and the host has been asked once like for everyone.
    return undefined;
  }
}
