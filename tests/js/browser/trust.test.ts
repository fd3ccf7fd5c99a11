// A page that names its keys once, in its head: elements, React, Vue and scripts use what these keys have signed, in each browser.

import { after, before, test } from "node:test";
import { equal, ok, until } from "../check.js";
import { goldenAgain, goldenFiles, type Site } from "../golden.js";
import { Shop } from "../signed.js";
import { BROWSERS, type Running, serveShop, type Visitor } from "./harness.js";
import { bundled, html } from "./pages.js";
import type { Extra } from "./site.js";

const ELEMENTS = '<ingle-shelf src="/b/" kind="popular" heading="Popular" k="4"></ingle-shelf><ingle-privacy src="/b/"></ingle-privacy>';
const HEARD = '<script>globalThis.page = {}; globalThis.told = []; addEventListener("ingle-error", ({ detail }) => told.push(detail.code + " " + detail.message));</script>';
const DEFINE = '<script type="module">import "/ingle/define.js"; globalThis.recommender = document.querySelector("ingle-shelf").recommender;</script>';
const REACT = `import { createElement as h, useEffect } from "react"; import { createRoot } from "react-dom/client"; import { IngleProvider, useRecommender } from "ingle/react";
function Hold() { const one = useRecommender(); useEffect(() => void (globalThis.recommender = one)); return null; }
createRoot(document.querySelector("#root")).render(h(IngleProvider, { src: "/b/" }, h(Hold)));`;
const VUE = `import { createApp, h } from "vue"; import { createIngle, useRecommender } from "ingle/vue";
createApp({ setup() { globalThis.recommender = useRecommender(); return () => h("p"); } }).use(createIngle("/b/")).mount("#root");`;
const SCRIPT = '<script src="/ingle/ingle.iife.js"></script><script>globalThis.recommender = Ingle.createRecommender("/b/");</script>';

const tag = (trust: unknown): string => `<meta name="ingle-trust" content='${typeof trust === "string" ? trust : JSON.stringify(trust)}'>`;

for (const [name, start] of Object.entries(BROWSERS)) {
  let running: Running, site: Site;
  const extra: Extra = {};
  const shop = new Shop();
  before(async () => {
    [running, site] = await Promise.all([start(), serveShop(undefined, extra)]);
    shop.publish(goldenFiles());
    shop.publish(goldenAgain());
    for (const [file, body] of shop.files) extra[`/b/${file}`] = { body, headers: { "cache-control": "no-store" } };
    for (const [file, code] of Object.entries({ react: REACT, vue: VUE })) extra[`/${file}.js`] = { body: await bundled(code) };
  });
  after(async () => {
    await running.close();
    await site.close();
  });

  /** Opens a page of this shop; what its recommender says once it is ready or cannot be, and what of the bundle was asked for. */
  async function visit(body: string, head: string) {
    extra["/trusting.html"] = { body: html(body, head) };
    const from = site.requests.length;
    const visitor: Visitor = await running.arrive(site, "/trusting.html");
    await until(() => visitor.tab.evaluate(() => Boolean((globalThis as { recommender?: unknown }).recommender), undefined), "there is a recommender", 30_000);
    const seen = await visitor.tab.evaluate(async () => {
      const { recommender } = globalThis as unknown as { recommender: { ready: Promise<unknown>; status: { bundle: { signed: object | null } | null } } };
      const failure = await recommender.ready.then(() => undefined, (error: { code: string }) => error.code);
      return { failure, signed: recommender.status.bundle?.signed };
    }, undefined);
    const asked = () => site.requests.slice(from).flatMap(({ url = "" }) => (url.startsWith("/b/") ? [url.slice(3)] : []));
    return { visitor, seen, asked };
  }

  const PAGES: Record<string, [body: string, head: (tag: string) => string]> = {
    "elements alone": [ELEMENTS, (tag) => tag + HEARD + DEFINE],
    "elements of the plain script": [`${ELEMENTS}<script>globalThis.recommender = document.querySelector("ingle-shelf").recommender;</script>`, (tag) => `${tag}${HEARD}<script src="/ingle/ingle.iife.js"></script>`],
    "React's provider": ['<div id="root"></div><script type="module" src="/react.js"></script>', (tag) => tag + HEARD],
    "Vue's plugin": ['<div id="root"></div><script type="module" src="/vue.js"></script>', (tag) => tag + HEARD],
    "a script": ["", (tag) => tag + HEARD + SCRIPT],
    "a script that runs before the tag is there": ["", (tag) => HEARD + SCRIPT + tag],
  };
  for (const [what, [body, head]] of Object.entries(PAGES)) {
    test(`${name}: by one tag in the head, ${what} use signed releases alone`, { timeout: 120_000 }, async () => {
      const { visitor, seen, asked } = await visit(body, head(tag(shop.trust)));
      equal(seen, { failure: undefined, signed: { shop: "shoes", epoch: 1, release: 2 } });
      ok(asked().includes("channel.json") && !asked().includes("manifest.json"), asked().join());
      await visitor.leave();
    });
  }

  test(`${name}: the tag's lowest release is asked for, and an older one is refused`, { timeout: 120_000 }, async () => {
    const { visitor, seen } = await visit(ELEMENTS, tag({ ...shop.trust, atLeast: 3 }) + HEARD + DEFINE);
    equal(seen, { failure: "delivery/rollback", signed: undefined });
    await visitor.leave();
  });

  for (const wrong of ["", "shoes", "null", '{"shop":"shoes"}', { ...shop.trust, keys: ["9273db28"] }]) {
    test(`${name}: the tag ${JSON.stringify(wrong).slice(0, 40)} is told, and nothing is asked for`, { timeout: 120_000 }, async () => {
      const { visitor, seen, asked } = await visit(ELEMENTS, tag(wrong) + HEARD + DEFINE);
      equal(seen, { failure: "input/options", signed: undefined });
      const told = () => visitor.tab.evaluate(() => (globalThis as unknown as { told: string[] }).told, undefined);
      await until(async () => (await told()).length > 0, "an element tells");
      ok((await told()).every((one) => one.startsWith('input/options <meta name="ingle-trust">: ')), (await told()).join("\n"));
      equal(asked(), []);
      await visitor.leave();
    });
  }

  test(`${name}: a recommender that is told to take any bundle does, beside others that do not`, { timeout: 120_000 }, async () => {
    const { visitor, seen } = await visit("", tag(shop.trust) + HEARD + SCRIPT.replace('"/b/"', '"/b/", { trust: "any" }'));
    equal(seen, { failure: undefined, signed: null });
    await visitor.leave();
  });

  test(`${name}: a tag in the body, where shoppers may write, is not read`, { timeout: 120_000 }, async () => {
    const { visitor, seen, asked } = await visit(tag({ ...shop.trust, shop: "strangers" }) + ELEMENTS, HEARD + DEFINE);
    equal(seen, { failure: undefined, signed: null });
    ok(asked().includes("manifest.json") && !asked().includes("channel.json"), asked().join());
    await visitor.leave();
  });
}
