/** A visit to the shop in a browser that another driver than Playwright's drives. */
import assert from "node:assert/strict";
import { until as untilSo } from "../examples/visit.mjs";
import { SHOP } from "./visit.mjs";

/** `page` has `goto(url)`, `reload()` and `evaluate(function, ...args)`. */
export async function visitWith(page) {
  const go = (hash) => page.evaluate((to) => void (location.hash = to), hash);
  const press = (selector) => page.evaluate((button) => document.querySelector(button).click(), selector);
  const text = (selector) => page.evaluate((one) => document.querySelector(one).textContent, selector);
  const shelf = () => page.evaluate(() => [...document.querySelectorAll("#shelf > [data-item]")].map(({ dataset }) => dataset.item));

  /** Asks the page until it says yes; frames may be rare in a browser without a screen. */
  const until = (condition, ...args) => untilSo(String(condition), () => page.evaluate(condition, ...args), (seen) => seen === true);
  const answered = () => until(() => /ms$/.test(document.querySelector("#answer-ms")?.textContent ?? "") && !!document.querySelector('#shelf[aria-busy="false"]'));
  const shelfOtherThan = (old) =>
    until((before) => {
      const now = [...document.querySelectorAll("#shelf > [data-item]")].map(({ dataset }) => dataset.item).join();
      return now !== "" && now !== before;
    }, old.join());
  /** Keeps what goes wrong in the page for the end. */
  const watch = () =>
    page.evaluate(() => {
      globalThis.wentWrong = [];
      for (const kind of ["error", "unhandledrejection", "securitypolicyviolation"]) {
        addEventListener(kind, (event) => globalThis.wentWrong.push(String(event.message ?? event.reason ?? event.blockedURI)));
      }
    });
  const nothingWentWrong = async () => assert.deepEqual(await page.evaluate(() => globalThis.wentWrong), []);

  await page.goto(SHOP);
  await watch();
  await answered();
  assert.match(await text("#rung"), /CPU/);
  await press("#consent-yes");
  const popular = await shelf();
  assert.equal(popular.length, 8);

  await go("#/c/Outdoor");
  await until(() => document.querySelectorAll("#grid .card").length > 3);
  const items = await page.evaluate(() => [...document.querySelectorAll("#grid .card")].slice(0, 3).map(({ dataset }) => dataset.item));
  for (const item of items) {
    await go(`#/p/${item}`);
    await until((id) => !!document.querySelector(`.click[data-item="${id}"][data-verdict="kept"], .click[data-item="${id}"] .bars`), item);
  }
  await go("#/");
  await shelfOtherThan(popular);
  const own = await shelf();
  assert.ok(!items.some((item) => own.includes(item)), "what was seen is not recommended");
  await nothingWentWrong();

  await page.reload();
  await watch();
  await answered();
  await shelfOtherThan(popular);
  assert.deepEqual(await shelf(), own);
  assert.equal(await text("#bytes-sent"), "0 bytes");

  await press("#forget");
  await until(() => !document.querySelector(".click"));
  await shelfOtherThan(own);
  assert.deepEqual(await shelf(), popular);
  await nothingWentWrong();
}
