/** The whole shop: departments, search, and cards that are drawn as one scrolls towards them. */

import type { Product } from "../products.js";
import { categories, searchProducts } from "../products.js";
import { card } from "./card.js";
import { byId, h } from "./dom.js";

/** Cards drawn at a time: few enough that drawing them never holds up a frame for long. */
const PAGE = 12;

const grid = byId<HTMLUListElement>("grid");
const filters = byId("filters");
const search = byId<HTMLInputElement>("search");
const note = byId("grid-note");

/** Tells when the end of the grid comes near. */
const end = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && more(), { rootMargin: "600px" });

let found: Product[] = [];
let category = "";

export function startGrid(): void {
  const chip = (label: string, value: string): HTMLAnchorElement => h("a", { class: "chip", href: value === "" ? "#/" : `#/c/${value}`, "data-category": value }, label);
  filters.replaceChildren(chip("Everything", ""), ...categories.map((name) => chip(name, name)));
  search.addEventListener("input", () => {
    // A search is in the whole shop, wherever it was begun.
    if (location.hash.startsWith("#/p/") || location.hash === "#/basket") location.hash = "#/";
    show();
  });
  search.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    grid.scrollIntoView({ block: "start" });
  });
  filter("");
}

/** Shows one department, or all for the empty one. */
export function filter(value: string): void {
  category = categories.includes(value) ? value : "";
  for (const chip of filters.children) {
    if ((chip as HTMLElement).dataset["category"] === category) chip.setAttribute("aria-current", "page");
    else chip.removeAttribute("aria-current");
  }
  const title = byId("all-title");
  title.textContent = category || "The whole shop";
  // A department's page has no other title.
  title.setAttribute("aria-level", category ? "1" : "2");
  show();
}

function show(): void {
  found = searchProducts(search.value, category);
  // A shop window mixes its departments; a department keeps its own order.
  if (!category && !search.value) found = shuffled(found);
  grid.replaceChildren();
  note.textContent = found.length === 0 ? "Nothing by that name. Try fewer words." : `${found.length} ${found.length === 1 ? "thing" : "things"}`;
  more();
}

/** Draws some more, and has the end watched anew: an end that stays near is not told of twice. */
function more(): void {
  end.disconnect();
  const shown = grid.children.length;
  grid.append(...found.slice(shown, shown + PAGE).map(card));
  if (grid.children.length < found.length) end.observe(byId("more"));
}

/** The same mixed order at every visit: steps through the list by a stride that shares no factor with it. */
function shuffled(list: Product[]): Product[] {
  let stride = Math.max(1, Math.floor(list.length * 0.382));
  while (gcd(stride, list.length) > 1) stride += 1;
  return list.map((_, place) => list[(place * stride) % list.length] as Product);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
