/**
 * Images of all products, fetched in the same way for every visitor, so that requests do not show a host which products
 * are recommended.
 *
 * Loaded only if a shelf has the attribute `images`.
 */

import { IngleError } from "../errors.js";
import type { Catalogue } from "./products.js";

/** The image at an address, at an address of this page; nothing if it did not come. */
const local = new Map<string, Promise<string | undefined>>();

/** Fetches the images that these fields of all products name; returns a function to find the local address of an image. */
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
    // A card without its image is still a card, and the request did not depend on the recommendation.
    return undefined;
  }
}
