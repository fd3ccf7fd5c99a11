/** What both elements share: a recommender, the shop's products, strings, and their life on the page. */

import { unlessAborted } from "../deferred.js";
import { createRecommender, type Recommender } from "../recommender.js";
import type { Consent } from "../types.js";
import { ENGLISH, type Strings } from "./strings.js";

/** What a card shows of an item; a template may name any further field. */
export interface Product {
  title: string;
  url?: string;
  image?: string;
  price?: string;
  [field: string]: unknown;
}

/**
 * The shop's products by id: an object, a map, or a function that looks one up. Fetching single products
 * as they are recommended would tell a server what is recommended: have them all, or by category.
 */
export type Products = Readonly<Record<string, Product>> | ReadonlyMap<string, Product> | ((item: string) => Product | undefined | Promise<Product | undefined>);

/** On a server there are no elements, and importing this must still do. */
const Base = (typeof HTMLElement === "undefined" ? class {} : HTMLElement) as typeof HTMLElement;

/** How far outside the screen an element already asks. */
const MARGIN = "300px";

/** One recommender for each bundle on a page, for elements that name it by `src`. */
const shared = new Map<string, Recommender>();

/** The recommender that elements with this `src` share; made at the first call. */
export function sharedRecommender(src: string, consent?: Consent | "ask"): Recommender {
  const address = new URL(src, document.baseURI).href;
  let recommender = shared.get(address);
  if (!recommender) shared.set(address, (recommender = createRecommender(address, { ...(consent && { consent }) })));
  return recommender;
}

/** Milliseconds after which a products file that did not come is asked for again. */
const RETRY_MS = [5_000, 60_000, 600_000];

/**
 * A file of all products. It is fetched when an element names it, whether or not that is ever seen and before anything
 * is answered, and again by the clock where it did not come: when its host is asked never depends on what is clicked.
 */
class Catalogue extends EventTarget {
  static readonly #known = new Map<string, Catalogue>();
  products!: Promise<Record<string, Product>>;
  #failures = 0;

  static at(href: string): Catalogue {
    let known = Catalogue.#known.get(href);
    if (!known) Catalogue.#known.set(href, (known = new Catalogue(href)));
    return known;
  }

  private constructor(href: string) {
    super();
    this.#load(href);
  }

