/** The shop's products: what cards show of items, and the shapes in which a shop may have them. */

import { IngleError } from "../errors.js";
import { byId } from "../common/ids.js";
import type { ItemId } from "../types.js";

/** What a card shows of an item; a template may name any further field. */
export interface Product {
  title: string;
  url?: string;
  image?: string;
  price?: string;
  [field: string]: unknown;
}

/** A product in a list: found by its `id`, or by its `handle`, `slug` or `sku` where no other has that for an id. */
export interface ListedProduct {
  id?: ItemId;
  [field: string]: unknown;
}

/**
 * The shop's products: an object or a map by id, a list, the address of one of these as JSON, or a function that looks
 * one up. Fetching single products
 * as they are recommended would tell a server what is recommended: have them all, or by category.
 */
export type Products =
  | string
  | Readonly<Record<string, Product>>
  | ReadonlyMap<ItemId, Product>
  | readonly ListedProduct[]
  | { readonly products: readonly ListedProduct[] }
  | ((item: string) => Product | undefined | Promise<Product | undefined>);

/** Products that can be looked up. */
export interface Catalogue {
  get(item: string): Product | undefined | Promise<Product | undefined>;
  /** All products; `undefined` if products come from a function. */
  all?(): Iterable<Product>;
  /** A description of the products for error messages; also `undefined` for a function. */
  says?: string;
}

/** Without products, an id is its own title. */
export const IDS: Catalogue = { get: (item) => ({ title: item }) };

/** Delays after which a products file is requested again if that failed, in milliseconds. */
const RETRY_MS = [5_000, 60_000, 600_000];

/**
 * A file of all products. It is fetched when an element names it, whether or not the element is ever seen and before
 * anything is answered, and again by a timer if that failed: the time of a request never depends on what is clicked.
 */
export class ProductsFile extends EventTarget {
  static readonly #known = new Map<string, ProductsFile>();
  products!: Promise<Catalogue>;
  #failures = 0;

  static at(href: string): ProductsFile {
    let known = ProductsFile.#known.get(href);
    if (!known) ProductsFile.#known.set(href, (known = new ProductsFile(href)));
    return known;
  }

  private constructor(href: string) {
    super();
    this.#load(href);
  }

  #load(href: string): void {
    this.products = load(href);
    const again = (): void => {
      const wait = RETRY_MS[this.#failures++];
      if (wait !== undefined) setTimeout(() => this.#load(href), wait);
    };
    // Waiting elements get the products; those that were told of a failure draw again.
    this.products.then(() => this.#failures > 0 && this.dispatchEvent(new Event("load")), again);
  }
}

async function load(address: string): Promise<Catalogue> {
  const response = await fetch(address, { credentials: "omit", referrerPolicy: "no-referrer" }).catch((cause: unknown) => {
    throw wrong(`${address} could not be fetched: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  });
  if (!response.ok) throw wrong(`${address} cannot be had: HTTP ${response.status}.`);
  const products: unknown = await response.json().catch((cause: unknown) => {
    throw wrong(`${address} is not JSON, but ${response.headers.get("content-type") ?? "of no stated type"}.`, cause);
  });
  return catalogueOf(products as Exclude<Products, string>, address);
}

/** Products of any shape; `where` names them in errors. */
export function catalogueOf(products: Exclude<Products, string>, where: string): Catalogue {
  if (typeof products === "function") return { get: products };
  if (products instanceof Map) {
    const map = products as ReadonlyMap<ItemId, Product>;
    return { get: (item) => byId(map, item), all: () => map.values(), says: tell(where, map.size, map.keys()) };
  }
  const list = Array.isArray(products) ? products : isObject(products) ? products["products"] : undefined;
  if (Array.isArray(list)) return fromList(list, where);
  const values = isObject(products) ? Object.values(products) : undefined;
  if (!values || (values.length > 0 && !values.some(isObject))) throw wrong(`${where} should be an object of products by id, or a list of products with ids; it is ${shapeOf(products)}.`);
  const record = products as Record<string, Product>;
  return { get: (item) => (Object.hasOwn(record, item) ? record[item] : undefined), all: () => Object.values(record).filter(isObject), says: tell(where, values.length, Object.keys(record)) };
}

/** The error of a shelf that can show none of the recommended items. */
export function missing(count: number, says: string | undefined): IngleError {
  return wrong(`None of the ${count} recommended items is among the products${says ? `: ${says}` : ""}.`);
}

function fromList(list: unknown[], where: string): Catalogue {
  const found = new Map<string, Product>();
  // An object with these keys is a single product.
  const products = list.map((entry) => (isObject(entry) ? productOf(entry) : undefined));
  // An id takes precedence over another product's handle.
  for (const key of ["id", "handle", "slug", "sku"]) {
    for (const product of products) {
      const id = product?.[key];
      if (product && (typeof id === "string" || typeof id === "number") && !found.has(String(id))) found.set(String(id), product);
    }
  }
  if (found.size === 0 && list.length > 0) throw wrong(`${where} should be an object of products by id, or a list of products with ids; it is a list of ${list.length} without id, handle, slug or sku.`);
  return { get: (item) => found.get(item), all: () => found.values(), says: tell(where, list.length, found.keys()) };
}

/** A product of a list, with the fields of the default card under their standard names. */
function productOf(entry: ListedProduct): Product {
  const { title, name, url, permalink, link, handle, image, featured_image: featured, image_link: imageLink, images, price, variants } = entry as Record<string, unknown>;
  const first = (list: unknown): unknown => (Array.isArray(list) ? list[0] : undefined);
  const address = url ?? permalink ?? link ?? (typeof handle === "string" ? `/products/${handle}` : undefined);
  const picture = [image, featured, imageLink, first(images)].map((one) => (isObject(one) ? one["src"] : one)).find((one) => typeof one === "string");
  const variant = first(variants);
  const cost = price ?? (isObject(variant) ? variant["price"] : undefined);
  return {
    ...entry,
    title: String(title ?? name ?? entry.id ?? handle),
    ...(typeof address === "string" && { url: address }),
    ...(typeof picture === "string" && { image: picture }),
    ...((typeof cost === "string" || typeof cost === "number") && { price: String(cost) }),
  };
}

function tell(where: string, count: number, ids: Iterable<ItemId>): string {
  const few = [...take(ids, 3)].map((id) => JSON.stringify(id)).join(", ");
  return count === 0 ? `${where} is empty` : `${where} has ${count}, such as ${few}`;
}

function* take(ids: Iterable<ItemId>, count: number): Generator<ItemId> {
  for (const id of ids) {
    if (count-- <= 0) return;
    yield id;
  }
}

function shapeOf(value: unknown): string {
  if (!isObject(value)) return value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return `an object of ${Object.keys(value).slice(0, 3).join(", ")}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(message: string, cause?: unknown): IngleError {
  return new IngleError("input/products", message, { cause });
}
