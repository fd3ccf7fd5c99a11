/** The shop in WebKit, Safari's engine, where the CPU engine answers. */
import { test } from "node:test";
import { launchWebKit } from "../webkit.mjs";
import { visitWith } from "./other-browsers.mjs";

test("a visit in WebKit: recommendations follow the clicks, stay over a reload, and go when they are forgotten", { timeout: 240_000 }, async () => {
  const page = await launchWebKit();
  try {
    await visitWith(page);
  } finally {
    await page.close();
  }
});
