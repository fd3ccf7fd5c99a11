/**
 * `<ingle-shelf>`: a carousel of recommendations in the shop's own markup, which it asks for when it is seen.
 *
 * Follows the ARIA Authoring Practices' carousel pattern, without rotation by itself: a labelled group of
 * slides, previous and next as buttons, arrow keys, Home and End between slides.
 */

import { ask, followsHistory, type Question, type QuestionKind } from "../common/ask.js";
import type { Recommender } from "../recommender.js";
import type { QueryOptions, Recommendation } from "../types.js";
import { IngleElement } from "./base.js";
import { adopt, h, svg } from "./dom.js";
import { hydration, isSent } from "./hydration.js";
import { missing, type Product } from "./products.js";
import { CARDS, SHELF } from "./shelf-style.js";

const KINDS = ["personal", "similar", "complete", "recent", "popular", "rank"];

/**
 * Attributes: `src` (the bundle's folder) or the property `recommender`; `kind`; `items`, the ids that
 * `similar` and `complete` are about or that `rank` puts in order, apart by spaces; `k`; `scenario`; `heading`; `products`, the address of
 * all products as JSON; `observe`, to record from the page's markup; `consent`, what is allowed at first, `ask` or `banner`; `images`, the fields of products whose images are fetched for all of them alike. A `<template>` inside
 * it is the markup of one card, or a hidden element with `slot="card"` is, as pages that are hydrated need it; what has
 * `slot="note"` stands under the heading. */
export class IngleShelf extends IngleElement {
  static override readonly observedAttributes: string[] = [...IngleElement.observedAttributes, "kind", "items", "k", "scenario", "heading", "images"];
  /** Options of the question beyond those that are attributes. */
  #options: QueryOptions = {};
  /** Whether a framework may still compare the element with the server's markup. */
  readonly #sent = isSent();
  #drawn = false;
  #frame = 0;
  #scrolled = false;
  #parts: Parts | undefined;
  /** Finds the local address of an image that was fetched for all products. */
  #images: Promise<(address: string) => Promise<string | undefined>> | undefined;
  /** The address whose image an element shows. */
  readonly #shown = new WeakMap<Element, string>();

  get options(): QueryOptions {
    return this.#options;
  }

  set options(options: QueryOptions) {
    this.#options = options;
    this.refresh();
  }

  override connectedCallback(): void {
    this.#parts ??= this.#build();
    adopt(document, CARDS);
    super.connectedCallback();
    this.#whenOurs(() => this.#hold());
  }

