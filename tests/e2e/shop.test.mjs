/** What a shopper does, and what the page answers. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { cachedOtherwise, department, keptOffline, launch, lookAt, settled, shelf, shelfChanged, storedText, timeline, visit } from "./visit.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("shows what everybody likes before the first click", async () => {
  const { page, end } = await visit(browser);
  assert.equal((await shelf(page)).length, 8);
  assert.match(await page.locator("#shelf-note").textContent(), /everybody likes/);
  assert.deepEqual(await timeline(page), []);
  await end();
});

test("changes the recommendations with every click, towards what was clicked", async () => {
  const { page, end } = await visit(browser);
  const popular = await shelf(page);
  const outdoor = await department(page, "Outdoor");
  await lookAt(page, outdoor[0]);
  const first = await shelfChanged(page, popular);
  await lookAt(page, outdoor[1]);
  const second = await shelfChanged(page, first);
  assert.ok(!second.includes(outdoor[0]) && !second.includes(outdoor[1]), "what was seen is not recommended again");
  const ours = second.filter((item) => outdoor.includes(item)).length;
  const before = popular.filter((item) => outdoor.includes(item)).length;
  assert.ok(ours > before && ours >= 3, `${ours} of 8 from the department clicked in, ${before} without clicks`);
  assert.deepEqual((await timeline(page)).map(({ item }) => item), [outdoor[1], outdoor[0]]);
  await end();
});

test("tells the accidents of a noisy visit from what was meant", async () => {
  const { page, end } = await visit(browser);
  await page.locator("#play").click();
  await page.waitForFunction(() => /set aside/.test(document.querySelector("#play-note")?.textContent ?? ""), undefined, { timeout: 60_000 });
  const said = await page.locator("#play-note").textContent();
  const [, caught, accidents, wrong, meant] = /(\d+) of (\d+) accidents and (\d+) of (\d+)/.exec(said).map(Number);
  assert.deepEqual([accidents, meant], [3, 8]);
  assert.equal(caught, 3, said);
  assert.ok(wrong <= 1, said);
  const aside = (await timeline(page)).filter(({ verdict }) => verdict === "ignored");
  assert.equal(aside.length, caught + wrong);
  assert.match(await page.locator(".click.ignored .click-words").first().textContent(), /noise/);
  // Side by side, the same model with every click counted follows the mistakes.
  await page.locator("#compare:not([hidden])").waitFor();
  const led = (side) => page.locator(".side").nth(side).locator(".mini.led").count();
  const [denoised, plain] = [await led(0), await led(1)];
  assert.ok(plain >= 4, `without denoising ${plain} of 6 follow a mistake`);
  assert.ok(denoised * 2 <= plain, `with it ${denoised} do, as one history in three still has every click`);
  await end();
});

test("keeps the history over a reload and recommends the same from it", async () => {
  const { page, end } = await visit(browser);
  const popular = await shelf(page);
  const [item] = await department(page, "Craft");
  await lookAt(page, item);
  const own = await shelfChanged(page, popular);
  await page.reload();
  await settled(page);
  assert.deepEqual(await shelf(page), own);
  assert.deepEqual((await timeline(page)).map((click) => click.item), [item]);
  await end();
});

test("forgets one click, and then everything, without a trace", async () => {
  const { page, end } = await visit(browser);
  const popular = await shelf(page);
  const [one, other] = await department(page, "Pets");
  await lookAt(page, one);
  await lookAt(page, other);
  const stored = await storedText(page);
  assert.ok(stored.includes(one) && stored.includes(other), "the scan sees what is stored");

  await page.locator(`.click[data-item="${one}"] button`).click();
  await page.locator(`.click[data-item="${one}"]`).waitFor({ state: "detached" });
  assert.ok(!(await storedText(page)).includes(one));

  await page.locator("#forget").click();
  await page.locator(".click").waitFor({ state: "detached" });
  const left = await storedText(page);
  assert.ok(!left.includes(one) && !left.includes(other), left);
  await keptOffline(page);
  assert.deepEqual(await cachedOtherwise(page), [], "the caches hold what everyone's hold");
  assert.deepEqual(await shelf(page), popular);
  await page.reload();
  await settled(page);
  assert.deepEqual(await timeline(page), []);
  await end();
});

test("finds products by word and department", async () => {
  const { page, end } = await visit(browser);
  await page.locator("#search").fill("kettle gooseneck");
  const titles = await page.locator("#grid .card-title").allTextContents();
  assert.ok(titles.length > 0 && titles.every((title) => /gooseneck kettle/i.test(title)), titles.join());
  await page.locator("#search").fill("zeppelin");
  assert.match(await page.locator("#grid-note").textContent(), /Nothing by that name/);
  await end();
});

test("a department and a search are in the visitor's own order, and as listed again when one wishes or forgets", async () => {
  const { page, end } = await visit(browser);
  const note = (words) => page.waitForFunction((words) => new RegExp(words).test(document.querySelector("#grid-note").textContent), words);
  const shown = () => page.locator("#grid .card").evaluateAll((cards) => cards.map((card) => card.dataset.item));
  assert.ok(await page.locator("#order").isHidden(), "the whole shop is a window");
  const listed = await department(page, "Kitchen");
  await note("as listed, until you have looked at something");
  const liked = listed[listed.length - 1];
  await lookAt(page, liked);
  await note("in your order, worked out on this device in [0-9.]+ ms\\. First: ");
  const mine = await department(page, "Kitchen");
  assert.deepEqual([...mine].sort(), [...listed].sort(), "nothing is added and nothing left out");
  assert.notDeepEqual(mine, listed);
  const place = (list) => list.indexOf(liked) / list.length;
  assert.ok(place(mine) < 0.5, `what was looked at was last and is now number ${mine.indexOf(liked) + 1}`);
  await page.getByRole("button", { name: "As listed" }).click();
  await page.waitForFunction((first) => document.querySelector("#grid .card").dataset.item === first, listed[0]);
  assert.deepEqual(await shown(), listed);
  await page.getByRole("button", { name: "In your order" }).click();
  await note("in your order");
  await page.locator("#search").fill("mug");
  await note("^[0-9]+ things, in your order");
  await page.locator("#search").fill("");
  await note("in your order");
  await page.locator("#forget").click();
  await note("as listed, until you have looked at something");
  assert.deepEqual((await shown()).slice(0, 12), listed.slice(0, 12));
  await end();
});

test("has a page for a product, and completes a basket", async () => {
  const { page, end } = await visit(browser);
  const [item] = await department(page, "Kitchen");
  await page.locator(`#grid [data-item="${item}"] a`).click();
  await page.locator("#product h1").waitFor();
  const beside = (id) => page.locator(`#${id} > [data-item]`).evaluateAll((slides) => slides.map((slide) => slide.dataset.item));
  for (const id of ["goes-with", "more-like"]) {
    await page.locator(`#${id} > [data-item]`).first().waitFor();
    const items = await beside(id);
    assert.ok(items.length === 8 && !items.includes(item), `${id}: ${items}`);
  }
  await page.locator("#add").click();
  await page.locator("#add").click();
  await page.locator("#basket-link").click();
  await page.locator("#complete > [data-item]").first().waitFor();
  assert.equal(await page.locator(".stepper > span").textContent(), "2");
  assert.equal(await page.locator("#basket-count").textContent(), "2");
  assert.ok(!(await beside("complete")).includes(item));
  await page.getByRole("button", { name: /^One less/ }).click();
  await page.getByRole("button", { name: /^One less/ }).click();
  await page.locator("#basket .empty").waitFor();
  await end();
});

test("stores nothing before it may, and nothing if it may not", async () => {
  const { page, context, end } = await visit(browser, { consent: false });
  const [item] = await department(page, "Pets");
  const kept = () => page.evaluate(async () => [(await indexedDB.databases()).length, (await caches.keys()).length, localStorage.length, sessionStorage.length, (await navigator.serviceWorker.getRegistrations()).length]);
  await lookAt(page, item);
  assert.deepEqual(await kept(), [0, 0, 0, 0, 0]);
  await page.locator("#consent-no").click();
  assert.deepEqual(await kept(), [0, 0, 0, 0, 0]);
  assert.deepEqual(await context.cookies(), []);
  await end();
});

test("lets the visitor take everything back", async () => {
  const { page, end } = await visit(browser);
  const [item] = await department(page, "Pets");
  await lookAt(page, item);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.evaluate(() => (location.hash = "#/you"));
  await page.getByRole("radio", { name: "Record nothing" }).check();
  await page.getByText("Nothing is kept about you here.").waitFor();
  const kept = () => page.evaluate(async () => [(await indexedDB.databases()).length, (await caches.keys()).length, localStorage.length, (await navigator.serviceWorker.getRegistrations()).length].join());
  for (let tries = 0; tries < 50 && (await kept()) !== "0,0,0,0"; tries++) await page.waitForTimeout(100);
  assert.equal(await kept(), "0,0,0,0");
  assert.deepEqual(await timeline(page), []);
  await end();
});

test("draws itself within two seconds, and moves nothing", async () => {
  // Of three visits the best: a machine that is busy with other things tells about itself.
  const seen = [];
  for (let round = 0; round < 3; round++) {
    const watch = (page) =>
      page.addInitScript(() => {
        globalThis.shifted = 0;
        new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => (globalThis.shifted += hadRecentInput ? 0 : value))).observe({ type: "layout-shift", buffered: true });
      });
    const { page, end } = await visit(browser, { watch });
    seen.push(
      await page.evaluate(() => {
        const [{ loadEventEnd }] = performance.getEntriesByType("navigation");
        const [{ startTime }] = performance.getEntriesByName("first-contentful-paint");
        return { painted: startTime, loaded: loadEventEnd, shifted: globalThis.shifted };
      }),
    );
    await end();
  }
  const best = (name) => Math.min(...seen.map((visit) => visit[name]));
  console.log(`# first painted after ${best("painted").toFixed(0)} ms, loaded after ${best("loaded").toFixed(0)} ms, shifted by ${best("shifted").toFixed(3)}`);
  assert.ok(best("painted") < 2000 && best("loaded") < 2000, JSON.stringify(seen));
  assert.ok(best("shifted") < 0.1, JSON.stringify(seen));
});

test("opens, recommends and remembers without a network after the first visit", async () => {
  const { page, context, end } = await visit(browser);
  const [item] = await department(page, "Garden");
  await lookAt(page, item);
  await keptOffline(page);
  await context.setOffline(true);
  await page.reload();
  await settled(page);
  assert.equal((await shelf(page)).length, 8);
  assert.deepEqual((await timeline(page)).map((click) => click.item), [item]);
  await end();
});

test("can be walked by keyboard alone: open a product, put it in the basket, come back", async () => {
  const { page, end } = await visit(browser);
  await page.locator("#grid .card a").first().focus();
  await page.keyboard.press("Enter");
  await page.locator("#product h1").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "shop", "reading begins at the page");
  await page.locator("#add").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#basket-count").textContent(), "1");
  await page.goBack();
  await page.locator("#grid .card").first().waitFor();
  await end();
});

/** What axe finds wrong on the page as it is. */
const violations = (page) => page.evaluate(async () => (await globalThis.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(" ")}`));

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing wrong on any page in the ${colorScheme} colours`, { timeout: 120_000 }, async () => {
    const { page, end } = await visit(browser, { colorScheme, bypassCSP: true, consent: false });
    await page.addScriptTag({ path: axe });
    assert.deepEqual(await violations(page), [], "with the question of consent");
    await page.locator("#consent-yes").click();
    await page.locator("#play").click();
    await page.locator("#compare:not([hidden])").waitFor({ timeout: 60_000 });
    const [item] = await department(page, "Books");
    for (const [place, there] of [["#/", "#compare"], ["#/c/Books", "#grid .card"], [`#/p/${item}`, "#more-like > [data-item]"], ["#/basket", "#basket h1"], ["#/you", "ingle-privacy ol li"]]) {
      await page.evaluate((hash) => (location.hash = hash), place);
      await page.locator(there).first().waitFor();
      assert.deepEqual(await violations(page), [], place);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator("#panel-open").click();
    await page.locator("#panel.open .click").first().waitFor();
    await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
    assert.deepEqual(await violations(page), [], "the panel over a phone's screen");
    await end();
  });
}
