// What a developer reads in the console of a page on localhost, and that a shopper's console stays empty.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { equal, ok, until } from "../check.js";
import { root, type Site } from "../golden.js";
import { BROWSERS, ChromiumVisitor, launch, type Running, serveShop, type Visitor } from "./harness.js";
import { html } from "./pages.js";
import type { Extra } from "./site.js";

/** Writes down what the console is told from the first script on. */
const WATCH = `<script>globalThis.told = []; for (const level of ["info", "warn", "error"]) console[level] = (...words) => told.push(level + ": " + words.join(" "));</script>`;
const core = readdirSync(join(root, "pkg/dist")).find((name) => /^core-\w+\.js$/.test(name)) ?? "";

/** A page whose script has the package, and a visitor's click on an item that the bundle knows. */
const page = (script: string, body = "", head = ""): string =>
  html(body, `${WATCH}${head}<script type="module">import { createRecommender } from "/ingle/index.js"; globalThis.page = {}; ${script}</script>`);
const element = (body: string): string => page("", body, '<script type="module" src="/ingle/define.js"></script>');

/** What is wrong on a page, and what its console says of it, in order. */
const CASES: Record<string, [page: string, told: RegExp[]]> = {
  "a bundle that is not there": [
    page(`for (const n of [1, 2]) { const made = createRecommender("/nowhere/", { consent: "session" }); await made.record({ item: "sku-42" }); await made.recommend(); }`),
    [/^warn: ingle: bundle\/http: .*HTTP 404 for http:\/\/[^ ]+\/nowhere\/manifest\.json\. Check the address: the folder that `ingle export` wrote .*docs\/guides\/errors\.md/],
  ],
  "an index page in the bundle's place": [page(`await createRecommender("/index/", { consent: "session" }).recommend();`), [/^warn: ingle: bundle\/manifest: .*Check the address: many servers/]],
  "files of the engine that are elsewhere": [page(`await createRecommender("/b/", { consent: "session", engine: "cpu", assets: "/lost/" }).recommend();`), [/^warn: ingle: engine\/files: .*assets/]],
  "the package without its core": [
    page(`await createRecommender("/b/", { consent: "session" }).recommend().catch(() => {});`, "", `<script type="importmap">{"imports":{"/ingle/${core}":"data:text/javascript,throw new Error('gone')"}}</script>`),
    [/^warn: ingle: engine\/unavailable: gone Upload all files of the package together\./],
  ],
  "products that are not there": [element('<ingle-shelf src="/b/" products="/none.json" consent="session"></ingle-shelf>'), [/^warn: ingle: input\/products: .*none\.json cannot be had: HTTP 404/]],
  "an element without a recommender": [element("<ingle-shelf></ingle-shelf>"), [/^warn: ingle: <ingle-shelf> has neither src nor recommender/]],
  "a history that ends with the page, without a word on consent": [page(`const made = createRecommender("/b/"); for (const item of ["sku-42", "sku-7"]) await made.record({ item });`), [/^info: ingle: The history is kept in memory .*privacy\.md/]],
  "an event while the shopper has paused": [page(`const made = createRecommender("/b/", { consent: "session" }); await made.pause(); await made.record({ item: "sku-42" });`), [/^warn: ingle: record\(\) kept nothing: recording is paused\./]],
  "an event without consent": [page(`await createRecommender("/b/", { consent: "denied" }).record({ item: "sku-42" });`), [/^warn: ingle: record\(\) kept nothing: consent is "denied"\./]],
  "a browser that asks for privacy": [
    page(`Object.defineProperty(navigator, "globalPrivacyControl", { value: true }); await createRecommender("/b/", { consent: "granted" }).record({ item: "sku-42" });`),
    [/^warn: ingle: The history is kept in memory only\. The browser asks for privacy/],
  ],
  "nothing that is wrong, but the page's own word": [page(`const made = createRecommender("/b/", { consent: "session" }); await made.record({ item: "sku-42" }); await made.recommend(); console.info("done");`), [/^info: done$/]],
};

const addressOf = (name: string): string => `/${name.replaceAll(/\W+/g, "-")}.html`;
const EXTRA: Extra = { ...Object.fromEntries(Object.entries(CASES).map(([name, [body]]) => [addressOf(name), { body }])), "/index/manifest.json": { body: html("shop") } };

let site: Site;
before(async () => (site = await serveShop(undefined, EXTRA)));
after(() => site.close());

/** Errors that browsers count as uncaught, of the files that these pages miss on purpose. */
const leave = (visitor: Visitor): Promise<void> => visitor.leave().catch(({ message }: Error) => ok(/gone|\/lost\/worker/.test(message), message));

const told = (visitor: Visitor): Promise<string[]> => visitor.tab.evaluate(() => (globalThis as unknown as { told: string[] }).told, undefined);

for (const [browserName, start] of Object.entries(BROWSERS)) {
  describe(browserName, () => {
    let browser: Running;
    before(async () => (browser = await start()));
    after(() => browser.close());

    for (const [name, [, due]] of Object.entries(CASES)) {
      test(`${name}: the console says so once`, { timeout: 120_000 }, async () => {
        const visitor = await browser.arrive(site, addressOf(name));
        await until(async () => (await told(visitor)).length >= due.length, "the console is told", 60_000).catch(() => {});
        // What comes twice comes soon after.
        await new Promise((resolve) => setTimeout(resolve, 500));
        const lines = await told(visitor);
        equal(lines.length, due.length, lines.join("\n"));
        lines.forEach((line, n) => ok(due[n]?.test(line) && !line.includes("sku-42"), `${line} is not ${due[n]}`));
        await leave(visitor);
      });
    }
  });
}

test("the last good bundle answers where the host's is broken, and the console says why", { timeout: 120_000 }, async () => {
  const extra: Extra = { "/page.html": { body: page(`const made = createRecommender("/b/", { consent: "granted", engine: "cpu" }); await made.ready; globalThis.page.done = true;`) } };
  const [own, browser] = await Promise.all([serveShop(undefined, extra), launch()]);
  const visitor = await ChromiumVisitor.arrive(browser, own, "/page.html");
  await visitor.tab.waitForFunction(() => "done" in (globalThis as unknown as { page: object }).page);
  equal(await told(visitor), []);
  extra["/b/manifest.json"] = { body: "{}" };
  await visitor.reload();
  await until(async () => (await told(visitor)).length > 0, "the console is told");
  const [line = ""] = await told(visitor);
  ok(/^warn: ingle: bundle\/manifest: The bundle in use may be old: /.test(line), line);
  await visitor.leave();
  await Promise.all([browser.close(), own.close()]);
});

test("on a shop's own host the console is told nothing, whatever is wrong", { timeout: 240_000 }, async () => {
  const browser = await launch(["--host-resolver-rules=MAP shop.example 127.0.0.1"]);
  const { url } = site;
  const shop = { ...site, url: url.replace("127.0.0.1", "shop.example") };
  for (const name of Object.keys(CASES).slice(0, -1)) {
    const visitor = await ChromiumVisitor.arrive(browser, shop, addressOf(name));
    equal(await visitor.tab.evaluate(() => location.hostname), "shop.example");
    await new Promise((resolve) => setTimeout(resolve, name.startsWith("an element") ? 6_000 : 1_000));
    equal(await told(visitor), [], name);
    await leave(visitor);
  }
  await browser.close();
});
