// The table of every history store, over IndexedDB in Chromium, and what only a browser's storage can do.

import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Site } from "../golden.js";
import { launch, serveShop, Visitor } from "./harness.js";

let site: Site, browser: Browser;
before(async () => ([site, browser] = await Promise.all([serveShop(), launch()])));
after(async () => {
  await browser.close();
  await site.close();
});

test("IndexedDB does what every store does", async (t) => {
  const visitor = await Visitor.arrive(browser, site);
  const cases = await visitor.tab.evaluate(() => (globalThis as unknown as { page: { historyCases: string[] } }).page.historyCases);
  for (const name of cases) await t.test(name, () => visitor.call("historyCase", name));
  await visitor.leave();
});

test("storage in a browser", async (t) => {
  const visitor = await Visitor.arrive(browser, site);
  const cases = await visitor.tab.evaluate(() => (globalThis as unknown as { page: { storageCases: string[] } }).page.storageCases);
  for (const name of cases) await t.test(name, () => visitor.call("storageCase", name));
  await visitor.leave();
});
