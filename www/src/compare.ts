/** The same visit answered with and without denoising, side by side. */

import type { HistoryEvent, Recommendation, RecommenderOptions } from "ingle";
import { createRecommender } from "ingle";
import { addressOf, findProduct } from "./products.js";
import { BUNDLE, type Session } from "./session.js";
import { tile } from "./ui/card.js";
import { byId, fill, h } from "./ui/dom.js";

/** Recommendations on each side. */
const COUNT = 6;
/** One history, with every click. */
const EVERY = { keep: [1] };

const box = byId("compare");

/** Shows both answers; `accidents` are the items that were clicked by mistake. */
export async function showComparison(session: Session, accidents: ReadonlySet<string>): Promise<void> {
  const events = await session.recommender.history();
  const [denoised, plain] = await Promise.all([answer(events), answer(events, { trust: "any", fetch: everyClick })]);
  const led = (answer: Recommendation[]): number => answer.filter((one) => isLed(one, accidents)).length;
  fill(
    box,
    h(
      "div",
      { class: "compare-head" },
      h("h2", { id: "compare-title" }, "The same visit, twice"),
      h("p", { class: "note" }, `The visitor looked at ${events.length} things and meant ${events.length - accidents.size} of them. One model, the same weights; the second time every click counts.`),
      h("button", { class: "icon", type: "button", "aria-label": "Close the comparison", onclick: () => (box.hidden = true) }, h("span", { "aria-hidden": "true" }, "×")),
    ),
    h("div", { class: "sides" }, side("With denoising", denoised, accidents, led(denoised)), side("Without", plain, accidents, led(plain))),
  );
  box.hidden = false;
}

function side(title: string, answer: Recommendation[], accidents: ReadonlySet<string>, led: number): HTMLElement {
  const words = led === 0 ? "None follows a mistake" : `${led} of ${answer.length} follow a mistake`;
  return h(
    "div",
    { class: `side ${led === 0 ? "clean" : "led"}` },
    h("div", { class: "side-head" }, h("h3", {}, title), h("span", { class: "tally" }, words)),
    h("ul", { class: "minis" }, ...answer.map((one) => mini(one, isLed(one, accidents)))),
  );
}

function mini(recommendation: Recommendation, led: boolean): HTMLElement | false {
  const product = findProduct(recommendation.item);
  if (!product) return false;
  const { reason } = recommendation;
  const cause = reason.kind === "history" ? findProduct(reason.item) : undefined;
  return h(
    "li",
    { class: led ? "mini led" : "mini" },
    h("a", { href: addressOf(product) }, tile(product), h("span", { class: "mini-title" }, product.title)),
    cause && h("span", { class: "note" }, led ? `from a mistake: ${cause.title}` : `from ${cause.title}`),
  );
}

function isLed({ reason }: Recommendation, accidents: ReadonlySet<string>): boolean {
  return reason.kind === "history" && accidents.has(reason.item);
}

/** What the model alone recommends, without what this tab has learnt. */
async function answer(events: HistoryEvent[], more: RecommenderOptions = {}): Promise<Recommendation[]> {
  const recommender = createRecommender(BUNDLE, { engine: "cpu", storage: { kind: "memory" }, ...more });
  try {
    await recommender.record(events);
    return await recommender.recommend({ k: COUNT });
  } finally {
    recommender.dispose();
  }
}

/** The same bundle with every click counted: only the thresholds in the manifest differ, so nobody has signed it or said what it answers. */
const everyClick: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!String(input).endsWith("/manifest.json") || !response.ok) return response;
  const { self_test: _, ...manifest } = (await response.json()) as { calibration: object; self_test?: object };
  return Response.json({ ...manifest, calibration: { ...manifest.calibration, ...EVERY } });
};