  protected override follow(recommender: Recommender, signal: AbortSignal): void {
    recommender.addEventListener("change", () => followsHistory(this.#question) && this.refresh(), { signal });
    recommender.addEventListener("updated", () => this.refresh(), { signal });
    document.addEventListener("htmx:beforeHistorySave", () => this.#stepAside(), { signal });
  }

  /** Htmx is about to store the page in the browser's storage: recommendations must not be in it. */
  #stepAside(): void {
    const slides = this.#slides;
    const focused = document.activeElement;
    for (const slide of slides) slide.remove();
    queueMicrotask(() => {
      this.#fill(slides);
      if (focused instanceof HTMLElement && this.contains(focused)) focused.focus({ preventScroll: true });
    });
  }

  get #slides(): HTMLElement[] {
    return [...this.children].filter((child): child is HTMLElement => child.slot === "slides");
  }

  protected override wait(): void {
    this.#name();
    this.#whenOurs(() => {
      this.setAttribute("aria-busy", "true");
      this.#hold();
    });
  }

  protected override settle(): void {
    if (this.#drawn) this.setAttribute("aria-busy", "false");
    else this.#whenOurs(() => this.#show([], new Map()));
  }

  /** Images of all products are fetched when the products are known, not when a card shows one. */
  protected override stocked(signal: AbortSignal): void {
    const fields = this.#fields;
    if (fields.length === 0) return;
    this.#images = Promise.all([import("./images.js"), this.catalogue()]).then(([{ fetchAll }, products]) => fetchAll(products, fields));
    this.#images.catch((error: unknown) => this.failed(error, signal));
  }

  get #fields(): string[] {
    return (this.getAttribute("images") ?? "").split(/\s+/).filter(Boolean);
  }

  protected override async draw(signal: AbortSignal): Promise<void> {
    const { recommender } = this;
    this.wait();
    if (!recommender) return;
    const answer = await ask(recommender, { ...this.#question, signal });
    const about = answer.flatMap(({ reason }) => ("item" in reason ? [reason.item] : []));
    const products = await this.lookUp([...answer.map(({ item }) => item), ...about]);
    if (this.#sent) await hydration();
    if (signal.aborted) return;
    this.#show(answer, products);
    if (answer.length > 0 && !answer.some(({ item }) => products.has(item))) this.report(missing(answer.length, (await this.catalogue()).says));
    this.dispatchEvent(new CustomEvent("ingle-answer", { detail: answer, bubbles: true }));
  }

  /** Changes the element's own children or attributes after hydration. */
  #whenOurs(change: () => void): void {
    const waiting = this.#sent ? hydration() : undefined;
    if (waiting) void waiting.then(change);
    else change();
  }

  /** Shows placeholders for cards; the template may have been added after the element. */
  #hold(): void {
    // A page restored from a router's cache still has its cards.
    if (!this.#drawn && !this.querySelector(":scope > [data-item]")) this.#fill(Array.from({ length: this.#count }, () => this.#skeleton()));
  }

  get #question(): Question {
    const kind = this.getAttribute("kind") ?? "personal";
    const items = this.#items;
    const scenario = this.getAttribute("scenario");
    return { ...this.#options, kind: (KINDS.includes(kind) ? kind : "personal") as QuestionKind, items, k: this.#count, ...(scenario !== null && { scenario }) };
  }

  get #items(): string[] {
    return (this.getAttribute("items") ?? "").split(/\s+/).filter(Boolean);
  }

  get #count(): number {
    const all = this.getAttribute("kind") === "rank" ? this.#items.length : 10;
    const k = Number(this.getAttribute("k") ?? this.#options.k ?? all);
    return Number.isSafeInteger(k) && k >= 0 ? k : 10;
  }

  #show(answer: Recommendation[], products: Map<string, Product>): void {
    const kept = new Map([...this.children].map((child) => [child.getAttribute("data-item"), child as HTMLElement]));
    const shown = answer.filter(({ item }) => products.has(item));
    const slides = shown.map((recommendation, n) => {
      const old = kept.get(recommendation.item);
      const slide = old ?? this.#slide();
      slide.setAttribute("data-item", recommendation.item);
      slide.setAttribute("aria-label", this.strings.position(n + 1, shown.length));
      slide.setAttribute("aria-roledescription", this.strings.slide);
      this.#write(slide, recommendation, products);
      slide.onclick = () => this.#clicked(recommendation);
      return slide;
    });
    this.#drawn = true;
    this.#parts?.slot.replaceChildren();
    this.setAttribute("aria-busy", "false");
    this.#fill(slides);
    if (this.#parts) {
      this.#parts.nothing.hidden = slides.length > 0;
      this.#parts.status.textContent = this.strings.updated(slides.length);
    }
  }

  /** Replaces the slides and keeps those that contain the focus. */
  #fill(slides: HTMLElement[]): void {
    const keep = new Set<Element>(slides);
    for (const child of this.#slides) if (!keep.has(child)) child.remove();
    const there = this.#slides;
    slides.forEach((slide, n) => {
      if (there[n] === slide) return;
      const from = there.indexOf(slide);
      if (from >= 0) there.splice(from, 1);
      this.insertBefore(slide, there[n] ?? null);
      there.splice(n, 0, slide);
    });
    if (this.#scrolled) this.#parts?.viewport.scrollTo({ left: 0, behavior: "instant" });
    // Positions are read after drawing; earlier, the browser would compute the layout twice.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => setTimeout(() => this.#enable()));
  }

  #slide(): HTMLElement {
    const slide = h("div", { slot: "slides", role: "group" });
    slide.append(this.#card());
    return slide;
  }

  #skeleton(): HTMLElement {
    const slide = h("div", { slot: "slides", class: "ingle-skeleton", "aria-hidden": "true", inert: true });
    slide.append(this.#card());
    for (const text of slide.querySelectorAll("[data-ingle-text], [data-ingle-reason]")) text.textContent = "\u00a0";
    return slide;
  }

  #card(): Node {
    const [template, card] = [this.querySelector<HTMLTemplateElement>(":scope > template"), this.querySelector(":scope > [slot=card]")];
    if (card) {
      const copy = document.importNode(card, true);
      copy.removeAttribute("slot");
      copy.removeAttribute("hidden");
      return copy;
    }
    // React and Vue put a template's children beside its content.
    const holder = [template?.content, template].find((part) => part?.firstElementChild);
    if (holder) {
      const copy = document.createDocumentFragment();
      copy.append(...Array.from(holder.childNodes, (node) => document.importNode(node, true)));
      return copy;
    }
    const text = (name: string, className: string): HTMLElement => h("span", { "data-ingle-text": name, class: className });
    const image = h("img", { "data-ingle-src": "image", alt: "", loading: "lazy", referrerpolicy: "no-referrer", crossorigin: "anonymous" });
    image.addEventListener("error", () => image.setAttribute("data-ingle-broken", ""));
    const initials = h("span", { "data-ingle-initials": "title", class: "ingle-initials", "aria-hidden": "true" });
    return h("a", { class: "ingle-card", "data-ingle-href": "url" }, h("span", { class: "ingle-picture" }, image, initials), text("title", "ingle-title"), text("price", "ingle-price"), h("span", { "data-ingle-reason": true, class: "ingle-reason" }));
  }

  /** Writes a product into a card: `data-ingle-text`, `-href`, `-src` and `-alt` name its fields. */
  #write(slide: HTMLElement, { item, reason }: Recommendation, products: Map<string, Product>): void {
    const product = products.get(item);
    const each = (name: string, write: (element: HTMLElement, value: string) => void): void => {
      for (const element of slide.querySelectorAll<HTMLElement>(`[data-ingle-${name}]`)) write(element, String(product?.[element.getAttribute(`data-ingle-${name}`) ?? ""] ?? ""));
    };
    each("text", (element, value) => (element.textContent = value));
    each("href", (element, value) => (safe(value) ? element.setAttribute("href", value) : element.removeAttribute("href")));
    each("src", (element, value) => this.#illustrate(element, value));
    each("alt", (element, value) => element.setAttribute("alt", value));
    each("initials", (element, value) => {
      // Drawn by the style sheet, so that they are no part of the card's text.
      element.dataset["initials"] = initialsOf(value);
      element.style.setProperty("--ingle-hue", String(hueOf(value)));
    });
    const about = "item" in reason ? (products.get(reason.item)?.title ?? reason.item) : "";
    for (const element of slide.querySelectorAll("[data-ingle-reason]")) element.textContent = this.strings.reason(reason, about);
    this.dispatchEvent(new CustomEvent("ingle-card", { detail: { slide, item, reason, product } }));
  }

  /** Shows an image from its address, or the local copy if all images are fetched. */
  #illustrate(element: HTMLElement, address: string): void {
    if (this.#shown.get(element) === address) return;
    this.#shown.set(element, address);
    for (const name of ["src", "data-ingle-broken"]) element.removeAttribute(name);
    if (!this.#fields.includes(element.getAttribute("data-ingle-src") ?? "")) return address ? element.setAttribute("src", address) : undefined;
    const show = (src: string | undefined): unknown => src !== undefined && this.#shown.get(element) === address && element.setAttribute("src", src);
    this.#images?.then((at) => at(address)).then(show, () => {});
  }

  #clicked(recommendation: Recommendation): void {
    this.dispatchEvent(new CustomEvent("ingle-click", { detail: recommendation, bubbles: true }));
  }

  #name(): void {
    const heading = this.getAttribute("heading") ?? "";
    const { region, title, previous, next, nothing } = this.#parts ?? {};
    region?.setAttribute("aria-roledescription", this.strings.carousel);
    region?.setAttribute("aria-label", heading || this.strings.carousel);
    if (title) title.textContent = heading;
    previous?.setAttribute("aria-label", this.strings.previous);
    next?.setAttribute("aria-label", this.strings.next);
    if (nothing) nothing.textContent = this.strings.nothing;
  }

  #build(): Parts {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    adopt(root, SHELF);
    const title = h("h2", { part: "heading" });
    const button = (d: string): HTMLButtonElement => h("button", { type: "button", part: "button", "aria-controls": "viewport" }, svg("0 0 24 24", d));
    const [previous, next] = [button("M14.5 5.5 8 12l6.5 6.5"), button("M9.5 5.5 16 12l-6.5 6.5")];
    // Until there are cards or placeholders of the shop's own.
    const places = Array.from({ length: this.#count }, () => h("div", { class: "place", "aria-hidden": "true" }));
    const slot = h("slot", { name: "slides" }, ...places);
    const viewport = h("div", { class: "viewport", id: "viewport", part: "viewport" }, slot);
    const nothing = h("p", { class: "nothing", part: "nothing", hidden: true });
    const status = h("div", { class: "status", role: "status" });
    const region = h("section", {}, h("div", { class: "head" }, h("div", {}, title, h("slot", { name: "note" })), h("div", { class: "controls" }, previous, next)), viewport, nothing, status);
    root.replaceChildren(region);
    previous.addEventListener("click", () => this.#page(-1));
    next.addEventListener("click", () => this.#page(1));
    viewport.addEventListener("scroll", () => this.#enable(), { passive: true });
    new ResizeObserver(() => this.#enable()).observe(viewport);
    this.addEventListener("keydown", (event) => this.#key(event));
    return { region, title, previous, next, viewport, slot, nothing, status };
  }

  /** Which way the text runs: 1 from left to right, -1 from right to left. */
  get #direction(): 1 | -1 {
    return getComputedStyle(this).direction === "rtl" ? -1 : 1;
  }

  #page(by: 1 | -1): void {
    const { viewport } = this.#parts ?? {};
    viewport?.scrollBy({ left: by * this.#direction * viewport.clientWidth * 0.9 });
  }

  #enable(): void {
    const { viewport, previous, next } = this.#parts ?? {};
    if (!viewport || !previous || !next) return;
    const from = Math.abs(viewport.scrollLeft);
    const rest = viewport.scrollWidth - viewport.clientWidth - from;
    // A button that is disabled while focused passes the focus to the other one.
    const focused = this.shadowRoot?.activeElement;
    this.#scrolled = from >= 2;
    if (previous.disabled === this.#scrolled) previous.disabled = !this.#scrolled;
    if (next.disabled !== rest < 2) next.disabled = rest < 2;
    if (focused === previous && previous.disabled) next.focus();
    if (focused === next && next.disabled) previous.focus();
  }

  #key(event: KeyboardEvent): void {
    const slides = this.#slides;
    const at = slides.findIndex((slide) => slide.contains(document.activeElement));
    const step = { ArrowRight: this.#direction, ArrowLeft: -this.#direction }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? slides.length - 1 : step === undefined || at < 0 ? undefined : at + step;
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const target = slides[to]?.querySelector<HTMLElement>("a[href], button, [tabindex]");
    if (!target) return;
    event.preventDefault();
    target.focus();
    slides[to]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

interface Parts {
  region: HTMLElement;
  title: HTMLElement;
  previous: HTMLButtonElement;
  next: HTMLButtonElement;
  viewport: HTMLElement;
  slot: HTMLSlotElement;
  nothing: HTMLElement;
  status: HTMLElement;
}

/** The initials of a title's first two words. */
function initialsOf(title: string): string {
  const words = title.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 2).map((word) => String.fromCodePoint(word.codePointAt(0)!).toLocaleUpperCase()).join("");
}

/** A hue that is always the same for a title, in degrees. */
function hueOf(title: string): number {
  let hash = 0;
  for (let n = 0; n < title.length; n++) hash = (hash * 31 + title.charCodeAt(n)) % 360;
  return (hash * 137) % 360;
}

/** Addresses that are safe for a link: not those that run script. */
function safe(address: string): boolean {
  if (address === "") return false;
  try {
    return ["http:", "https:"].includes(new URL(address, document.baseURI).protocol);
  } catch {
    return false;
  }
}
