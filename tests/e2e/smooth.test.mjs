/** Nothing holds the shop up: the browser's own long-task entries, over all that a shopper does. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, settled, SHOP } from "./visit.mjs";

/** What a browser calls a long task, in milliseconds. */
const LONG = 50;
/** A machine that is busy with other things tells about itself: what counts is the best of so many visits. */
const VISITS = 8;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const go = (page, hash) => page.evaluate((to) => (location.hash = to), hash);

/** What a shopper does, in this order; each ends when the page has answered. */
const DEEDS = {
  async "opens the shop"(page) {
    await page.goto(SHOP);
    await settled(page);
  },
  async "says yes"(page) {
    await page.locator("#consent-yes").click();
    await page.evaluate(() => navigator.serviceWorker.ready);
  },
  async "scrolls down"(page) {
    await page.mouse.move(500, 500);
    const cards = page.locator("#grid .card");
    while ((await cards.count()) < 48) {
      await page.mouse.wheel(0, 500);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))));
    }
  },
  async "looks at products"(page) {
    for (const n of [0, 1, 2]) {
      await go(page, "#/c/Outdoor");
      await page.locator("#grid .card a").nth(n).click();
      await page.locator('#more-like[aria-busy="false"]').waitFor();
    }
  },
  async "plays the noisy visit"(page) {
    await go(page, "#/");
    await page.locator("#play").click();
    await page.locator("#compare:not([hidden])").waitFor({ timeout: 60_000 });
    await page.locator('#shelf[aria-busy="false"]').waitFor();
  },
  async "searches"(page) {
    await page.locator("#search").pressSequentially("kettle");
    await page.waitForFunction(() => [...document.querySelectorAll("#grid .card-title")].every(({ textContent }) => /kettle/i.test(textContent)));
  },
  async "reads what is known"(page) {
    await go(page, "#/you");
    await page.locator("ingle-privacy ol li").first().waitFor();
  },
};

/** The longest task of each deed, in milliseconds; 0 where none was long. */
async function watchedVisit() {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" })).newPage();
  await page.addInitScript(() => {
    globalThis.long = [];
    new PerformanceObserver((list) => globalThis.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask", buffered: true });
  });
  const longest = {};
  for (const [deed, does] of Object.entries(DEEDS)) {
    await does(page);
    // Entries come after the frame that follows the task.
    longest[deed] = await page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestIdleCallback(() => setTimeout(resolve, 100))));
      return Math.max(0, ...globalThis.long.splice(0));
    });
  }
  await page.context().close();
  return longest;
}

test("no task on the page's thread is a long one, whatever the shopper does", { timeout: 400_000 }, async () => {
  const best = Object.fromEntries(Object.keys(DEEDS).map((deed) => [deed, Infinity]));
  const late = () => Object.keys(best).filter((deed) => best[deed] > LONG);
  let visits = 0;
  while (late().length > 0 && visits++ < VISITS) {
    const longest = await watchedVisit();
    for (const deed of Object.keys(best)) best[deed] = Math.min(best[deed], longest[deed]);
  }
  console.log(`# after ${visits} visits: ${Object.entries(best).map(([deed, ms]) => `${deed} ${ms < LONG ? `under ${LONG}` : Math.round(ms)} ms`).join(", ")}`);
  assert.deepEqual(late(), [], JSON.stringify(best));
});
