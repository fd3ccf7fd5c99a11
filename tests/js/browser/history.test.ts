// The table of every history store, over IndexedDB in every browser, and what only a browser's storage can do.

import { after, before, describe, test } from "node:test";
import type { Site } from "../golden.js";
import { BROWSERS, type Running, serveShop } from "./harness.js";

let site: Site;
before(async () => (site = await serveShop()));
after(() => site.close());

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, () => {
    let browser: Running;
    before(async () => (browser = await start()));
    after(() => browser.close());

    for (const [table, what] of [["history", "IndexedDB does what every store does"], ["storage", "storage in a browser"]] as const) {
      test(what, async (t) => {
        const visitor = await browser.arrive(site);
        for (const each of await visitor.call("cases", table)) await t.test(each, () => visitor.call("run", table, each));
        await visitor.leave();
      });
    }
  });
}
