/** The page that `ingle new` writes, served as its README says, in Chromium. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

let browser;
before(async () => (browser = await chromium.launch({ executablePath: process.env.CHROME || "/usr/bin/chromium", args: ["--no-sandbox"] })));
after(() => browser?.close());

test("recommends because of what was looked at, with one engine, and shows what is known", async () => {
  const page = await (await browser.newContext()).newPage();
  const told = [];
  page.on("pageerror", ({ message }) => told.push(message));
  // Chromium's own word on a machine without a GPU.
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && message.text() !== "No available adapters." && told.push(message.text()));
  await page.goto(process.env.INGLE_URL);
  const reasons = page.locator("ingle-shelf > [data-item] small");
  await reasons.nth(7).waitFor({ timeout: 30_000 });
  assert.deepEqual([...new Set(await reasons.allTextContents())], ["Popular"]);
  const product = page.locator("#products a").nth(3);
  const [title] = (await product.textContent()).split(",");
  await product.click();
  await page.waitForFunction((title) => document.querySelector("ingle-shelf > [data-item] small").textContent === `Because you viewed ${title}`, title, { timeout: 30_000 });
  await page.locator("ingle-privacy").scrollIntoViewIfNeeded();
  await page.locator("ingle-privacy").getByText(title).waitFor();
  assert.equal(page.workers().length, 1);
  assert.deepEqual(told, []);
  await page.context().close();
});
