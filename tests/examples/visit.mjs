/** A shopper's visit to an example, the same in every one, with what both browsers' drivers can do. */

import assert from "node:assert/strict";

/** The machine is slow where tests run side by side. */
const PATIENCE_MS = 60_000;

/** What the browsers themselves say of a machine without a GPU. */
const OF_THE_MACHINE = /No available adapters|WebGPU is experimental/;

/**
 * Visits the shop at `origin`. `consent`: the page loads anew for every link, so the shopper allows that the history is
 * kept, by this function of the page or else in the panel. `title`: where a product's page has its title; `home`: whether
 * there is a way back. Returns what was shown, for tests of a single example.
 */
export async function visit(page, { origin, consent, title: place = "h1", home = true }) {
  const told = [];
  page.on("pageerror", (error) => told.push(error.message));
  page.on("console", (message) => ["error", "warning", "warn"].includes(message.type()) && !OF_THE_MACHINE.test(message.text()) && told.push(`${message.text()} (${message.location().url ?? ""})`));
  const elsewhere = [];
  page.on("request", (request) => new URL(request.url()).origin !== origin && /^http/.test(request.url()) && elsewhere.push(request.url()));
  page.on("response", (response) => response.status() >= 400 && told.push(`${response.status()} ${response.url()}`));

  await page.goto(`${origin}/`);
  const popular = await until("the shelf fills", () => shelf(page), ({ length }) => length === 6);
  assert.deepEqual([...new Set(popular.map(({ reason }) => reason))], ["Popular"]);
  assert.ok(popular.every(({ item, title }) => title !== "" && title !== item), "cards have the titles of the products file");
  if (consent) await consent(page);

  const title = await until("a product's link", () => page.evaluate(() => document.querySelector("#products li:nth-child(4) a")?.textContent.trim()), Boolean);
  await page.evaluate(() => document.querySelector("#products li:nth-child(4) a").click());
  await until("the product's page", () => page.evaluate((place) => [...document.querySelectorAll(place)].map(({ textContent }) => textContent.trim()), place), (headings) => headings.includes(title));
  await until("the view is recorded", () => page.evaluate(async () => (await document.querySelector("ingle-shelf").recommender.history()).length), (events) => events > 0);
  await page.evaluate(() => document.querySelector("ingle-privacy").scrollIntoView());
  await until("the panel shows it", () => known(page), (titles) => titles.includes(title));
  await page.evaluate(() => scrollTo(0, 0));
  const because = await until("recommendations follow", () => shelf(page), (cards) => cards[0]?.reason === `Because you viewed ${title}`);
  assert.equal(because.length, 6);
  assert.notDeepEqual(because.map(({ item }) => item), popular.map(({ item }) => item));

  if (home) await page.evaluate(() => [...document.querySelectorAll("a")].find(({ textContent }) => textContent.trim() === "Home").click());
  await until("the first page again", () => page.evaluate(() => document.querySelector("#products") !== null), Boolean);
  await until("recommendations stay", () => shelf(page), (cards) => cards.length === 6 && cards[0].reason === `Because you viewed ${title}`);
  if (page.workers) assert.equal(page.workers().length, 1, "one engine");
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(told, []);
  return { title, popular, because };
}

/** The shopper allows that the history is kept, in the panel. */
export async function allowInPanel(page) {
  await until("the panel asks", () => page.evaluate(() => Boolean(document.querySelector("ingle-privacy")?.shadowRoot?.querySelector("input[value=granted]"))), Boolean);
  await page.evaluate(() => document.querySelector("ingle-privacy").shadowRoot.querySelector("input[value=granted]").click());
  await until("what is known is on the device", () => page.evaluate(() => document.querySelector("ingle-privacy").recommender.status.storage.kind), (kind) => kind === "indexeddb");
}

/** What the page's first shelf shows. */
export const shelf = (page) =>
  page.evaluate(() =>
    [...(document.querySelector("ingle-shelf")?.querySelectorAll(":scope > [data-item]") ?? [])].map((card) => ({
      item: card.getAttribute("data-item"),
      title: card.querySelector(".ingle-title")?.textContent ?? "",
      reason: card.querySelector(".ingle-reason")?.textContent ?? "",
    })),
  );

const known = (page) => page.evaluate(() => [...(document.querySelector("ingle-privacy")?.shadowRoot?.querySelectorAll("ol .title") ?? [])].map(({ textContent }) => textContent));

/** Looks again until it is so; what was seen last is in the error. */
export async function until(what, look, enough) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    // A page that is just being left cannot be looked at.
    const seen = await look().catch((error) => String(error));
    if (typeof seen !== "string" || !/context was destroyed|navigat|Target closed/i.test(seen)) if (enough(seen)) return seen;
    if (Date.now() > end) assert.fail(`not within ${PATIENCE_MS / 1_000} s: ${what}. Seen last: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
