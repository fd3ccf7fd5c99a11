/** What both elements share: a recommender, the shop's products, strings, and their life on the page. */

import { unlessAborted } from "../common/deferred.js";
import { advise, mention } from "../common/development.js";
import type { Recommender } from "../recommender.js";
import { living, sharedRecommender } from "../shared.js";
import type { Consent } from "../types.js";
import { scriptsRun } from "./hydration.js";
import { type Catalogue, catalogueOf, IDS, type Product, type Products, ProductsFile } from "./products.js";
import { ENGLISH, type Strings } from "./strings.js";

/** On a server there are no elements, but importing this must work. */
const Base = (typeof HTMLElement === "undefined" ? class {} : HTMLElement) as typeof HTMLElement;

/** Distance from the screen at which an element starts to ask. */
const MARGIN = "300px";

/** When a developer is told of an element without a recommender, in milliseconds. */
const LATE_MS = 5_000;

/** The value of the attribute `consent` that leaves consent to the page's banner. */
const BANNER = "banner";

/** The recommenders that record from the page's markup because of an element. */
const observing = new WeakSet<Recommender>();

/** The base class of both elements. */
export class IngleElement extends Base {
  static readonly observedAttributes: string[] = ["src", "products", "consent"];
  #recommender: Recommender | undefined;
  #products: Products | undefined;
  /** The property `products`, prepared for look-ups. */
  #own: Catalogue | undefined;
  #strings: Strings = ENGLISH;
  /** Whether it was set by the page and is not shared by its address. */
  #given = false;
  #connected: AbortController | undefined;
  /** Resolves when the page's scripts have run, as one of them may make the recommender. */
  #scripts: Promise<void> | undefined;
  #queued = false;
  #drawing = false;
  /** Whether the element is on the screen or close to it; until then it asks for nothing. */
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
    // A product file's address is handled by the file, as for the attribute.
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
    // A property set before the element was defined hides the accessor of the same name.
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

  /** Draws again: once for several changes at the same time, and once for all changes during a drawing. */
  refresh(): void {
    if (!this.#connected || this.#queued) return;
    this.#queued = true;
    if (!this.#drawing) queueMicrotask(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#queued = false;
    const { signal } = this.#connected ?? {};
    this.#behind = !this.#near && !this.eager;
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

  /** Whether the element also draws while it is not seen. */
  protected get eager(): boolean {
    return false;
  }

  /** Called when the element is connected but not yet close to the screen. */
  protected wait(): void {}

  /** Follows a recommender until the signal aborts. */
  protected follow(_recommender: Recommender, _signal: AbortSignal): void {}

  /** Called when there are products, or other products than before. */
  protected stocked(_signal: AbortSignal): void {}

  /** Draws the contents. */
  protected async draw(_signal: AbortSignal): Promise<void> {}

  /** Called when nothing more will come: ends a wait. */
  protected settle(): void {}

  /** Reports an error to listeners. */
  protected report(error: unknown): void {
    this.dispatchEvent(new CustomEvent("ingle-error", { detail: error, bubbles: true }));
    advise(error);
  }

  /** Looks up what cards show of these items; items that the shop no longer has are missing. */
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

  /** The shop's products, from the property or from the file; without products, an id is its own title. */
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
      if (!recommender) return this.#missNone(signal);
      this.follow(recommender, signal);
      this.#serve(recommender);
    };
    if (this.#scripts) void this.#scripts.then(() => signal.aborted || follow());
    else follow();
    this.stocked(signal);
    this.refresh();
    try {
      // The products file is fetched now; if it arrives late, the element is drawn again.
      this.#file?.addEventListener("load", () => (this.stocked(signal), this.refresh()), { signal });
    } catch {
      // An address that is none is told by whoever draws.
    }
  }

  /** A framework may set the recommender a little later; without one, nothing is ever shown. */
  #missNone(signal: AbortSignal): void {
    const miss = (): void => mention(`<${this.localName}> has neither src nor recommender, so it shows nothing (docs/guides/errors.md).`);
    setTimeout(() => signal.aborted || miss(), LATE_MS);
  }

  /** Applies the page's attributes to a recommender, once for each and until it is disposed of. */
  #serve(recommender: Recommender): void {
    if (this.hasAttribute("observe") && !observing.has(recommender)) {
      observing.add(recommender);
      recommender.observe();
    }
    if (this.getAttribute("consent") === BANNER) {
      import("./banner.js").then(({ followBanner }) => followBanner(recommender)).catch((error: unknown) => this.report(error));
    }
  }

  /** A recommender made by the page's scripts is preferred, so the element's own is made after they have run. */
  #awaitScripts(): Promise<void> | undefined {
    const src = this.getAttribute("src");
    return this.#recommender || src === null || living(src).length > 0 ? undefined : scriptsRun();
  }

  /** A change of the attribute after the recommender exists is the shopper's choice; before, it is the initial consent. */
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
