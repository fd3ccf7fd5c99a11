/** One product as a card: a link with its picture, name and price. */

import { picture } from "../art/index.js";
import type { Product } from "../products.js";
import { addressOf, priceOf } from "../products.js";
import { drawing, h } from "./dom.js";

export const tile = (product: Product): HTMLSpanElement => drawing(picture(product), `art ${product.style.toLowerCase()}`);

export function card(product: Product): HTMLLIElement {
  return h(
    "li",
    { class: "card", "data-item": product.item_id },
    h(
      "a",
      { href: addressOf(product) },
      tile(product),
      h("span", { class: "card-title" }, product.title),
      h("span", { class: "card-meta" }, h("span", {}, `${product.category} · ${product.colour}`), h("span", { class: "price" }, priceOf(product))),
    ),
  );
}
