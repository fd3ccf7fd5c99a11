/**
 * Every example that EXAMPLES names, or all: built with the packed package, served as its package.json says, and visited, with
 * Chromium and Firefox. Where EXAMPLES_IN is "chromium" Firefox visits those alone that are listed for it.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { launchFirefox } from "../firefox.mjs";
import { EXAMPLES } from "./list.mjs";
import { build, claim, pack, products, serve as npmStart } from "./shop.mjs";
import { visit } from "./visit.mjs";

let packed, browser;
before(async () => {
  await claim();
  packed = pack();
  browser = await chromium.launch({ executablePath: process.env.CHROME || "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser?.close());

for (const name of process.env.EXAMPLES?.split(/\s+/).filter(Boolean) ?? Object.keys(EXAMPLES)) {
  const { statics = "public", url = (id) => `/products/${id}`, rendered = false, firefox = false, serve = npmStart, consent, also } = EXAMPLES[name];

  test(`${name}: the shelf fills and follows the shopper's clicks`, { timeout: 600_000 }, async (t) => {
    const folder = build(name, { packed, statics, url });
    const { origin, stop, said } = await serve(folder);
    t.after(stop);
    const [product] = products(url);
    if (rendered) {
      await t.test("its pages are rendered without a browser", async () => {
        const response = await fetch(origin + product.url);
        const html = await response.text();
        assert.equal(response.status, 200, html);
        assert.ok(html.includes(product.title), html);
        assert.ok(!/\b(window|document|self) is not defined/.test(said()), said());
      });
    }
    await t.test("Chromium", async () => {
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const seen = await visit(page, { origin, consent });
        await also?.({ page, context, origin, folder, ...seen });
      } finally {
        await context.close();
      }
    });
    if (firefox || process.env.EXAMPLES_IN !== "chromium") {
      await t.test("Firefox", async () => {
        const other = await launchFirefox();
        try {
          const context = await other.createBrowserContext();
          const page = await context.newPage();
          // Its driver does not list workers.
          page.workers = undefined;
          await visit(page, { origin, consent });
        } finally {
          await other.close();
        }
      });
    }
  });
}
