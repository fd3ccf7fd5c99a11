/** A page with both elements, and with the same in React and in Vue, bundled as a shop would. */

import axe from "axe-core";
import { type Consent, createRecommender, type Recommendation, type Recommender } from "ingle";
import { define, type Products } from "ingle/element";
import * as forReact from "ingle/react";
import * as forVue from "ingle/vue";
import { createElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { createApp, h } from "vue";

const SRC = "/b/";
const ITEMS = Array.from({ length: 300 }, (_, n) => `sku-${n}`);
const products: Products = (item) => ({ title: `Product ${item.slice(4)}`, url: `/p/${item}`, price: "£5" });

// With a signal of its own it is not the elements': those with an address share one of theirs.
const recommender: Recommender = createRecommender(SRC, { consent: "granted", storage: { collapseMs: 0 }, signal: new AbortController().signal });

const erasing = Object.getOwnPropertyDescriptor(IDBFactory.prototype, "deleteDatabase")!;

let provided: Root | undefined;
/** What the frameworks have shown of a list, one after the other. */
const drawings: Record<string, string[]> = {};

const widgets = {
  /** Draws shelf and panel, and waits until both have what they show. */
  async show(attributes: Record<string, string> = {}): Promise<void> {
    define();
    document.documentElement.lang = "en";
    document.title = "shop";
    document.body.innerHTML = '<main><h1>Shop</h1><ingle-shelf heading="For you" k="8"><template><a class="mine" data-ingle-href="url"><b data-ingle-text="title"></b> <i data-ingle-reason></i></a></template></ingle-shelf><ingle-privacy></ingle-privacy></main>';
    const [shelf, privacy] = [document.querySelector("ingle-shelf")!, document.querySelector("ingle-privacy")!];
    for (const [name, value] of Object.entries(attributes)) shelf.setAttribute(name, value);
    const answered = new Promise((resolve) => shelf.addEventListener("ingle-answer", resolve, { once: true }));
    for (const element of [shelf, privacy]) Object.assign(element, { recommender, products });
    await answered;
    await recommender.ready;
  },

  /** Draws elements that are told everything by attributes. */
  declare(): void {
    define();
    document.body.innerHTML = '<ingle-shelf src="/b/" products="/products.json" kind="popular" heading="Popular" k="3"></ingle-shelf><ingle-shelf src="/b/" products="/products.json" kind="similar" items="sku-7" heading="Like it" k="3"></ingle-shelf><ingle-privacy src="/b/" products="/products.json"></ingle-privacy>';
    addEventListener("ingle-click", ({ detail, target }) => Object.assign(target!, { clicked: detail.item }));
  },

  /** A shelf of the default cards, whose products have an image, one that cannot be had, or none. */
  async pictures(image: string): Promise<(string | undefined)[]> {
    define();
    document.documentElement.lang = "en";
    document.body.innerHTML = '<main><h1>Shop</h1><ingle-shelf heading="For you" k="6"></ingle-shelf></main>';
    const shelf = document.querySelector("ingle-shelf")!;
    const words = ["Oak desk lamp", "Ärmelschal", "élan 3000", "A quiet mystery", "木の椅子", "“Kite”, red"];
    const answered = new Promise((resolve) => shelf.addEventListener("ingle-answer", resolve, { once: true }));
    const given = new Map<string, { title: string; price: string; image?: string }>();
    const shown: Products = (item) => {
      const n = given.size;
      if (!given.has(item)) given.set(item, { title: words[n % 6]!, price: "£5", ...(n === 0 && { image }), ...(n === 1 && { image: "/none.png" }) });
      return given.get(item);
    };
    Object.assign(shelf, { recommender, products: shown });
    await answered;
    shelf.querySelectorAll("img").forEach((picture) => (picture.loading = "eager"));
    return [...given.values()].map(({ title }) => title);
  },

  /** What stands in the picture's place of each card: its image, its initials, or what else. */
  places: (): string[] =>
    [...document.querySelectorAll<HTMLElement>("ingle-shelf > [role=group] .ingle-picture")].map((place) => {
      const seen = [...place.children].filter((part) => part.checkVisibility());
      return seen.map((part) => (part instanceof HTMLImageElement ? (part.naturalWidth > 0 ? "image" : "broken") : ((part as HTMLElement).dataset["initials"] ?? ""))).join();
    }),

  /** The panel alone, told everything by attributes. */
  panelOnly(): void {
    define();
    document.body.innerHTML = '<ingle-privacy src="/b/" products="/products.json"></ingle-privacy>';
  },

  /** The panel of a shop whose bundle has something to learn, and what was clicked there. */
  async panelOfLearning(items: string[]): Promise<void> {
    define();
    document.body.innerHTML = '<ingle-privacy src="/learning/" products="/products.json"></ingle-privacy>';
    const { recommender } = document.querySelector("ingle-privacy")!;
    await recommender!.record(items.map((item, at) => ({ item, at: Date.now() - items.length + at })));
  },

  /** The panel far below what is seen, or not shown at all; with the address of products, or the shop's own; says what it says at once. */
  panelUnseen(hidden: boolean, file?: string): string {
    define();
    document.body.innerHTML = "<div></div><ingle-privacy></ingle-privacy>";
    document.querySelector("div")!.style.height = "5000px";
    const element = document.querySelector("ingle-privacy")!;
    element.hidden = hidden;
    Object.assign(element, { recommender, products: file ?? products });
    return widgets.panelSays();
  },

  /** What shelves show, one after the other. */
  titles: (): string[] => [...document.querySelectorAll("ingle-shelf > [role=group] .ingle-title")].map(({ textContent }) => textContent ?? ""),
  clickFirst(): string {
    const shelf = document.querySelector("ingle-shelf")!;
    const link = shelf.querySelector<HTMLElement>("[role=group] a")!;
    link.addEventListener("click", (event) => event.preventDefault());
    link.click();
    return (shelf as HTMLElement & { clicked?: string }).clicked ?? "";
  },

  /** Gives every element that the shop made by attributes an attribute, and says what the panel then has. */
  attribute(name: string, value: string): void {
    for (const element of document.querySelectorAll("ingle-shelf, ingle-privacy")) element.setAttribute(name, value);
  },

  /** What the device has of the history. */
  databases: async (): Promise<(string | undefined)[]> => (await indexedDB.databases()).map(({ name }) => name),

  /** Storage whose every erasure fails, until it is mended. */
  breakErasing(on: boolean): void {
    const { prototype } = IDBFactory;
    const failing = (): never => {
      throw new DOMException("the disk is gone", "UnknownError");
    };
    if (on) Object.defineProperty(prototype, "deleteDatabase", { ...erasing, value: failing });
    else Object.defineProperty(prototype, "deleteDatabase", erasing);
  },

  /** Gives both elements words of another language. */
  translate(): void {
    document.querySelector("ingle-shelf")!.strings = { carousel: "Karussell", slide: "Karte", next: "Weiter", previous: "Zurück", position: (place, count) => `${place} von ${count}`, reason: () => "Beliebt" };
    document.querySelector("ingle-privacy")!.strings = { privacyHeading: "Was über Sie bekannt ist", forgetAll: "Alles vergessen", empty: "Nichts ist bekannt." };
  },
  shelfSays: (): string => [...document.querySelectorAll("ingle-shelf, ingle-shelf > [role=group]")].flatMap((part) => [...(part.shadowRoot?.querySelectorAll("[aria-label], [aria-roledescription]") ?? [part])]).map((part) => `${part.getAttribute("aria-label")} ${part.getAttribute("aria-roledescription")}`).join("; "),

  /** How the shelf moves when a button turns its page. */
  motion: (): string => getComputedStyle(document.querySelector("ingle-shelf")!.shadowRoot!.querySelector(".viewport")!).scrollBehavior,

  /** The ids on the shelf. */
  slides: (): (string | null)[] => [...document.querySelectorAll("ingle-shelf > [role=group]")].map((slide) => slide.getAttribute("data-item")),
  reasons: (): string[] => [...document.querySelectorAll("ingle-shelf i")].map(({ textContent }) => textContent ?? ""),
  focusFirst: (): void => document.querySelector<HTMLElement>("ingle-shelf a")?.focus(),
  focused: (): string | null | undefined => document.activeElement?.closest("[role=group]")?.getAttribute("aria-label"),

  /** All that the panel says. */
  panelSays: (): string => panel().textContent ?? "",

  /** Uses a control of the panel, by its label or its words. */
  panelUse(name: string): void {
    const named = (control: HTMLElement): boolean => control.getAttribute("aria-label") === name || control.closest("label, button")?.textContent === name;
    [...panel().querySelectorAll<HTMLElement>("button, input")].find(named)?.click();
  },

  visit: (items: string[]): Promise<boolean> => recommender.record(items.map((item, n) => ({ item, at: Date.now() - items.length + n }))),
  forget: (): Promise<void> => recommender.forget(),
  history: async (): Promise<string[]> => (await recommender.history()).map(({ item }) => item),

  /** Every violation that axe finds, by its rule. */
  async violations(): Promise<string[]> {
    const { violations } = await axe.run(document);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  },

  /** A list in a shelf, in React and in Vue, each with what it showed first. */
  ranked(items: string[]): void {
    define();
    const shelf = Object.assign(document.createElement("ingle-shelf"), { recommender, products });
    for (const [name, value] of [["kind", "rank"], ["items", items.join(" ")]]) shelf.setAttribute(name!, value!);
    document.body.append(shelf);
    const shows = (name: string, data: readonly Recommendation[]): string => {
      const text = data.map(({ item, source }) => `${item} ${source}`).join();
      drawings[name] ??= [];
      if (drawings[name].at(-1) !== text) drawings[name].push(text);
      return text;
    };
    const List = (): ReturnType<typeof createElement> => createElement("p", {}, shows("react", forReact.useRecommendations({ kind: "rank", items }).data));
    createRoot(document.body.appendChild(document.createElement("div"))).render(createElement(forReact.IngleProvider, { recommender }, createElement(List)));
    const app = createApp({
      setup() {
        const { data } = forVue.useRecommendations(() => ({ kind: "rank", items }));
        return () => h("p", shows("vue", data.value));
      },
    });
    app.use(forVue.createIngle(recommender)).mount(document.body.appendChild(document.createElement("div")));
  },
  drawings: (): (string[] | undefined)[] => [drawings["react"], drawings["vue"]],
  order: async (items: string[]): Promise<string> => (await recommender.rank(items)).map(({ item, source }) => `${item} ${source}`).join(),

  /** What a framework has drawn, once it has everything. */
  drawn: (framework: string): string | undefined => document.querySelector(`#${framework}[data-loading=false][data-rung=cpu][data-clicks="1"]`)?.textContent ?? undefined,

  react(): void {
    function Shelf(): ReturnType<typeof createElement> {
      const { data, loading } = forReact.useRecommendations({ k: 3 });
      const status = forReact.useStatus();
      forReact.useView("sku-42");
      const clicks = forReact.useExplanations();
      return createElement("p", { id: "react", "data-loading": String(loading), "data-rung": status?.rung, "data-clicks": clicks.data.length }, data.map(({ item }) => item).join(" "));
    }
    const root = document.createElement("div");
    document.body.append(root);
    createRoot(root).render(createElement(forReact.IngleProvider, { recommender }, createElement(Shelf)));
  },

  /** Draws, or draws again, a provider that makes its own recommender, with this consent. */
  reactWithConsent(consent?: Consent): void {
    function Answer(): ReturnType<typeof createElement> {
      const status = forReact.useStatus();
      forReact.useView("sku-42");
      return createElement("p", { id: "react" }, status && `${status.consent} ${status.storage.kind}`);
    }
    const options = { storage: { name: "react" }, ...(consent && { consent }) };
    provided ??= createRoot(document.body.appendChild(document.createElement("div")));
    provided.render(createElement(forReact.IngleProvider, { src: SRC, options }, createElement(Answer)));
  },
  reactSays: (): string | null | undefined => document.querySelector("#react")?.textContent,
  reactGoes: (): void => provided?.unmount(),

  vue(): void {
    const root = document.createElement("div");
    document.body.append(root);
    const app = createApp({
      setup() {
        const { data, loading } = forVue.useRecommendations(() => ({ k: 3 }));
        const status = forVue.useStatus();
        const clicks = forVue.useExplanations();
        forVue.useView("sku-42");
        return () => h("p", { id: "vue", "data-loading": String(loading.value), "data-rung": status.value?.rung, "data-clicks": clicks.data.value.length }, data.value.map(({ item }) => item).join(" "));
      },
    });
    app.use(forVue.createIngle(recommender)).mount(root);
  },

  items: ITEMS,
};

export type Widgets = typeof widgets;

declare global {
  interface WindowEventMap {
    "ingle-click": CustomEvent<Recommendation>;
  }
}

function panel(): ShadowRoot {
  return document.querySelector("ingle-privacy")!.shadowRoot!;
}

(globalThis as unknown as { page: Widgets }).page = widgets;
