/** The history as a timeline: every click, how likely it was a mistake, and how much of it counts. */

import type { Explanation, Verdict } from "ingle";
import { addressOf, findProduct } from "../products.js";
import { tile } from "./card.js";
import { h, setVar } from "./dom.js";

const WORDS: Record<Verdict, string> = {
  kept: "Counts in full",
  less: "Counts a little less: it only half fits the rest",
  ignored: "Judged noise: does not fit your other clicks",
  unknown: "The model does not judge this one",
};

const DID: Record<string, string> = { cart: "Put in the basket. ", remove: "Taken out again. " };

/** What a timeline can do with its clicks. */
export interface TimelineActions {
  forget(item: string): void;
  /** How many of the recommendations shown are because of this item. */
  brought(item: string): number;
  /** Marks the recommendations that are because of an item, or none. */
  light(item: string | undefined): void;
}

/** How many clicks are drawn at first, and at every request for more. */
const PAGE = 20;
let pages = 1;

/** The clicks, latest first; older ones on request. */
export function timeline(clicks: Explanation[], actions: TimelineActions): HTMLElement {
  if (clicks.length === 0) return h("p", { class: "empty" }, "Nothing yet. Open a product and it appears here.");
  const latest = clicks.slice(-PAGE * pages).reverse();
  const older = clicks.length - latest.length;
  const more = (): void => {
    pages += 1;
    box.replaceWith(timeline(clicks, actions));
  };
  const box = h(
    "div",
    {},
    h("ol", { class: "timeline", reversed: true, start: clicks.length }, ...latest.map((click) => entry(click, actions))),
    older > 0 && h("button", { class: "button ghost", type: "button", id: "older", onclick: more }, `Show ${Math.min(older, PAGE)} earlier`),
  );
  return box;
}

function entry(click: Explanation, { forget, brought, light }: TimelineActions): HTMLElement {
  const product = findProduct(click.item);
  const title = product?.title ?? click.item;
  const { verdict } = click;
  const links = brought(click.item);
  const element = h(
    "li",
    { class: `click ${verdict}`, "data-item": click.item, "data-verdict": verdict },
    product ? tile(product) : h("span", { class: "art" }),
    h(
      "div",
      { class: "click-text" },
      product ? h("a", { class: "click-title", href: addressOf(product) }, title) : h("span", { class: "click-title" }, title),
      h("p", { class: "click-words" }, `${DID[click.type] ?? ""}${WORDS[verdict]}`),
      click.known && bars(click),
      links > 0 && h("p", { class: "brought" }, `Brought ${links} of what is shown`),
    ),
    h("button", { class: "icon small", type: "button", "aria-label": `Forget ${title}`, onclick: () => forget(click.item) }, h("span", { "aria-hidden": "true" }, "×")),
  );
  for (const type of ["pointerenter", "focusin"]) element.addEventListener(type, () => light(click.item));
  for (const type of ["pointerleave", "focusout"]) element.addEventListener(type, () => light(undefined));
  return element;
}

/** The two views, what they come to together, and how much the click counts. */
function bars({ prior, posterior, noise, weight }: Explanation): HTMLElement {
  const views = prior !== undefined && posterior !== undefined ? [bar("What it is", prior, "view"), bar("What people do", posterior, "view")] : [];
  return h("div", { class: "bars" }, ...views, bar("Noise", noise, "noise"), bar("Counts", weight, "keep"));
}

function bar(label: string, share: number, kind: string): HTMLElement {
  const percent = `${Math.round(share * 100)} %`;
  return h("div", { class: `bar ${kind}` }, h("span", {}, label), setVar(h("span", { class: "track" }), "--share", String(share)), h("span", { class: "figure" }, percent));
}
