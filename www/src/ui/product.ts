/** A product's own page. */

import type { Basket } from "../basket.js";
import type { Product } from "../products.js";
import { priceOf } from "../products.js";
import type { Session } from "../session.js";
import { tile } from "./card.js";
import { byId, fill, h } from "./dom.js";

const page = byId("product");

export function showProduct(product: Product, session: Session, basket: Basket): void {
  const fact = (name: string, value: string): HTMLElement => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const added = h("span", { class: "note", role: "status" });
  const add = (): void => {
    basket.set(product.item_id, basket.of(product.item_id) + 1);
    void session.record(product.item_id, "cart");
    fill(added, "In your basket. ", h("a", { href: "#/basket", class: "link" }, "See it"));
  };
  page.dataset["item"] = product.item_id;
  fill(
    page,
    h("nav", { class: "crumbs", "aria-label": "You are here" }, h("a", { href: "#/" }, "Shop"), h("span", { "aria-hidden": "true" }, "/"), h("a", { href: `#/c/${product.category}` }, product.category)),
    h(
      "div",
      { class: "product-page" },
      tile(product),
      h(
        "div",
        { class: "product-text" },
        h("p", { class: "eyebrow" }, product.theme),
        h("h1", { id: "product-title" }, product.title),
        h("p", { class: "price" }, priceOf(product)),
        h("p", { class: "lead" }, product.blurb),
        h("p", { class: "buy" }, h("button", { class: "button primary", type: "button", id: "add", onclick: add }, "Add to basket"), added),
        h("dl", {}, fact("Colour", product.colour), fact("Finish", product.pattern), fact("Collection", product.style)),
        h("p", { class: "note quiet" }, "Your browser has noted that you looked at this. The shop has not."),
      ),
    ),
  );
}
