// A shop's page: policies, caching, what is asked of the network, what stays on the device.

import { after, before, describe, test } from "node:test";
import { equal, ok, until } from "../check.js";
import { goldenHashes, type Site } from "../golden.js";
import { BROWSERS, ChromiumVisitor, launch, type Running, serveShop } from "./harness.js";
import type { Line } from "./site.js";

let site: Site;
before(async () => (site = await serveShop()));
after(() => site.close());

const sorted = (hashes: Record<string, string>) => Object.entries(hashes).sort().join();

/** What has been asked of the bundle since then. */
const askedSince = (from: number) => site.requests.slice(from).flatMap(({ url = "" }) => (url.startsWith("/b/") ? [url] : []));

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, () => {
    let browser: Running;
    before(async () => (browser = await start()));
    after(() => browser.close());

    test("runs in a worker under the policy that the README gives", async () => {
      const visitor = await browser.arrive(site, "/strict");
      const { status, failure } = await visitor.call("open");
      equal([failure, status.rung, "thread" in status.cpu && status.cpu.thread], [undefined, "cpu", "worker"]);
      equal(await visitor.tab.evaluate(() => crossOriginIsolated, undefined), false);
      await visitor.leave();
    });

    test("runs on the page's own thread where workers are forbidden", async () => {
      const visitor = await browser.arrive(site, "/no-worker");
      const { status, failure } = await visitor.call("open");
      equal([failure, status.rung, "thread" in status.cpu && status.cpu.thread], [undefined, "cpu", "main"]);
      equal((await visitor.call("recommend")).length, 10);
      await visitor.leave();
    });

    for (const worker of [true, false]) {
      test(`shows what is popular where wasm is forbidden, ${worker ? "in a worker" : "on the page's own thread"}`, async () => {
        const visitor = await browser.arrive(site, "/no-wasm");
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
      const visitor = await browser.arrive(site);
      let from = site.requests.length;
      await visitor.call("open", { consent: "granted" });
      await visitor.call("visit", ["sku-5", "sku-6"]);
      const first = await visitor.call("recommend");
      ok(askedSince(from).length > 3, "the files came from the network");
      from = site.requests.length;
      await visitor.reload();
      await visitor.call("open", { consent: "granted" });
      equal(await visitor.call("history"), ["sku-5", "sku-6"]);
      equal((await visitor.call("recommend")).map(({ item }) => item), first.map(({ item }) => item));
      equal(askedSince(from), ["/b/manifest.json"]);
      await visitor.call("forget");
      await visitor.reload();
      await visitor.call("open", { consent: "granted" });
      equal(await visitor.call("history"), []);
      await visitor.leave();
    });

    test("damage in the browser's cache is found, and the files are fetched anew", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", { consent: "granted" });
      ok((await visitor.call("damageCache")) > 0, "there was something to damage");
      ok(sorted(await visitor.call("cached")) !== sorted(goldenHashes()), "it is damaged");
      const { status, failure } = await visitor.call("open", { consent: "granted" });
      equal([failure, status.rung], [undefined, "cpu"]);
      equal(sorted(await visitor.call("cached")), sorted(goldenHashes()));
      await visitor.leave();
    });

    test("every request is a plain GET, and the same ones whatever was clicked", async () => {
      const visits: string[][] = [];
      for (const items of [["sku-1"], ["sku-299", "sku-42", "not ours", "🧦"]]) {
        const visitor = await browser.arrive(site);
        await visitor.call("haveCookie");
        const from = site.requests.length;
        await visitor.call("open", { consent: "granted" });
        await visitor.call("visit", items);
        await visitor.call("recommend");
        await visitor.call("explain");
        await visitor.call("forget");
        const requests = site.requests.slice(from);
        for (const { method, url = "", headers } of requests) {
          equal([method, headers["content-length"], headers["transfer-encoding"], url.includes("?")], ["GET", undefined, undefined, false], url);
          // The page's own scripts are the shop's business; everything else is ours.
          if (url.startsWith("/b/") || url.endsWith(".wasm")) equal([headers.cookie, headers.referer], [undefined, undefined], url);
        }
        visits.push(requests.map(({ url = "" }) => url).sort());
        await visitor.leave();
      }
      ok(visits[0]!.length > 5, "the visit was seen");
      equal(visits[0], visits[1]);
    });

    test("over a visit of 200 events nothing at all is asked of the network", { timeout: 120_000 }, async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", { consent: "granted", storage: { collapseMs: 0 } });
      const from = site.requests.length;
      await visitor.call("longVisit", 200);
      equal((await visitor.call("history")).length, 200);
      equal(site.requests.slice(from).map(({ url }) => url), []);
      await visitor.leave();
    });

    test("without IndexedDB and Cache the visit is kept in memory, and everything answers", async () => {
      const visitor = await browser.arrive(site, "/no-storage");
      const { status } = await visitor.call("open", { consent: "granted" });
      await visitor.call("visit", ["sku-42"]);
      equal([status.rung, (await visitor.call("status")).storage.kind, await visitor.call("history")], ["cpu", "memory", ["sku-42"]]);
      equal((await visitor.call("recommend")).length, 10);
      await visitor.leave();
    });

    test("on a slow line that breaks nothing is lost, and nothing is sent twice", { timeout: 120_000 }, async (t) => {
      // As fast as a slow 3G network is: 400 kbit/s.
      const line: Line = { bytesPerSecond: 50_000, breakAfter: 100_000 };
      const slow = await serveShop(line);
      t.after(() => slow.close());
      const visitor = await browser.arrive(slow);
      await visitor.call("begin", { consent: "granted" });
      await visitor.call("visit", ["sku-42", "sku-7"]);
      await until(() => line.breakAfter === undefined, "the line broke");
      equal(await visitor.call("history"), ["sku-42", "sku-7"]);
      // The rest at once: how long a slow line takes is known.
      line.bytesPerSecond = 50_000_000;
      equal((await visitor.call("ready")).rung, "cpu");
      const ranges = slow.requests.flatMap(({ headers: { range } }) => (range === undefined ? [] : [range]));
      equal(ranges.length, 1);
      ok(Number(/^bytes=(\d+)-$/.exec(ranges[0]!)?.[1]) > 50_000, ranges.join());
      const got = await visitor.call("recommend");
      await visitor.reload();
      await visitor.call("open", { consent: "granted" });
      equal((await visitor.call("recommend")).map(({ item }) => item), got.map(({ item }) => item), "what came in two parts is what comes in one");
      await visitor.leave();
    });
  });
}