  #load(href: string): void {
    this.products = fetch(href, { credentials: "omit", referrerPolicy: "no-referrer" }).then((response) => response.json() as Promise<Record<string, Product>>);
    const again = (): void => {
      const wait = RETRY_MS[this.#failures++];
      if (wait !== undefined) setTimeout(() => this.#load(href), wait);
    };
    // Whoever waits has it; those who were told that it did not come draw again.
    this.products.then(() => this.#failures > 0 && this.dispatchEvent(new Event("load")), again);
  }
}

/** The element both are. */
export class IngleElement extends Base {
  static readonly observedAttributes: string[] = ["src", "products", "consent"];
  #recommender: Recommender | undefined;
  #products: Products | undefined;
  #strings: Strings = ENGLISH;
  #connected: AbortController | undefined;
  #queued = false;
  #drawing = false;
  /** Whether it is on the screen or close: one that is not asks for nothing until it is. */
  #near = false;
  #behind = false;
  #watcher: IntersectionObserver | undefined;

  /** The recommender to ask; else the one that elements with the same `src` share. */
  get recommender(): Recommender | undefined {
    const src = this.getAttribute("src");
    if (!this.#recommender && src !== null) this.#recommender = sharedRecommender(src, (this.getAttribute("consent") as Consent | "ask" | null) ?? undefined);
    return this.#recommender;
  }

  set recommender(recommender: Recommender | undefined) {
    this.#recommender = recommender;
    if (this.#connected) this.#reconnect();
  }

  /** What cards show; or the attribute `products`, the address of a JSON object of all products by id. */
  get products(): Products | undefined {
    return this.#products;
  }

  set products(products: Products | undefined) {
    this.#products = products;
    if (this.#connected) this.stocked(this.#connected.signal);
    this.refresh();
  }

  /** Words in place of the English ones. */
  get strings(): Strings {
    return this.#strings;
  }

  set strings(strings: Partial<Strings>) {
    this.#strings = { ...ENGLISH, ...strings };
    this.refresh();
  }

  connectedCallback(): void {
    // Set before the element was defined, a property hides the accessor of its name.
    for (const name of ["recommender", "products", "strings", "options"]) this.#adopt(name);
    this.#watcher ??= new IntersectionObserver((entries) => this.#moved(entries.at(-1)?.isIntersecting ?? false), { rootMargin: MARGIN });
    this.#watcher.observe(this);
    this.#reconnect();
  }

  disconnectedCallback(): void {
    this.#watcher?.disconnect();
    this.#near = false;
    this.#connected?.abort();
    this.#connected = undefined;
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === "src" && before !== null) this.#recommender = undefined;
    if (name === "consent") this.#consent(after ?? "session");
    if (!this.#connected) return;
    if (name === "src" || name === "products") this.#reconnect();
    else this.refresh();
  }

  /** Draws again: once for any number of changes at the same time, and once for all that come while it draws. */
  refresh(): void {
    if (!this.#connected || this.#queued) return;
    this.#queued = true;
    if (!this.#drawing) queueMicrotask(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#queued = false;
    const { signal } = this.#connected ?? {};
    this.#behind = !this.#near;
    if (this.#behind) return this.wait();
    if (!signal) return;
    this.#drawing = true;
    try {
      await unlessAborted(this.draw(signal), signal);
    } catch (error) {
      this.failed(error, signal);
    }
    this.#drawing = false;
    if (this.#queued) await this.#turn();
  }

  /** Something is to be drawn, but not seen yet. */
  protected wait(): void {}

  /** Follows a recommender until the signal aborts. */
  protected follow(_recommender: Recommender, _signal: AbortSignal): void {}

  /** There are products, or others than before. */
  protected stocked(_signal: AbortSignal): void {}

  /** Draws what there is to show. */
  protected async draw(_signal: AbortSignal): Promise<void> {}

  /** All products; without any, an id stands for itself. */
  protected async all(): Promise<Products> {
    return this.#products ?? (await this.#catalogue?.products) ?? ((item) => ({ title: item }));
  }

  /** Looks up what cards show of these items; what is not in the shop any more is missing. */
  protected async lookUp(items: Iterable<string>): Promise<Map<string, Product>> {
    const products = await this.all();
    const found = new Map<string, Product>();
    const look = (item: string): Product | undefined | Promise<Product | undefined> => {
      if (typeof products === "function") return products(item);
      if (products instanceof Map) return products.get(item) as Product | undefined;
      return Object.hasOwn(products, item) ? (products as Record<string, Product>)[item] : undefined;
    };
    await Promise.all(
      [...new Set(items)].map(async (item) => {
        const product = await look(item);
        if (product) found.set(item, product);
      }),
    );
    return found;
  }

  /** The products file that the attribute names, where no property takes its place. */
  get #catalogue(): Catalogue | undefined {
    const address = this.getAttribute("products");
    return address === null || this.#products ? undefined : Catalogue.at(new URL(address, document.baseURI).href);
  }

  #moved(near: boolean): void {
    this.#near = near;
    if (near && this.#behind) this.refresh();
  }

  #adopt(name: string): void {
    if (!Object.hasOwn(this, name)) return;
    const value = (this as Record<string, unknown>)[name];
    delete (this as Record<string, unknown>)[name];
    (this as Record<string, unknown>)[name] = value;
  }

  #reconnect(): void {
    this.#connected?.abort();
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    const { recommender } = this;
    if (recommender) this.follow(recommender, signal);
    this.stocked(signal);
    this.refresh();
    try {
      // Named here, the products file is fetched now; one that comes late is drawn once it is there.
      this.#catalogue?.addEventListener("load", () => (this.stocked(signal), this.refresh()), { signal });
    } catch {
      // An address that is none is told by whoever draws.
    }
  }

  /** What the attribute says once there is a recommender is a choice of the shopper's; before, what it begins with. */
  #consent(value: string): void {
    if (value === "ask" || this.getAttribute("src") === null) return;
    this.#recommender?.consent(value as Consent).catch((error: unknown) => this.failed(error));
  }

  protected failed(error: unknown, signal?: AbortSignal): void {
    if (!signal?.aborted) this.dispatchEvent(new CustomEvent("ingle-error", { detail: error, bubbles: true }));
  }
}
