/** A department or a search in the shopper's own order, which the package works out of the clicks on this device. */

import type { Recommendation } from "ingle";
import { findProduct, type Product } from "../products.js";
import type { Session } from "../session.js";
import { byId, fill, h } from "./dom.js";

/** A list in its order, and what is said of it. */
export interface Ordered {
  products: Product[];
  /** Whether it is the shopper's order, and not the shop's own. */
  personal: boolean;
  words: string;
}

const switches = byId("order");
let yours = true;

/** Draws the choice of the two orders; `changed` is called when the shopper makes it. */
export function startOrder(changed: () => void): void {
  const choice = (label: string, value: boolean): HTMLButtonElement => {
    const button = h("button", { type: "button", "aria-pressed": String(value === yours) }, label);
    button.addEventListener("click", () => {
      if (yours === value) return;
      yours = value;
      for (const other of switches.children) other.setAttribute("aria-pressed", String(other === button));
      changed();
    });
    return button;
  };
  fill(switches, choice("In your order", true), choice("As listed", false));
}

/** Shows the choice where there is one: the whole shop is a window, and has no order of its own. */
export function offerOrder(offered: boolean): void {
  switches.hidden = !offered;
}

/** A list as the shopper chose to see it; `undefined` for the shop's own order. */
export async function ordered(products: Product[], session: Session): Promise<Ordered | undefined> {
  if (!yours || products.length < 2) return undefined;
  const begun = performance.now();
  const ranked = await session.recommender.rank(products.map(({ item_id }) => item_id));
  const ms = performance.now() - begun;
  const known = ranked.filter(({ source }) => source !== "given");
  if (known.length === 0) return { products, personal: false, words: "as listed: no engine runs here" };
  // Before the first click the order would be everybody's: the shop's own says more.
  if (known.some(({ source }) => source === "popular")) return { products, personal: false, words: "as listed, until you have looked at something" };
  return { products: ranked.flatMap(({ item }) => findProduct(item) ?? []), personal: true, words: `in your order, worked out on this device in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms.${because(known[0])}` };
}

function because(first: Recommendation | undefined): string {
  if (first?.reason.kind !== "history") return "";
  const [item, clicked] = [findProduct(first.item), findProduct(first.reason.item)];
  if (!item || !clicked) return "";
  return item === clicked ? ` First: ${item.title}, which you looked at.` : ` First: ${item.title}, because you looked at ${clicked.title}.`;
}
