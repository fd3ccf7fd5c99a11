/** What a shopper does, and what the page answers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { department, launch, lookAt, settled, shelf, shelfChanged, storedText, timeline, visit } from "./visit.mjs";

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
  assert.ok(caught >= 2, said);
  assert.ok(wrong <= 1, said);
  const aside = (await timeline(page)).filter(({ verdict }) => verdict === "aside");
  assert.equal(aside.length, caught + wrong);
  assert.match(await page.locator(".click.aside .click-words").first().textContent(), /noise/);
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

test("can be walked by keyboard alone: open a product, close it, come back to its card", async () => {
  const { page, end } = await visit(browser);
  const card = page.locator("#grid .card a").first();
  await card.focus();
  await page.keyboard.press("Enter");
  await page.locator("#product[open] h2").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#product[open]").waitFor({ state: "detached" });
  assert.ok(await card.evaluate((element) => element === document.activeElement));
  await end();
});
