/** A page of a shop with everything on it that may ask for something, and a visit that does what a plan says. */

import { createRecommender, type Consent, type Recommender, type RecommenderOptions, type RecordInput } from "ingle";
import { define } from "ingle/element";

/** One thing that a shopper or the page does. */
export type Step =
  | { does: "record"; events: RecordInput[] }
  | { does: "look"; item: string }
  | { does: "ask" }
  | { does: "forget"; item?: string }
  | { does: "consent"; consent: Consent }
  | { does: "pause" | "resume" | "export" | "scroll" };

export interface Plan {
  bundle: string;
  options: RecommenderOptions;
  /** Attributes of the shelf beyond the usual ones. */
  shelf: Record<string, string>;
  /** Whether the page waits for the engine before the first step. */
  waits: boolean;
  steps: Step[];
  /** How often the page asks for a new bundle, at its end. */
  updates: number;
  /** Whether a GPU made of software passes for a real one. */
  gpu?: boolean;
}

let recommender: Recommender;

const page = {
  /** Makes the page and its recommender and does what is planned; resolves once all of it has been answered. */
  async run({ bundle, options, shelf, waits, steps, updates, gpu }: Plan): Promise<void> {
    if (gpu) for (const { prototype } of [GPUAdapter, GPUAdapterInfo]) Object.defineProperty(prototype, "isFallbackAdapter", { get: () => false });
    define();
    document.documentElement.lang = "en";
    document.body.innerHTML = '<main data-ingle-item="sku-3"></main><div></div>';
    const [main, below] = document.body.children as unknown as HTMLElement[];
    // The policy forbids styles in markup.
    main!.style.height = "300px";
    below!.style.height = "3000px";
    recommender = createRecommender(bundle, options);
    recommender.observe();
    for (const [tag, attributes] of [["ingle-shelf", shelf], ["ingle-privacy", {}]] as const) {
      const element = Object.assign(document.createElement(tag), { recommender });
      for (const [name, value] of Object.entries({ products: "/products.json", ...attributes })) element.setAttribute(name, value);
      document.body.append(element);
    }
    if (waits) await recommender.ready.catch(() => {});
    await page.act(steps);
    await recommender.ready.catch(() => {});
    for (let n = 0; n < updates; n++) await recommender.update().catch(() => {});
  },

  async act(steps: Step[]): Promise<void> {
    for (const step of steps) await act(step);
  },

  /** The ids on the shelf, and where their images are. */
  cards: (): { item: string | null; image: string | null | undefined }[] =>
    [...document.querySelectorAll("ingle-shelf > [data-item]")].map((slide) => ({ item: slide.getAttribute("data-item"), image: slide.querySelector("img")?.getAttribute("src") })),

  status: () => recommender.status,
  history: async (): Promise<string[]> => (await recommender.history()).map(({ item }) => item),

  /** The addresses of every entry of every cache. */
  async keptNames(): Promise<string[]> {
    const caching = (await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url));
    return (await Promise.all(caching)).flat();
  },

  /** Every entry of every cache, as text. */
  async kept(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) found.push(`${name} ${request.url} ${await (await cache.match(request))!.text()}`);
    }
    return found;
  },
};

export type VisitPage = typeof page;

async function act(step: Step): Promise<unknown> {
  switch (step.does) {
    case "record":
      return recommender.record(step.events);
    case "look": {
      const main = document.querySelector("main")!;
      main.dataset["ingleItem"] = step.item;
      return undefined;
    }
    case "ask":
      return Promise.allSettled([
        recommender.recommend({ k: 5, exclude: ["sku-9"], diversity: 0.3 }),
        recommender.similar("sku-7"),
        recommender.complete(["sku-7", "sku-9"]),
        recommender.popular(),
        recommender.rank(["sku-9", "sku-7", "unknown"]),
        recommender.recentlyViewed(),
        recommender.explain(),
      ]);
    case "forget":
      return recommender.forget(step.item);
    case "consent":
      return recommender.consent(step.consent);
    case "pause":
      return recommender.pause();
    case "resume":
      return recommender.resume();
    case "export":
      return recommender.export();
    case "scroll": {
      const shelf = document.querySelector("ingle-shelf")!;
      const answered = new Promise((resolve) => ["ingle-answer", "ingle-error"].forEach((type) => shelf.addEventListener(type, resolve, { once: true })));
      const busy = shelf.getAttribute("aria-busy") !== "false";
      shelf.scrollIntoView();
      return busy ? answered : undefined;
    }
  }
}

(globalThis as unknown as { page: VisitPage }).page = page;
