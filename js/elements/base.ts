/** What both elements share: a recommender, the shop's products, strings, and their life on the page. */

import { unlessAborted } from "../common/deferred.js";
import type { Recommender } from "../recommender.js";
import { living, sharedRecommender } from "../shared.js";
import type { Consent } from "../types.js";
import { scriptsRun } from "./hydration.js";
import { type Catalogue, catalogueOf, IDS, type Product, type Products, ProductsFile } from "./products.js";
import { ENGLISH, type Strings } from "./strings.js";

/** On a server there are no elements, and importing this must still do. */
const Base = (typeof HTMLElement === "undefined" ? class {} : HTMLElement) as typeof HTMLElement;

/** How far outside the screen an element already asks. */
const MARGIN = "300px";

/** The value of the attribute `consent` that leaves it to the page's banner. */
const BANNER = "banner";

/** The recommenders that record from the page's markup because an element said so. */
const observing = new WeakSet<Recommender>();

/** The element both are. */
export class IngleElement extends Base {
  static readonly observedAttributes: string[] = ["src", "products", "consent"];
  #recommender: Recommender | undefined;
  #products: Products | undefined;
  /** The property `products`, ready to be looked up in. */
  #own: Catalogue | undefined;
  #strings: Strings = ENGLISH;
  /** Whether it is the page's own and not shared by its address. */
  #given = false;
  #connected: AbortController | undefined;
  /** When the recommender is known, while a script of the page may be about to make it. */
  #scripts: Promise<void> | undefined;
  #queued = false;
  #drawing = false;
  /** Whether it is on the screen or close: one that is not asks for nothing until it is. */
  #near = false;
  #behind = false;
  #watcher: IntersectionObserver | undefined;

  /** The recommender to ask; else the one that elements with the same `src` share. */
  get recommender(): Recommender | undefined {
    const src = this.getAttribute("src");
    if (!this.#given && this.#recommender?.disposed) this.#recommender = undefined;
    const consent = this.getAttribute("consent") ?? BANNER;
    if (!this.#recommender && src !== null) this.#recommender = sharedRecommender(src, consent === BANNER ? undefined : (consent as Consent | "ask"));
    return this.#recommender;
  }

  set recommender(recommender: Recommender | undefined) {
    this.#recommender = recommender;
    this.#given = Boolean(recommender);
    if (this.#connected) this.#reconnect();
  }

  /** What cards show; or the attribute `products`, the address of all products as JSON: an object by id, or a list. */
  get products(): Products | undefined {
    return this.#products;
  }

  set products(products: Products | undefined) {
    this.#products = products;
    this.#own = undefined;
    if (!this.#connected) return;
    // The address of a file is the file's business, as the attribute is.
    if (typeof products === "string") this.#reconnect();
    else this.stocked(this.#connected.signal);
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
    if (name === "src" && before !== null) [this.#recommender, this.#given] = [undefined, false];
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
      await this.#scripts;
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

  /** Nothing more comes: ends a wait. */
  protected settle(): void {}

  /** Tells whoever listens that something went wrong. */
  protected report(error: unknown): void {
    this.dispatchEvent(new CustomEvent("ingle-error", { detail: error, bubbles: true }));
  }

  /** Looks up what cards show of these items; what is not in the shop any more is missing. */
  protected async lookUp(items: Iterable<string>): Promise<Map<string, Product>> {
    const catalogue = await this.catalogue();
    const found = new Map<string, Product>();
    await Promise.all(
      [...new Set(items)].map(async (item) => {
        const product = await catalogue.get(item);
        if (product) found.set(item, product);
      }),
    );
    return found;
  }

  /** The shop's products, of the property or of the file; without any, an id stands for itself. */
  protected async catalogue(): Promise<Catalogue> {
    const file = this.#file;
    if (file) return file.products;
    return this.#products ? (this.#own ??= catalogueOf(this.#products as Exclude<Products, string>, "the property products")) : IDS;
  }

  /** The file of products that the attribute names, or the property: React and Vue write the one as the other. */
  get #file(): ProductsFile | undefined {
    const address = this.#products ?? this.getAttribute("products");
    return typeof address === "string" ? ProductsFile.at(new URL(address, document.baseURI).href) : undefined;
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
    this.#scripts = this.#awaitScripts();
    const follow = (): void => {
      const { recommender } = this;
      if (!recommender) return;
      this.follow(recommender, signal);
      this.#serve(recommender);
    };
    if (this.#scripts) void this.#scripts.then(() => signal.aborted || follow());
    else follow();
    this.stocked(signal);
    this.refresh();
    try {
      // Named here, the products file is fetched now; one that comes late is drawn once it is there.
      this.#file?.addEventListener("load", () => (this.stocked(signal), this.refresh()), { signal });
    } catch {
      // An address that is none is told by whoever draws.
    }
  }

  /** What attributes ask for on the page's behalf, once for each recommender and until that is disposed of. */
  #serve(recommender: Recommender): void {
    if (this.hasAttribute("observe") && !observing.has(recommender)) {
      observing.add(recommender);
      recommender.observe();
    }
    if (this.getAttribute("consent") === BANNER) {
      import("./banner.js").then(({ followBanner }) => followBanner(recommender)).catch((error: unknown) => this.report(error));
    }
  }

  /** A recommender that a script of the page makes is taken, so one of the elements' own is made after the scripts. */
  #awaitScripts(): Promise<void> | undefined {
    const src = this.getAttribute("src");
    return this.#recommender || src === null || living(src).length > 0 ? undefined : scriptsRun();
  }

  /** What the attribute says once there is a recommender is a choice of the shopper's; before, what it begins with. */
  #consent(value: string): void {
    if (value === "ask" || value === BANNER || this.getAttribute("src") === null) return;
    this.#recommender?.consent(value as Consent).catch((error: unknown) => this.report(error));
  }

  protected failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.settle();
    this.report(error);
  }
}
