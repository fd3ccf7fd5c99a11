/**
 * What differs between examples.
 *
 * - `statics`: the folder of the files that are served as they are, where the bundle and products.json go; default `public`.
 * - `url`: a product's address; default `/products/ID`.
 * - `rendered`: pages come from a server, or were rendered when they were built, and have the product's title.
 * - `consent`: pages load anew, so the shopper allows that the history is kept.
 * - `firefox`: it is visited with Firefox in the short form too. `also`: what is tried after the visit.
 * - `serve`: how it is served, if not by its `npm start`.
 */

import assert from "node:assert/strict";
import { allowByShopify, refuse, serveTheme } from "./shopify.mjs";
import { allowInPanel, shelf, until } from "./visit.mjs";
import { administer, allowByBanner, serveWordPress } from "./wordpress.mjs";

export const EXAMPLES = {
  next: { rendered: true },
  nuxt: { rendered: true },
  sveltekit: { statics: "static", rendered: true },
  astro: { rendered: true, consent: allowInPanel, firefox: true },
  angular: {},
  php: { rendered: true, consent: allowInPanel },
  "service-worker": { url: (id) => `/?item=${id}`, consent: allowInPanel, also: withoutNetwork },
  shopify: { rendered: true, serve: serveTheme, consent: allowByShopify, also: refuse },
  wordpress: { rendered: true, serve: serveWordPress, consent: allowByBanner, also: administer },
};

/** The shop opens without a network, and its model answers. */
async function withoutNetwork({ page, context, origin, title }) {
  // The first page came before the service worker did; the second is kept by it.
  await page.goto(`${origin}/`);
  await until("the bundle is kept", () => page.evaluate(async () => (await (await caches.open("ingle-bundles")).keys()).length), (files) => files >= 4);
  await context.setOffline(true);
  await page.goto(`${origin}/`);
  await until("recommendations without a network", () => shelf(page), (cards) => cards.length === 6 && cards[0].reason === `Because you viewed ${title}`);
  assert.equal(await page.evaluate(() => document.querySelector("ingle-shelf").recommender.status.rung), "cpu");
}