test("a download that breaks off goes on with the files that are missing", async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const visitor = await ChromiumVisitor.arrive(browser, site);
  await visitor.tab.route("**/b/items-*", (route) => route.abort("connectionfailed"));
  const { failure } = await visitor.call("open", { consent: "granted" });
  equal(failure, "bundle/network");
  await visitor.tab.unroute("**/b/items-*");
  await visitor.tab.waitForTimeout(300);
  visitor.requests.length = 0;
  const { status } = await visitor.call("open", { consent: "granted" });
  equal(status.rung, "cpu");
  const asked = visitor.requests.map((request) => new URL(request.url()).pathname).filter((path) => path.startsWith("/b/"));
  ok(asked.every((path) => path.includes("manifest") || path.includes("items-")), asked.join());
  await visitor.leave();
});

test("a page that was opened without a network recommends once there is one", async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const visitor = await ChromiumVisitor.arrive(browser, site);
  await visitor.call("open");
  await visitor.tab.context().setOffline(true);
  ok((await visitor.call("open")).failure !== undefined, "it could not be loaded");
  await visitor.call("visit", ["sku-42", "sku-7"]);
  equal((await visitor.call("recommend")).map(({ item, source }) => [item, source]), [["sku-7", "recent"], ["sku-42", "recent"]]);
  await visitor.tab.context().setOffline(false);
  await until(async () => (await visitor.call("status")).rung === "cpu", "the engine came with the network");
  equal((await visitor.call("recommend")).map(({ source }) => source), Array.from({ length: 10 }, () => "cpu"));
  await visitor.leave();
});
