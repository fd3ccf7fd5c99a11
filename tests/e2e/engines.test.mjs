/** Who answers, and what happens when that one dies. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { department, launch, lookAt, settled, shelf, shelfChanged, visit } from "./visit.mjs";

const browsers = [];
after(() => Promise.all(browsers.map((browser) => browser.close())));

async function open(options) {
  const browser = await launch(options);
  browsers.push(browser);
  return { browser, ...(await visit(browser)) };
}

async function choose(page, engine) {
  await page.locator(`[data-engine="${engine}"]`).click();
  await settled(page);
}

const rung = (page) => page.locator("#rung").getAttribute("data-rung");
const why = (page) => page.locator("#why").textContent();

test("without a GPU the CPU answers and the status says why", async () => {
  const { page, end } = await open();
  await page.waitForFunction(() => /WebGPU|GPU/.test(document.querySelector("#why")?.textContent ?? "") && !/loading/.test(document.querySelector("#why").textContent));
  assert.equal(await rung(page), "cpu");
  assert.match(await why(page), /^The CPU engine answers: .*GPU/);

  await choose(page, "gpu");
  assert.equal(await rung(page), "cpu", "asked for a GPU that is not there, the CPU still answers");
  assert.equal((await shelf(page)).length, 8);
  await end();
});

test("with a GPU asked for, it answers, and it recommends what the CPU recommends", async () => {
  const { page, end } = await open({ gpu: true });
  const popular = await shelf(page);
  const [first, second, third] = await department(page, "Kitchen");
  await lookAt(page, first);
  await lookAt(page, second);
  await lookAt(page, third);
  await choose(page, "cpu");
  assert.equal(await rung(page), "cpu");
  const onCpu = await shelfChanged(page, popular);
  await choose(page, "gpu");
  await page.locator('#rung[data-rung="gpu"]').waitFor();
  assert.match(await why(page), /GPU engine answers/);
  assert.deepEqual(await shelf(page), onCpu);
  await end();
});

test("when the GPU dies in the middle of a visit the CPU answers, and a GPU that dies twice is let go", async () => {
  const { browser, page, end } = await open({ gpu: true });
  await choose(page, "gpu");
  await page.locator('#rung[data-rung="gpu"]').waitFor();
  const items = await department(page, "Garden");
  const devtools = await browser.newBrowserCDPSession();
  const crash = () => devtools.send("Browser.crashGpuProcess");
  await page.evaluate(() => {
    globalThis.rungs = [];
    const note = () => globalThis.rungs.push(document.querySelector("#rung")?.dataset.rung);
    new MutationObserver(note).observe(document.querySelector(".engine"), { childList: true });
  });

  let seen = await shelf(page);
  await crash();
  await lookAt(page, items[0]);
  seen = await shelfChanged(page, seen);
  assert.equal(seen.length, 8);
  assert.ok((await page.evaluate(() => globalThis.rungs)).includes("cpu"), "the CPU took over");

  // The engine gets one second chance; whether that comes off is the browser's affair.
  const state = (pattern) => page.waitForFunction((source) => new RegExp(source).test(document.querySelector(".engine details").textContent), pattern, { timeout: 120_000 });
  await state("GPU: (ready|retired)");
  await crash();
  await lookAt(page, items[1]);
  seen = await shelfChanged(page, seen);
  assert.equal(seen.length, 8);
  await state("GPU: retired");
  assert.equal(await rung(page), "cpu");
  assert.match(await why(page), /^The CPU engine answers: /);
  await end();
});
