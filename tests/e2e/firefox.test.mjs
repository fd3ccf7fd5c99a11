/** The shop in Firefox, where the CPU engine answers. */
import { test } from "node:test";
import { launchFirefox } from "../firefox.mjs";
import { visitWith } from "./other-browsers.mjs";

test("a visit in Firefox: recommendations follow the clicks, stay over a reload, and go when they are forgotten", { timeout: 240_000 }, async () => {
  const browser = await launchFirefox();
  try {
    const page = await (await browser.createBrowserContext()).newPage();
    await page.setViewport({ width: 1440, height: 900 });
    await visitWith(page);
  } finally {
    await browser.close();
  }
});
