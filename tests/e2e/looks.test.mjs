/** How the shop looks: light, dark and on a phone. INGLE_SHOTS names a folder to keep the pictures in. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { compareLook, undress } from "./looks.mjs";
import { launch, shelf, visit } from "./visit.mjs";

const shots = process.env.INGLE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

let browser, bench;
before(async () => {
  browser = await launch();
  bench = await browser.newPage();
});
after(() => browser?.close());

/** Waits until nothing on the page moves any more. */
async function rest(page) {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

/** A picture for people, of the page or of a part of it. */
async function keepShot(name, part) {
  if (shots) await part.screenshot({ path: path.join(shots, `${name}.png`) });
}

/** A picture of the page, which must look as it did. */
async function shoot(page, name) {
  await rest(page);
  await keepShot(name, page);
  await undress(page, true);
  const others = await compareLook(bench, name, await page.screenshot());
  await undress(page, false);
  if (others) console.log(`# ${name}: ${Math.round(others * 100)} % looks otherwise than it did`);
}

async function playVisit(page) {
  await page.locator("#play").click();
  await page.waitForFunction(() => /set aside/.test(document.querySelector("#play-note")?.textContent ?? ""), undefined, { timeout: 60_000 });
  await page.locator("#compare:not([hidden])").waitFor();
}

const go = (page, hash) => page.evaluate((to) => (location.hash = to), hash);

const sizes = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
};

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`looks as it did on a ${size} screen in the ${colorScheme} colours`, { timeout: 120_000 }, async () => {
      const named = (what) => `${size}-${colorScheme}-${what}`;
      const { page, end } = await visit(browser, { viewport, colorScheme, consent: false, deviceScaleFactor: size === "phone" ? 2 : 1 });
      await shoot(page, named("consent"));
      await page.locator("#consent-yes").click();
      await page.locator("#consent").waitFor({ state: "hidden" });
      await shoot(page, named("start"));
      await playVisit(page);
      await shelf(page);
      // How high it is depends on what is in it: it is kept to be looked at.
      await keepShot(named("shelf"), page.locator("#shelf"));
      await page.evaluate(() => scrollTo(0, 0));
      await shoot(page, named("visit"));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${wide} px wider than the screen`);

      await page.locator("#shelf > [data-item] a").first().click();
      await page.locator("#goes-with > [data-item]").first().waitFor();
      await shoot(page, named("product"));
      await page.locator("#add").click();
      await page.locator("#basket-link").click();
      await page.locator("#complete > [data-item]").first().waitFor();
      await shoot(page, named("basket"));
      await go(page, "#/you");
      await page.locator("ingle-privacy ol li").first().waitFor();
      await shoot(page, named("privacy"));
      await go(page, "#/");

      if (size === "phone") await page.locator("#panel-open").click();
      await page.locator("#panel").evaluate((panel) => panel.scrollTo(0, 330));
      await shoot(page, named("panel"));
      if (size === "phone") await page.locator("#panel-close").click();

      await page.evaluate(() => document.querySelector("#filters").scrollIntoView({ block: "start" }));
      await page.locator("#grid .card").nth(11).waitFor();
      await shoot(page, named("grid"));
      await end();
    });
  }
}

test("every control has a name, every picture stands beside its words", async () => {
  const { page, end } = await visit(browser);
  // A control that is drawn anew while it is looked at is no longer on the page: then all are looked at again.
  const look = () =>
    page.locator(":is(button, a, input):not([inert] *)").evaluateAll((controls) => ({
      count: controls.length,
      replaced: controls.some((control) => !control.isConnected),
      nameless: controls.filter((control) => !(control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent).trim()).map((control) => control.outerHTML.slice(0, 120)),
    }));
  let seen = await look();
  for (let again = 0; again < 10 && seen.replaced; again++) seen = await look();
  assert.ok(seen.count > 10 && !seen.replaced);
  assert.deepEqual(seen.nameless, []);
  const loud = await page.locator("svg:not([aria-hidden=true])").count();
  assert.equal(loud, 0);
  await end();
});
