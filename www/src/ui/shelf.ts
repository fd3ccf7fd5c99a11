/** The shelf of recommendations: keyed cards that glide to their new places when the answer changes. */

import type { Recommendation } from "ingle";
import { findProduct } from "../products.js";
import { card } from "./card.js";
import { byId, h, prefersStill } from "./dom.js";

const row = byId<HTMLUListElement>("shelf");
const note = byId("shelf-note");

/** Places for cards to come, so that nothing moves when they arrive. */
export function showSkeletons(count: number): void {
  row.replaceChildren(...Array.from({ length: count }, () => h("li", { class: "card skeleton", "aria-hidden": "true" }, h("span", { class: "art" }))));
}

export function showShelf(recommendations: Recommendation[], clicks: number): void {
  const before = new Map([...row.children].map((child) => [(child as HTMLElement).dataset["item"], child]));
  const places = new Map([...row.children].map((child) => [child, child.getBoundingClientRect().left]));
  const cards = recommendations.flatMap(({ item }) => {
    const product = findProduct(item);
    return product ? [before.get(item) ?? card(product)] : [];
  });
  row.replaceChildren(...cards);
  row.scrollTo({ left: 0 });
  note.textContent = words(recommendations, clicks);
  if (!prefersStill()) cards.forEach((element, place) => glide(element, places.get(element), place));
}

function words(recommendations: Recommendation[], clicks: number): string {
  if (recommendations.length === 0) return "The model has not arrived. The shop is open all the same.";
  if (clicks === 0) return "What everybody likes, until you have looked at something.";
  const source = recommendations[0]?.source;
  if (source === "popular" || source === "recent") return "No engine runs here, so this is what everybody likes.";
  return `From your ${clicks === 1 ? "one click" : `${clicks} clicks`}, worked out on this device.`;
}

function glide(element: Element, from: number | undefined, place: number): void {
  const timing = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };
  if (from === undefined) {
    const late = { ...timing, delay: place * 25, fill: "backwards" as const };
    element.animate([{ opacity: 0, transform: "translateY(14px)" }, { opacity: 1, transform: "none" }], late);
    return;
  }
  const moved = from - element.getBoundingClientRect().left;
  if (moved !== 0) element.animate([{ transform: `translateX(${moved}px)` }, { transform: "none" }], timing);
}
