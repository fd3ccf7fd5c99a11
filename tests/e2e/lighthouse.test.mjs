/** What Lighthouse says of the shop's pages, on a phone and on a desk. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import lighthouse, { desktopConfig } from "lighthouse";
import { department, launch, SHOP, visit } from "./visit.mjs";

const LEAST = 0.95;
const CATEGORIES = ["accessibility", "best-practices"];

let browser, port, item;
before(async () => {
  port = await freePort();
  browser = await launch({ args: [`--remote-debugging-port=${port}`] });
  const { page, end } = await visit(browser, { consent: false });
  [item] = await department(page, "Kitchen");
  await end();
});
after(() => browser?.close());

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

for (const [size, config, places] of [["phone", undefined, ["#/", "#/p/", "#/you"]], ["desktop", desktopConfig, ["#/"]]]) {
  for (const place of places) {
    test(`finds ${place} accessible and well made on a ${size}`, { timeout: 180_000 }, async () => {
      const address = new URL(place === "#/p/" ? `${place}${item}` : place, SHOP).href;
      const flags = { port, onlyCategories: CATEGORIES, logLevel: "error", disableFullPageScreenshot: true };
      const { lhr } = await lighthouse(address, flags, config);
      assert.equal(lhr.runtimeError, undefined);
      const scores = CATEGORIES.map((name) => lhr.categories[name].score);
      console.log(`# ${size} ${place}: ${CATEGORIES.map((name, n) => `${name} ${Math.round(scores[n] * 100)}`).join(", ")}`);
      assert.ok(scores.every((score) => score >= LEAST), complaints(lhr));
    });
  }
}

/** What costs points, in Lighthouse's words. */
function complaints({ audits }) {
  const bad = Object.values(audits).filter(({ score }) => score !== null && score < 1);
  return bad.map(({ id, title, details }) => `${id}: ${title} ${JSON.stringify(details?.items ?? []).slice(0, 400)}`).join("\n");
}
