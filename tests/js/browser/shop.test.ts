// A shop's page: policies, caching, what is asked of the network, what stays on the device.

import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { equal, ok } from "../check.js";
import type { Site } from "../golden.js";
import { launch, serveShop, Visitor } from "./harness.js";

let site: Site, browser: Browser;
before(async () => ([site, browser] = await Promise.all([serveShop(), launch()])));
after(async () => {
  await browser.close();
  await site.close();
});

const bundleRequests = ({ requests }: Visitor) => requests.map((request) => new URL(request.url()).pathname).filter((path) => path.startsWith("/b/"));

test("runs in a worker under the policy that the README gives", async () => {
  const visitor = await Visitor.arrive(browser, site, "/strict");
  const { status, failure } = await visitor.call("open");
  equal([failure, status.rung, "thread" in status.cpu && status.cpu.thread], [undefined, "cpu", "worker"]);
  equal(await visitor.tab.evaluate(() => crossOriginIsolated), false);
  await visitor.leave();
});

test("runs on the page's own thread where workers are forbidden", async () => {
  const visitor = await Visitor.arrive(browser, site, "/no-worker");
  const { status, failure } = await visitor.call("open");
  equal([failure, status.rung, "thread" in status.cpu && status.cpu.thread], [undefined, "cpu", "main"]);
  equal((await visitor.call("recommend")).length, 10);
  await visitor.leave();
});

for (const worker of [true, false]) {
  test(`shows what is popular where wasm is forbidden, ${worker ? "in a worker" : "on the page's own thread"}`, async () => {
    const visitor = await Visitor.arrive(browser, site, "/no-wasm");
    const { failure } = await visitor.call("open", { worker });
    equal(failure, "engine/blocked");
    const got = await visitor.call("recommend", 3);
    equal(got.map(({ source }) => source), ["popular", "popular", "popular"]);
    const { rung, why } = await visitor.call("status");
    equal(rung, "popular");
    ok(why.includes("wasm-unsafe-eval"), why);
    await visitor.leave();
  });
}

test("a reload keeps the history and fetches the manifest only; forgetting is for good", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.call("open", { consent: "granted" });
  await visitor.call("visit", ["sku-5", "sku-6"]);
  const first = await visitor.call("recommend");
  ok(bundleRequests(visitor).length > 3, "the files came from the network");
  visitor.requests.length = 0;
  await visitor.tab.reload();
  await visitor.loaded();
  await visitor.call("open", { consent: "granted" });
  equal(await visitor.call("history"), ["sku-5", "sku-6"]);
  equal((await visitor.call("recommend")).map(({ item }) => item), first.map(({ item }) => item));
  equal(bundleRequests(visitor), ["/b/manifest.json"]);
  await visitor.call("forget");
  await visitor.tab.reload();
  await visitor.loaded();
  await visitor.call("open", { consent: "granted" });
  equal(await visitor.call("history"), []);
  await visitor.leave();
});

test("damage in the browser's cache is found, and the files are fetched anew", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.call("open", { consent: "granted" });
  ok((await visitor.call("damageCache")) > 0, "there was something to damage");
  visitor.requests.length = 0;
  const { status, failure } = await visitor.call("open", { consent: "granted" });
  equal([failure, status.rung], [undefined, "cpu"]);
  ok(bundleRequests(visitor).some((path) => path.includes("items-")), "they were fetched again");
  await visitor.leave();
});

test("every request is a plain GET, and the same ones whatever was clicked", async () => {
  const visits: string[][] = [];
  for (const items of [["sku-1"], ["sku-299", "sku-42", "not ours", "🧦"]]) {
    const visitor = await Visitor.arrive(browser, site);
    await visitor.tab.context().addCookies([{ name: "shopper", value: "7", url: site.url }]);
    await visitor.call("open", { consent: "granted" });
    await visitor.call("visit", items);
    await visitor.call("recommend");
    await visitor.call("explain");
    await visitor.call("forget");
    for (const request of visitor.requests) {
      equal([request.method(), request.postData(), new URL(request.url()).search], ["GET", null, ""], request.url());
      const { cookie, referer } = await request.allHeaders();
      const { pathname } = new URL(request.url());
      // The page's own script is the shop's business; everything after it is ours.
      if (pathname.startsWith("/b/") || pathname.endsWith(".wasm")) equal([cookie, referer], [undefined, undefined], pathname);
    }
    visits.push(visitor.requests.map((request) => request.url()).sort());
    await visitor.leave();
  }
  equal(visits[0], visits[1]);
});

test("over a visit of 200 events nothing at all is asked of the network", { timeout: 120_000 }, async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.call("open", { consent: "granted", storage: { collapseMs: 0 } });
  visitor.requests.length = 0;
  await visitor.call("longVisit", 200);
  equal((await visitor.call("history")).length, 200);
  equal(visitor.requests.map((request) => request.url()), []);
  await visitor.leave();
});

test("without IndexedDB and Cache the visit is kept in memory, and everything answers", async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    for (const name of ["indexedDB", "caches", "BroadcastChannel"]) Object.defineProperty(globalThis, name, { value: undefined });
  });
  const visitor = await Visitor.arriveIn(context, site);
  const { status } = await visitor.call("open", { consent: "granted" });
  await visitor.call("visit", ["sku-42"]);
  equal([status.rung, (await visitor.call("status")).storage.kind, await visitor.call("history")], ["cpu", "memory", ["sku-42"]]);
  equal((await visitor.call("recommend")).length, 10);
  await visitor.leave();
});

test("a download that breaks off goes on with the files that are missing", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.tab.route("**/b/items-*", (route) => route.abort("connectionfailed"));
  const { failure } = await visitor.call("open", { consent: "granted" });
  equal(failure, "bundle/network");
  await visitor.tab.unroute("**/b/items-*");
  await visitor.tab.waitForTimeout(300);
  visitor.requests.length = 0;
  const { status } = await visitor.call("open", { consent: "granted" });
  equal(status.rung, "cpu");
  ok(bundleRequests(visitor).every((path) => path.includes("manifest") || path.includes("items-")), bundleRequests(visitor).join());
  await visitor.leave();
});
