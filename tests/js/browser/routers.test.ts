// Pages whose scripts run again, with the real Turbo and htmx, and pages that the browser renders before anybody opens them.

import { after, before, test } from "node:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { equal, ok, sleep, until } from "../check.js";
import { executable, launch } from "./harness.js";
import { bundled, cards, closeAll, html, installed, quiet, visit } from "./pages.js";
import { type Extra, serveShop } from "./site.js";

let browser: Browser;
before(async () => (browser = await launch()));
after(async () => {
  await closeAll();
  await browser.close();
});

/** What a theme has at the end of every page's body. */
const SCRIPTS = '<script src="/ingle/ingle.iife.js"></script><script src="/recommendations.js"></script>';
const RECOMMENDATIONS = `(() => {
  const recommender = Ingle.createRecommender("/b/", { engine: "cpu", consent: "granted", offers: () => ({ price: 1 }), storage: { collapseMs: 0 } });
  (globalThis.made ??= []).push(recommender);
  recommender.observe(document, { afterMs: 50 });
  for (const shelf of document.querySelectorAll("ingle-shelf")) shelf.recommender = recommender;
})();`;

/** Two product pages that lead to each other, by a link that a router follows. */
function pagesOf(head: string, attributes = ""): Extra {
  const page = (item: string, next: string): string =>
    html(`<main data-page="${item}"><a id="next" href="${next}">next</a></main><section data-ingle-item="${item}"><button data-ingle-item="${item}" data-ingle-event="cart">Add to basket</button></section><ingle-shelf products="/products.json" kind="popular" heading="Popular" k="4"></ingle-shelf>${SCRIPTS}`, head).replace("<body>", `<body ${attributes}>`);
  return { "/page.html": { body: page("sku-42", "/two.html") }, "/two.html": { body: page("sku-43", "/page.html") }, "/recommendations.js": { body: RECOMMENDATIONS } };
}

interface Seen {
  made: number;
  events: string[];
}

const seen = (tab: Tab): Promise<Seen> =>
  tab.evaluate(async () => {
    const { made } = globalThis as unknown as { made: { history(): Promise<{ item: string; type: string }[]> }[] };
    return { made: new Set(made).size, events: (await made.at(-1)!.history()).map(({ item, type }) => `${type} ${item}`) };
  });

/** The way between the pages, as a router has it; it resolves once the next page's scripts have run. */
async function go(tab: Tab, item: string): Promise<void> {
  const scripts = () => tab.evaluate(() => (globalThis as unknown as { made: unknown[] }).made.length);
  const before = await scripts();
  await tab.locator("#next").click();
  await until(async () => (await tab.locator(`main[data-page="${item}"]`).count()) === 1 && (await scripts()) > before, `the page of ${item}`);
}

/** A router of a few lines: swaps the body in a view transition and runs its scripts again. */
const ROUTER = `document.addEventListener("click", async (event) => {
  const link = event.target.closest("#next");
  if (!link) return;
  event.preventDefault();
  const next = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
  document.startViewTransition(async () => {
    document.body.replaceWith(document.adoptNode(next.body));
    for (const old of document.body.querySelectorAll("script")) {
      const script = document.createElement("script");
      for (const { name, value } of old.attributes) script.setAttribute(name, value);
      script.async = false;
      old.replaceWith(script);
    }
  });
});`;

const ROUTERS: Record<string, () => Extra> = {
  // What it fetches because the mouse is there would come before it is asked for.
  Turbo: () => ({ ...pagesOf('<meta name="turbo-prefetch" content="false"><script src="/turbo.js"></script>'), "/turbo.js": { body: installed("@hotwired/turbo/dist/turbo.es2017-umd.js") } }),
  htmx: () => ({ ...pagesOf('<script src="/htmx.js"></script>', 'hx-boost="true"'), "/htmx.js": { body: installed("htmx.org/dist/htmx.js") } }),
  "a router of view transitions": () => ({ ...pagesOf('<script src="/router.js"></script>'), "/router.js": { body: ROUTER } }),
};

