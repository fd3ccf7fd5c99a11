/** The shop's shelves: the package's own element, with cards that the shop draws. */

import { define, type IngleShelf, type Product as Shown } from "ingle/element";
import { picture } from "../art/index.js";
import { addressOf, findProduct, priceOf } from "../products.js";
import type { Session } from "../session.js";
import { byId } from "./dom.js";

const template = byId<HTMLTemplateElement>("card");
export const shelves = [...document.querySelectorAll<IngleShelf>("ingle-shelf")];

/** What a card shows. Everything is in the page already, so that no request tells what is recommended. */
export function shown(item: string): Shown | undefined {
  const product = findProduct(item);
  return product && { title: product.title, url: addressOf(product), price: priceOf(product) };
}

/** Fills every shelf, now and when the session moves to another engine. */
export function startShelves(session: Session): void {
  for (const shelf of shelves) {
    shelf.append(document.importNode(template, true));
    shelf.addEventListener("ingle-card", (event) => draw((event as CustomEvent<{ slide: HTMLElement; item: string }>).detail));
    shelf.products = shown;
    shelf.recommender = session.recommender;
  }
  // Only now, so that each holds its places in the markup that it will show.
  define();
  // The tab has learnt something: what it recommends is shown anew.
  let learnt = 0;
  session.on("view", (view) => {
    if (view.learnt && view.learnt.clicks !== learnt) shelves[0]?.refresh();
    learnt = view.learnt?.clicks ?? 0;
  });
  session.on("replaced", (recommender) => shelves.forEach((shelf) => (shelf.recommender = recommender)));
}

/** The picture, once for each item that a slide comes to show. */
function draw({ slide, item }: { slide: HTMLElement; item: string }): void {
  const art = slide.querySelector<HTMLElement>(".art");
  const product = findProduct(item);
  if (!art || !product || art.dataset["item"] === item) return;
  art.dataset["item"] = item;
  art.className = `art ${product.style.toLowerCase()}`;
  art.innerHTML = picture(product);
}
