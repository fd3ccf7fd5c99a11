/** How the shop looks: light, dark and on a phone. INGLE_SHOTS names a folder to keep the pictures in. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch, visit } from "./visit.mjs";

const shots = process.env.INGLE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function shoot(page, name) {
  await page.waitForTimeout(400);
  if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`) });
  else assert.ok((await page.screenshot()).length > 20_000, `${name} is not blank`);
}

async function playVisit(page) {
  await page.locator("#play").click();
  await page.waitForFunction(() => /set aside/.test(document.querySelector("#play-note")?.textContent ?? ""), undefined, { timeout: 60_000 });
}

const sizes = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
};

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`fits a ${size} screen in the ${colorScheme} colours`, async () => {
      const { page, end } = await visit(browser, { viewport, colorScheme, deviceScaleFactor: size === "phone" ? 2 : 1 });
      await shoot(page, `${size}-${colorScheme}-start`);
      await playVisit(page);
      await shoot(page, `${size}-${colorScheme}-visit`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${wide} px wider than the screen`);

      await page.locator("#shelf > [data-item] a").first().click();
      await page.locator("#goes-with > [data-item]").first().waitFor();
      await shoot(page, `${size}-${colorScheme}-product`);
      await page.locator("#add").click();
      await page.locator("#basket-link").click();
      await page.locator("#complete > [data-item]").first().waitFor();
      await shoot(page, `${size}-${colorScheme}-basket`);
      await page.evaluate(() => (location.hash = "#/"));

      if (size === "phone") await page.locator("#panel-open").click();
      await page.locator("#panel").evaluate((panel) => panel.scrollTo(0, 330));
      await shoot(page, `${size}-${colorScheme}-panel`);
      if (size === "phone") await page.locator("#panel-close").click();

      await page.locator("#filters").scrollIntoViewIfNeeded();
      await page.evaluate(() => document.querySelector("#filters").scrollIntoView({ block: "start" }));
      await shoot(page, `${size}-${colorScheme}-grid`);
      await end();
    });
  }
}

test("every control has a name, every picture stands beside its words", async () => {
  const { page, end } = await visit(browser);
  const nameless = await page.locator(":is(button, a, input):not([inert] *)").evaluateAll((controls) =>
    controls.filter((control) => !(control.getAttribute("aria-label") ?? control.textContent).trim()).map((control) => control.outerHTML.slice(0, 120)),
  );
  assert.deepEqual(nameless, []);
  const loud = await page.locator("svg:not([aria-hidden=true])").count();
  assert.equal(loud, 0);
  await end();
});
