/** The shop in Firefox, where the CPU engine answers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchFirefox } from "../firefox.mjs";
import { SHOP } from "./visit.mjs";

let browser;
before(async () => {
  browser = await launchFirefox();
});
after(() => browser?.close());

const texts = (page, selector) => page.$$eval(selector, (found) => found.map(({ textContent }) => textContent));
const shelf = (page) => page.$$eval("#shelf > [data-item]", (slides) => slides.map((slide) => slide.dataset.item));
const go = (page, hash) => page.evaluate((to) => void (location.hash = to), hash);

/** Asks the page until it says yes; frames may be rare in a browser without a screen. */
const until = (page, condition, ...args) => page.waitForFunction(condition, { polling: 100, timeout: 60_000 }, ...args);
const answered = (page) => until(page, () => /ms$/.test(document.querySelector("#answer-ms")?.textContent ?? "") && document.querySelector('#shelf[aria-busy="false"]'));
const shelfOtherThan = (page, old) =>
  until(page, (before) => {
    const now = [...document.querySelectorAll("#shelf > [data-item]")].map(({ dataset }) => dataset.item).join();
    return now !== "" && now !== before;
  }, old.join());

test("a visit in Firefox: recommendations follow the clicks, stay over a reload, and go when they are forgotten", { timeout: 240_000 }, async () => {
  const page = await (await browser.createBrowserContext()).newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(SHOP);
  await answered(page);
  assert.match((await texts(page, "#rung"))[0], /CPU/);
  await page.click("#consent-yes");
  const popular = await shelf(page);
  assert.equal(popular.length, 8);

  await go(page, "#/c/Outdoor");
  const items = await page.$$eval("#grid .card", (cards) => cards.slice(0, 3).map(({ dataset }) => dataset.item));
  for (const item of items) {
    await go(page, `#/p/${item}`);
    await until(page, (id) => document.querySelector(`.click[data-item="${id}"][data-verdict="kept"], .click[data-item="${id}"] .bars`), item);
  }
  await go(page, "#/");
  await shelfOtherThan(page, popular);
  const own = await shelf(page);
  assert.ok(!items.some((item) => own.includes(item)), "what was seen is not recommended");

  await page.reload();
  await answered(page);
  await shelfOtherThan(page, popular);
  assert.deepEqual(await shelf(page), own);
  assert.deepEqual(await texts(page, "#bytes-sent"), ["0 bytes"]);

  await page.click("#forget");
  await until(page, () => !document.querySelector(".click"));
  await shelfOtherThan(page, own);
  assert.deepEqual(await shelf(page), popular);
  assert.deepEqual(errors, []);
});
