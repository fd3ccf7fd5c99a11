/** What the end-to-end tests share: a browser, a visit to the served demo shop, and what it can see. */
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const SHOP = process.env.INGLE_DEMO_URL ?? process.env.INGLE_URL;
assert.ok(SHOP, "INGLE_DEMO_URL names no served demo shop: run these tests by ./build.sh test");

const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** A browser, with a GPU simulated in software or with none. */
export function launch({ gpu = false, args = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROME || "/usr/bin/chromium",
    args: ["--no-sandbox", ...(gpu ? SOFTWARE_GPU : []), ...args],
  });
}

/** A new shopper's visit; `watch` sees the page before its first request. Uncaught errors fail the test at `end`. */
export async function visit(browser, { watch, consent = true, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) errors.push(message.text());
  });
  await watch?.(page, context);
  await page.goto(SHOP);
  await settled(page);
  if (consent) {
    await page.locator("#consent-yes").click();
    await page.locator("#consent").waitFor({ state: "hidden" });
  }
  return {
    context,
    page,
    async end() {
      await context.close();
      assert.deepEqual(errors, []);
    },
  };
}

/** Waits for the first answer of an engine. */
export async function settled(page) {
  await page.waitForFunction(() => /ms$/.test(document.querySelector("#answer-ms")?.textContent ?? ""), undefined, { timeout: 60_000 });
}

/** Waits until everything that the shop and the recommender keep for a visit without a network is there. */
export async function keptOffline(page) {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => (await caches.keys()).length === 2);
}

const shown = (page) => page.locator("#shelf > [data-item]").evaluateAll((cards) => cards.map((card) => card.dataset.item));

/** Goes to the front of the shop, where the shelf is; one that is not seen asks for nothing. */
async function home(page) {
  await page.evaluate(() => (location.hash = "#/"));
  await page.locator("#shelf").scrollIntoViewIfNeeded();
}

/** What the first shelf shows once it has its answer. */
export async function shelf(page) {
  await home(page);
  await page.locator('#shelf[aria-busy="false"]').waitFor({ timeout: 60_000 });
  return shown(page);
}

/** The timeline, latest click first. */
export const timeline = (page) =>
  page.locator(".click").evaluateAll((clicks) => clicks.map(({ dataset }) => ({ item: dataset.item, verdict: dataset.verdict })));

/** Looks at a product on its own page, and goes back to where the visit was. */
export async function lookAt(page, item) {
  const before = await page.evaluate(() => location.hash);
  await page.evaluate((id) => (location.hash = `#/p/${id}`), item);
  await page.locator("#product h1").waitFor();
  await page.locator(`.click[data-item="${item}"]`).first().waitFor({ state: "attached" });
  await page.evaluate((hash) => (location.hash = hash || "#/"), before);
  await page.locator("#grid .card").first().waitFor();
}

/** Shows one department, and gives the ids of all its products in the order of the page. */
export async function department(page, name) {
  await page.locator(`[data-category="${name}"]`).click();
  await page.locator(`[data-category="${name}"][aria-current]`).waitFor();
  await page.locator("#grid .card").first().waitFor();
  // Cards are drawn as one scrolls towards them.
  await page.waitForFunction(() => {
    const cards = document.querySelectorAll("#grid .card");
    if (cards.length === parseInt(document.querySelector("#grid-note").textContent, 10)) return true;
    cards[cards.length - 1].scrollIntoView();
    return false;
  });
  await page.evaluate(() => scrollTo(0, 0));
  return page.locator("#grid .card").evaluateAll((cards) => cards.map((card) => card.dataset.item));
}

/** Waits until the shelf shows something other than `before`. */
export async function shelfChanged(page, before) {
  await home(page);
  await page.waitForFunction(
    (old) => {
      const now = [...document.querySelectorAll("#shelf > [data-item]")].map((card) => card.dataset.item).join();
      return now !== "" && now !== old;
    },
    before.join(),
    { timeout: 60_000 },
  );
  return shown(page);
}

/** Every record of every IndexedDB database of the shop, as one text. */
export const storedText = (page) =>
  page.evaluate(async () => {
    const settle = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const found = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await settle(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        found.push(JSON.stringify([await settle(objects.getAllKeys()), await settle(objects.getAll())]));
      }
      database.close();
    }
    const web = JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]);
    return found.join() + web;
  });

/**
 * The addresses in any cache under which something else lies than the server has: what a shopper may have left. Bundle
 * files lie under addresses of their own, which end in the bundle's address, a generation and the file's name.
 */
export const cachedOtherwise = (page) =>
  page.evaluate(async () => {
    const served = (url) => {
      const { hostname, pathname } = new URL(url);
      if (hostname !== "ingle.invalid") return url;
      const [, base, , file] = pathname.split("/");
      return file && new URL(file, decodeURIComponent(base)).href;
    };
    const bytesOf = async (response) => new Uint8Array(await (await response).arrayBuffer());
    const other = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const { url } of await cache.keys()) {
        const from = served(url);
        const [kept, now] = from ? [await bytesOf(cache.match(url)), await bytesOf(fetch(from, { cache: "reload" }))] : [];
        if (!from || kept.length !== now.length || kept.some((byte, n) => byte !== now[n])) other.push(url);
      }
    }
    return other;
  });
