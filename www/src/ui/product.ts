/** A product's own page, as a dialog that the address's fragment opens and closes. */

import type { Product } from "../products.js";
import { findProduct, priceOf } from "../products.js";
import type { Session } from "../session.js";
import { card, tile } from "./card.js";
import { byId, h } from "./dom.js";

const dialog = byId<HTMLDialogElement>("product");

export function startProductPages(session: Session): void {
  const follow = (): void => {
    const product = findProduct(decodeURIComponent(location.hash.slice(2)));
    if (product) void open(product, session);
    else dialog.close();
  };
  addEventListener("hashchange", follow);
  dialog.addEventListener("close", () => {
    if (findProduct(location.hash.slice(2))) history.pushState(null, "", "#/");
  });
  // A click on the backdrop lands on the dialog itself, outside its content.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  follow();
}

async function open(product: Product, session: Session): Promise<void> {
  const next = h("ul", { class: "row small" });
  dialog.replaceChildren(page(product, next));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTo({ top: 0 });
  await session.record(product.item_id);
  const recommendations = await session.recommend(4, [product.item_id]);
  next.replaceChildren(...recommendations.flatMap(({ item }) => findProduct(item) ?? []).map(card));
}

function page(product: Product, next: HTMLElement): HTMLElement {
  const fact = (name: string, value: string): HTMLElement => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h(
    "div",
    { class: "product-page" },
    h("button", { class: "icon close", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, h("span", { "aria-hidden": "true" }, "×")),
    tile(product),
    h(
      "div",
      { class: "product-text" },
      h("p", { class: "eyebrow" }, `${product.category} · ${product.theme}`),
      h("h2", { id: "product-title" }, product.title),
      h("p", { class: "price" }, priceOf(product)),
      h("p", { class: "lead" }, product.blurb),
      h("dl", {}, fact("Colour", product.colour), fact("Finish", product.pattern), fact("Collection", product.style)),
      h("p", { class: "note quiet" }, "Your browser has noted that you looked at this. The shop has not."),
    ),
    h("section", { class: "product-next", "aria-label": "Next, perhaps" }, h("h3", {}, "Next, perhaps"), next),
  );
}
