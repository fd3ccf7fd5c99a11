/** The history as a timeline: every click, how likely it was a mistake, and how much of it counts. */

import type { Explanation } from "ingle";
import { addressOf, findProduct } from "../products.js";
import { tile } from "./card.js";
import { h, setVar } from "./dom.js";

/** Below this the model has set a click aside: less than half of it counts. */
const ASIDE = 0.5;
/** From here on a click counts as good as fully. */
const FULL = 0.9;

export type Verdict = "kept" | "less" | "aside" | "unknown";

export function verdictOf({ known, keep }: Explanation): Verdict {
  if (!known) return "unknown";
  if (keep < ASIDE) return "aside";
  return keep < FULL ? "less" : "kept";
}

const WORDS: Record<Verdict, string> = {
  kept: "Counts in full",
  less: "Counts a little less: it only half fits the rest",
  aside: "Judged noise: does not fit your other clicks",
  unknown: "The model does not judge this one",
};

/** The clicks, latest first. */
export function timeline(clicks: Explanation[], forget: (item: string) => void): HTMLElement {
  if (clicks.length === 0) return h("p", { class: "empty" }, "Nothing yet. Open a product and it appears here, in your browser’s own storage.");
  return h("ol", { class: "timeline", reversed: true }, ...[...clicks].reverse().map((click) => entry(click, forget)));
}

function entry(click: Explanation, forget: (item: string) => void): HTMLElement {
  const product = findProduct(click.item);
  const title = product?.title ?? click.item;
  const verdict = verdictOf(click);
  return h(
    "li",
    { class: `click ${verdict}`, "data-item": click.item, "data-verdict": verdict },
    product ? tile(product) : h("span", { class: "art" }),
    h(
      "div",
      { class: "click-text" },
      product ? h("a", { class: "click-title", href: addressOf(product) }, title) : h("span", { class: "click-title" }, title),
      h("p", { class: "click-words" }, WORDS[verdict]),
      click.known && h("div", { class: "bars" }, bar("Noise", click.noise, "noise"), bar("Weight", click.keep, "keep")),
      click.prior !== undefined && click.posterior !== undefined && h("p", { class: "views" }, views(click.prior, click.posterior)),
    ),
    h("button", { class: "icon small", type: "button", "aria-label": `Forget ${title}`, onclick: () => forget(click.item) }, h("span", { "aria-hidden": "true" }, "×")),
  );
}

/** What each of the model's two views would say alone. */
function views(prior: number, posterior: number): string {
  return `Noise by what it is: ${percentOf(prior)}, by what shoppers do with it: ${percentOf(posterior)}`;
}

function percentOf(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function bar(label: string, share: number, kind: string): HTMLElement {
  const percent = percentOf(share);
  return h("div", { class: `bar ${kind}` }, h("span", {}, label), setVar(h("span", { class: "track" }), "--share", String(share)), h("span", { class: "figure" }, percent));
}