for (const [router, extra] of Object.entries(ROUTERS)) {
  test(`under ${router} one recommender and one engine serve every page, and a click counts once`, async () => {
    const page = await visit(browser, extra());
    const { tab, site } = page;
    await cards(tab, 4);
    for (const item of ["sku-43", "sku-42", "sku-43", "sku-42", "sku-43"]) {
      await go(tab, item);
      await cards(tab, 4);
    }
    await tab.locator("button[data-ingle-event]").click();
    const carts = async (): Promise<string[]> => (await seen(tab)).events.filter((event) => event.startsWith("cart"));
    await until(async () => (await carts()).length > 0, "the cart");
    await sleep(500);
    equal(await carts(), ["cart sku-43"]);
    equal([(await seen(tab)).made, tab.workers().length], [1, 1]);
    const engine = site.requests.flatMap(({ url = "" }) => (/worker|wasm/.test(url) ? [url] : []));
    equal(engine.sort(), ["/ingle/cpu.wasm", "/ingle/worker-cpu.js"]);
    equal(site.requests.filter(({ url = "" }) => /worker-cpu|cpu\.wasm|^\/b\//.test(url)).length, new Set(site.requests.map(({ url = "" }) => url).filter((url) => /worker-cpu|cpu\.wasm|^\/b\//.test(url))).size, "nothing is fetched twice");
    const stored = await tab.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
    ok(!/data-item|Thing \d/.test(stored), `no recommendation is stored: ${stored}`);
    if (router === "htmx") ok(stored.includes("htmx-history-cache"), "htmx has stored its pages");
    await quiet(page);
  });
}

test("what Turbo shows of a page while it is on its way is not recorded, and its cards are there at once", async () => {
  const extra = ROUTERS["Turbo"]!();
  const page = await visit(browser, extra);
  const { tab } = page;
  await cards(tab, 4);
  await go(tab, "sku-43");
  await cards(tab, 4);
  await until(async () => (await seen(tab)).events.includes("view sku-43"), "the view of the second page");
  // The first page is on its way for a while: what it was shows meanwhile.
  let letGo = (): void => {};
  await tab.route("**/page.html", async (route) => {
    await new Promise<void>((resolve) => (letGo = resolve));
    await route.continue();
  });
  const views = async (): Promise<number> => (await seen(tab)).events.filter((event) => event === "view sku-42").length;
  const before = await views();
  await tab.locator("#next").click();
  await tab.locator("html[data-turbo-preview] main[data-page=sku-42]").waitFor({ state: "attached" });
  equal((await cards(tab, 4)).length, 4);
  await sleep(600);
  equal(await views(), before);
  letGo();
  await tab.locator("html:not([data-turbo-preview]) main[data-page=sku-42]").waitFor({ state: "attached" });
  await until(async () => (await views()) > before, "the view of the page itself");
  equal((await seen(tab)).made, 1);
  await quiet(page);
});

test("parts that are watched twice, or lie in each other, record a click once, whoever watches them", async () => {
  const code = `import { createRecommender } from "/ingle/index.js";
    const options = { engine: "cpu", consent: "granted", storage: { collapseMs: 0 } };
    globalThis.made = [createRecommender("/b/", options), createRecommender("/b/", options)];
    const stops = made.flatMap((one) => [one.observe(), one.observe(), one.observe(document.querySelector("section"))]);
    globalThis.stop = () => stops.forEach((stop) => stop());`;
  const body = '<section data-ingle-item="sku-42"><button data-ingle-item="sku-42" data-ingle-event="cart">Add</button></section>';
  const page = await visit(browser, { "/page.html": { body: html(`${body}<script type="module" src="/client.js"></script>`) }, "/client.js": { body: code } });
  const { tab } = page;
  await tab.waitForFunction(() => "stop" in globalThis);
  await sleep(500);
  for (let n = 0; n < 3; n++) await tab.locator("button").click();
  const carts = async (): Promise<number> => (await seen(tab)).events.filter((event) => event === "cart sku-42").length;
  await until(async () => (await carts()) >= 3, "three clicks");
  await sleep(300);
  equal(await carts(), 3);
  await tab.evaluate(() => (globalThis as unknown as { stop(): void }).stop());
  await tab.locator("button").click();
  await sleep(300);
  equal(await carts(), 3);
  await quiet(page);
});

test("a script that runs again with other options has its own, and news of consent and offers is taken over", async () => {
  const page = await visit(browser, { "/page.html": { body: html('<script src="/ingle/ingle.iife.js"></script>') } });
  const told = await page.tab.evaluate(async () => {
    const { Ingle } = globalThis as unknown as { Ingle: { createRecommender(url: string, options?: object): import("../../../js/index.js").Recommender } };
    const make = (options: object) => Ingle.createRecommender("/b/", { engine: "cpu", ...options });
    const one = make({ consent: "session", offers: () => ({ stock: 1 }) });
    const same = make({ consent: "session", offers: (item: string) => ({ stock: item === "sku-154" ? 1 : 0 }) });
    const items = (await same.popular({ k: 5 })).map(({ item }) => item);
    await one.consent("denied");
    make({ consent: "session" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const kept = one.status.consent;
    make({ consent: "granted" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const granted = one.status.consent;
    const other = make({ storage: { name: "other" } });
    one.dispose();
    const next = make({ consent: "granted" });
    return { same: one === same, items, kept, granted, other: other !== one, next: next !== one && next !== other };
  });
  equal(told, { same: true, items: ["sku-154"], kept: "denied", granted: "granted", other: true, next: true });
  await quiet(page);
});

// ---- Pages that are rendered before they are opened

const AHEAD = 'Object.defineProperty(Document.prototype, "prerendering", { get: () => !globalThis.opened, configurable: true }); globalThis.open = () => { globalThis.opened = true; document.dispatchEvent(new Event("prerenderingchange")); };';
const FRAMEWORKS: Record<string, string> = {
  record: "recommender.record({ item: 'sku-42' }); globalThis.leave = () => {};",
  "useView of React": `const App = () => { useView("sku-42"); return null; }; const root = createRoot(document.createElement("div")); root.render(createElement(IngleProvider, { recommender }, createElement(App))); globalThis.leave = () => root.unmount();`,
  "useView of Vue": `const app = createApp({ setup() { useVueView("sku-42"); return () => null; } }); app.use(createIngle(recommender)).mount(document.createElement("div")); globalThis.leave = () => app.unmount();`,
};
for (const [how, code] of Object.entries(FRAMEWORKS)) {
  test(`a page that nobody has opened yet records nothing, and its view counts from when it is shown (${how})`, async () => {
    const client = await bundled(`import { createRecommender } from "ingle"; import { createElement } from "react"; import { createRoot } from "react-dom/client"; import { createApp } from "vue"; import { IngleProvider, useView } from "ingle/react"; import { createIngle, useView as useVueView } from "ingle/vue";
      const recommender = createRecommender("/b/", { engine: "cpu", consent: "granted" }); globalThis.made = [recommender]; ${code}`);
    const page = await visit(browser, { "/page.html": { body: html(`<script>${AHEAD}</script><script type="module" src="/client.js"></script>`) }, "/client.js": { body: client } });
    const { tab } = page;
    await tab.waitForFunction(() => "leave" in globalThis);
    await sleep(1000);
    equal((await seen(tab)).events, []);
    const shownAt = await tab.evaluate(() => ((globalThis as unknown as { open(): void }).open(), Date.now()));
    await until(async () => (await seen(tab)).events.length === 1, "the view");
    await sleep(200);
    await tab.evaluate(() => (globalThis as unknown as { leave(): void }).leave());
    const last = () => tab.evaluate(async () => (await (globalThis as unknown as { made: import("../../../js/index.js").Recommender[] }).made[0]!.history()).at(-1)!);
    if (how !== "record") await until(async () => (await last()).dwell !== undefined, "how long it was");
    const { item, type, at, dwell = 0 } = await last();
    ok(item === "sku-42" && type === "view" && at >= shownAt && dwell <= Date.now() - shownAt, JSON.stringify([at, shownAt, dwell]));
    equal((await seen(tab)).events, ["view sku-42"]);
    await quiet(page);
  });
}

test("Chromium renders a page ahead by itself, and a product that is never opened is never recorded", async () => {
  const told: Record<string, string[]> = { rendered: [], kept: [] };
  const tell = (what: string, value: string): string => `fetch("/told?${what}=" + encodeURIComponent(${value})).catch(() => {});`;
  const open = 'const recommender = Ingle.createRecommender("/b/", { engine: "cpu", consent: "granted" });';
  const product = html(`<main data-ingle-item="sku-42">A</main><script src="/ingle/ingle.iife.js"></script><script>${open} recommender.record({ item: "sku-43" }); recommender.observe(document, { afterMs: 10 }); setTimeout(() => { ${tell("rendered", "String(document.prerendering)")} }, 1000);</script>`);
  const rules = '<script type="speculationrules">{ "prerender": [{ "source": "list", "urls": ["/product.html"], "eagerness": "immediate" }] }</script>';
  const start = html(`<script src="/ingle/ingle.iife.js"></script><script>${open} setInterval(async () => { const kept = JSON.stringify((await recommender.history()).map(({ item }) => item)); ${tell("kept", "kept")} }, 500);</script>`, rules);
  const site = await serveShop(undefined, { "/start.html": { body: start }, "/product.html": { body: product }, "/told": { body: "" } });
  const profile = mkdtempSync(join(tmpdir(), "ingle-ahead-"));
  // A browser that is watched from its start renders nothing ahead; this one tells the server itself.
  const running = spawn(executable("CHROME", "chromium"), ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`, "--remote-debugging-port=0", `${site.url}start.html`], { stdio: "ignore" });
  const listen = (): void => {
    for (const { url = "" } of site.requests) for (const what of ["rendered", "kept"]) if (url.startsWith(`/told?${what}=`)) told[what] = [...told[what]!, decodeURIComponent(url.split("=")[1] ?? "")];
  };
  try {
    await until(() => site.requests.some(({ url = "" }) => url.startsWith("/told?rendered")), "the page is rendered ahead", 60_000);
    const from = site.requests.length;
    await until(() => site.requests.slice(from).filter(({ url = "" }) => url.startsWith("/told?kept")).length > 3, "the history is told after that", 60_000);
    listen();
    equal(told["rendered"], ["true"]);
    equal([...new Set(told["kept"])], ["[]"]);
  } finally {
    running.kill("SIGKILL");
    await new Promise((resolve) => (running.exitCode !== null || running.signalCode !== null ? resolve(undefined) : running.once("exit", resolve)));
    await site.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
