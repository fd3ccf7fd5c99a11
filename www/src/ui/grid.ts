/**
 * The whole shop: departments, search, and cards that are drawn as one scrolls towards them. What is found stands there at
 * once as it is listed, and glides into the shopper's order if that takes longer than one notices.
 */

import type { Product } from "../products.js";
import { categories, searchProducts } from "../products.js";
import type { Session } from "../session.js";
import { card } from "./card.js";
import { byId, h, prefersStill } from "./dom.js";
import { offerOrder, ordered, startOrder } from "./order.js";

/** Cards drawn at a time: few enough that drawing them never holds up a frame for long. */
const PAGE = 12;

/** What comes within this time, in milliseconds, has been there from the beginning, for whoever looks. */
const UNSEEN_MS = 60;

const grid = byId<HTMLUListElement>("grid");
const filters = byId("filters");
const search = byId<HTMLInputElement>("search");
const note = byId("grid-note");

/** Tells when the end of the grid comes near. */
const end = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && more(), { rootMargin: "600px" });

let found: Product[] = [];
let category = "";
/** Who knows the shopper's order, once the recommender is there. */
let orderer: Session | undefined;
/** Of several questions only the latest one's answer is drawn. */
let turn = 0;

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

/** From now on departments and searches are in the shopper's order, and in no other once everything is forgotten. */
export function orderBy(session: Session): void {
  orderer = session;
  startOrder(() => void arrange(true));
  let clicks = 0;
  session.on("view", (view) => {
    if (view.clicks.length < clicks) void arrange(true);
    clicks = view.clicks.length;
  });
  void arrange(false);
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
  const listed = searchProducts(search.value, category);
  grid.replaceChildren();
  // A shop window mixes its departments.
  draw(isList() ? listed : shuffled(listed));
  void arrange(false);
}

/** A department, or what a search has found: it has an order. */
const isList = (): boolean => category !== "" || search.value !== "";

/** Puts what is found in the order that the shopper has chosen. */
async function arrange(glides: boolean): Promise<void> {
  offerOrder(isList() && orderer !== undefined);
  const mine = ++turn;
  if (!isList() || !orderer) return;
  const listed = searchProducts(search.value, category);
  const begun = performance.now();
  const order = await ordered(listed, orderer).catch(() => undefined);
  if (mine !== turn) return;
  const change = (): void => draw(order?.products ?? listed, order?.words);
  const stays = (order?.products ?? listed).every((product, n) => product === found[n]);
  if (!stays && (glides || performance.now() - begun > UNSEEN_MS)) glide(change);
  else change();
}

/** Moves the cards that are on the screen to their new places, where the browser can. */
function glide(change: () => void): void {
  if (!document.startViewTransition || prefersStill()) return change();
  const seen = new Set<HTMLElement>();
  const name = (): void => {
    for (const one of grid.children as unknown as Iterable<HTMLElement>) {
      const { top, bottom } = one.getBoundingClientRect();
      if (bottom < 0 || top > innerHeight) continue;
      one.style.setProperty("view-transition-name", `card-${one.dataset["item"]?.replaceAll(/\W/g, "-")}`);
      seen.add(one);
    }
  };
  name();
  const transition = document.startViewTransition(() => {
    change();
    name();
  });
  const clear = (): void => seen.forEach((one) => one.style.removeProperty("view-transition-name"));
  transition.finished.then(clear, clear);
}

/** Draws products in this order, as many as are drawn already; cards that are there are moved. */
function draw(products: Product[], words?: string): void {
  found = products;
  const count = `${found.length} ${found.length === 1 ? "thing" : "things"}`;
  note.textContent = found.length === 0 ? "Nothing by that name. Try fewer words." : words === undefined ? count : `${count}, ${words}`;
  const there = new Map(([...grid.children] as HTMLElement[]).map((one) => [one.dataset["item"], one]));
  const drawn = found.slice(0, Math.max(PAGE, there.size));
  const cards = drawn.map((product) => there.get(product.item_id) ?? card(product));
  if (cards.length !== there.size || cards.some((one, n) => one !== grid.children[n])) {
    const focused = document.activeElement;
    grid.replaceChildren(...cards);
    if (focused instanceof HTMLElement && grid.contains(focused)) focused.focus({ preventScroll: true });
  }
  more(0);
}

/** Draws some more, and has the end watched anew: an end that stays near is not told of twice. */
function more(count = PAGE): void {
  end.disconnect();
  const shown = grid.children.length;
  grid.append(...found.slice(shown, shown + count).map(card));
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
