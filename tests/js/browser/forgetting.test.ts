// Whatever a shopper does about the history, in whichever situation: the table in `forgetting.ts`, cell by cell.

import { after, before, describe, test } from "node:test";
import type { Site } from "../golden.js";
import { type Group, groups, type Windows } from "./forgetting.js";
import { type AnyContext, type AnyTab, launchFirefox, launchKeepingPages, serveShop } from "./harness.js";

/** How many groups of cells a browser has open at the same time. */
const AT_ONCE = 3;

let site: Site;
before(async () => (site = await serveShop()));
after(() => site.close());

for (const [name, start] of Object.entries({ Chromium: launchKeepingPages, Firefox: launchFirefox }) as [Windows["name"], typeof launchFirefox][]) {
  describe(`forgetting in ${name}`, () => {
    const all = groups(name);
    const done = new Map<Group, Promise<Map<string, string[]>>>();
    let browser: Awaited<ReturnType<typeof launchFirefox>>;

    before(async () => {
      browser = await start();
      const windows: Windows = { name, context: async () => (await browser.createBrowserContext()) as unknown as AnyContext<AnyTab> };
      const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve());
      all.forEach((group, n) => {
        const result = lanes[n % AT_ONCE]!.then(() => group.run(windows, site));
        lanes[n % AT_ONCE] = result.then(() => {}, () => {});
        done.set(group, result);
      });
    });
    after(() => browser.close());

    for (const group of all) {
      describe(group.situation, () => {
        for (const { cell, sentence } of group.cells) {
          test(sentence, { timeout: 600_000 }, async () => {
            const wrong = (await done.get(group))?.get(cell.id) ?? [];
            if (wrong.length > 0) throw new Error(wrong.join("\n"));
          });
        }
      });
    }
  });
}
