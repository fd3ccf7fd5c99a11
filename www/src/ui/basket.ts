/** The basket's page, and its count in the header. */

import type { Basket } from "../basket.js";
import { addressOf, findProduct, pounds } from "../products.js";
import type { Session } from "../session.js";
import { tile } from "./card.js";
import { byId, fill, h } from "./dom.js";

const page = byId("basket");
const link = byId("basket-link");
const count = byId("basket-count");

export function startBasket(basket: Basket, session: Session): void {
  const change = (item: string, to: number): void => {
    const before = basket.of(item);
    basket.set(item, to);
    if (to === 0) void session.record(item, "remove");
    else if (to > before) void session.record(item, "cart");
    (page.querySelector<HTMLElement>(`[data-line="${item}"] .more`) ?? page.querySelector<HTMLElement>("h1"))?.focus();
  };
  const show = (): void => {
    count.textContent = String(basket.count);
    count.hidden = basket.count === 0;
    link.setAttribute("aria-label", basket.count === 0 ? "Basket, empty" : `Basket, ${basket.count} ${basket.count === 1 ? "thing" : "things"}`);
    draw(basket, change);
  };
  basket.addEventListener("change", show);
  show();
}

function draw(basket: Basket, change: (item: string, to: number) => void): void {
  const title = h("h1", { id: "basket-title", tabindex: "-1" }, "Your basket");
  if (basket.count === 0) {
    fill(page, title, h("p", { class: "empty" }, "Nothing in it yet. ", h("a", { class: "link", href: "#/" }, "Look around"), "."));
    return;
  }
  const total = h("div", { class: "total" }, h("span", {}, "Total"), h("strong", {}, pounds(basket.total)));
  const note = h("p", { class: "note" }, "Nothing here is for sale, so this is as far as it goes.");
  fill(page, title, h("ul", { class: "lines" }, ...basket.lines.map(([item, many]) => line(item, many, change))), total, note);
}

function line(item: string, many: number, change: (item: string, to: number) => void): HTMLElement | false {
  const product = findProduct(item);
  if (!product) return false;
  const step = (label: string, sign: string, to: number, name: string): HTMLElement =>
    h("button", { class: `icon small ${name}`, type: "button", "aria-label": `${label} ${product.title}`, onclick: () => change(item, to) }, h("span", { "aria-hidden": "true" }, sign));
  return h(
    "li",
    { class: "line", "data-line": item },
    tile(product),
    h("div", {}, h("a", { class: "card-title", href: addressOf(product) }, product.title), h("p", { class: "note" }, `${product.category} · ${product.colour}`)),
    h("div", { class: "stepper" }, step("One less:", "−", many - 1, "less"), h("span", {}, String(many)), step("One more:", "+", many + 1, "more")),
    h("span", { class: "price" }, pounds(product.price * many)),
  );
}
