// Ingle in other people's pages, with the real libraries: frameworks that render and hydrate, policies, plugins that move
// scripts, product files of other shapes.

import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createSSRApp, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";
import { equal, ok, until } from "../check.js";
import { launch } from "./harness.js";
import { bundled, cards, closeAll, html, published, quiet, texts, visit } from "./pages.js";

let browser: Browser;
before(async () => (browser = await launch()));
after(async () => {
  await closeAll();
  await browser.close();
});

const SHELF = '<ingle-shelf src="/b/" products="/products.json" kind="popular" heading="Popular" k="4"></ingle-shelf>';
const THINGS = ["Thing 227", "Thing 154"];

// ---- Trusted Types

const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; require-trusted-types-for 'script'";
const SCRIPTS = { "the plain script": '<script src="/ingle/ingle.iife.js" defer></script>', modules: '<script type="module" src="/ingle/define.js"></script>' };
/** Policies, the thread that the engine runs on under them, and the directives that the browser reports. */
const POLICIES: [string, string, string[]][] = [
  [STRICT, "worker", []],
  [`${STRICT}; trusted-types ingle`, "worker", []],
  [`${STRICT}; trusted-types 'none'`, "main", ["require-trusted-types-for", "trusted-types"]],
  [`${STRICT}; trusted-types other`, "main", ["require-trusted-types-for", "trusted-types"]],
];

for (const [name, script] of Object.entries(SCRIPTS)) {
  for (const [policy, thread, reported] of POLICIES) {
    test(`a page that demands Trusted Types (${policy.slice(STRICT.length + 2) || "any policy"}) has a shelf, a panel and an engine, with ${name}`, async () => {
      const watch = 'globalThis.reported = []; document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => reported.push(effectiveDirective));';
      const page = html(`${SHELF}<ingle-privacy src="/b/"></ingle-privacy>`, `<script src="/watch.js"></script>${script}`);
      const { tab, complaints, close } = await visit(browser, { "/page.html": { body: page, headers: { "content-security-policy": policy } }, "/watch.js": { body: watch } });
      await cards(tab, 4);
      await tab.locator("ingle-privacy [part=empty]").waitFor();
      const status = await tab.evaluate(async () => (await document.querySelector("ingle-shelf")!.recommender!.ready).cpu);
      equal("thread" in status && status.thread, thread);
      ok(await tab.locator("ingle-shelf").evaluate((shelf) => shelf.shadowRoot!.querySelectorAll("button svg path").length === 2), "the arrows are drawn");
      equal([...new Set(await tab.evaluate(() => (globalThis as unknown as { reported: string[] }).reported))].sort(), reported);
      if (reported.length === 0) equal(complaints, []);
      await close();
    });
  }
}

// ---- Templates of frameworks

const REACT_SHELF = `h("ingle-shelf", { src: "/b/", kind: "popular", k: 4, products: "/products.json" }, h("template", null, h("a", { className: "card", "data-ingle-href": "url" }, h("b", { "data-ingle-text": "title" }), h("i", null, "!"))))`;
const CLIENTS = {
  React: `import "ingle/element/define"; import { createElement as h } from "react"; import { createRoot } from "react-dom/client"; createRoot(document.querySelector("#root")).render(${REACT_SHELF});`,
  Vue: `import "ingle/element/define"; import { createApp, h } from "vue"; const app = createApp({ render: () => h("ingle-shelf", { src: "/b/", kind: "popular", k: 4, products: "/products.json" }, [h("template", [h("a", { class: "card", "data-ingle-href": "url" }, [h("b", { "data-ingle-text": "title" }), h("i", "!")])])]) }); app.mount("#root");`,
};
for (const [framework, code] of Object.entries(CLIENTS)) {
  test(`a card's template that ${framework} makes is the card`, async () => {
    const page = await visit(browser, { "/page.html": { body: html('<div id="root"></div><script type="module" src="/client.js"></script>') }, "/client.js": { body: await bundled(code) } });
    const items = await cards(page.tab, 4);
    equal(await texts(page.tab), items.map((item) => `Thing ${item.slice(4)}!`));
    equal(await page.tab.locator("ingle-shelf > [data-item] a.card").evaluateAll((all) => all.map((link) => link.getAttribute("href"))), items.map((item) => `/p/${item}`));
    await quiet(page);
  });
}

test("an empty template is no card: the default one is shown", async () => {
  const page = await visit(browser, { "/page.html": { body: html(SHELF.replace("></", "><template>  </template></"), SCRIPTS.modules) } });
  const items = await cards(page.tab, 4);
  equal(await texts(page.tab), items.map((item) => `Thing ${item.slice(4)}£5Popular`));
  await quiet(page);
});

// ---- Hydration

/** The same page on the server and in the browser: shelves alone, with a note, and with a card of the shop's own. */
const REACT_APP = `
  const shelf = { src: "/b/", products: "/products.json", kind: "popular", heading: "Popular", k: "4" };
  const App = ({ many = 0 }) => {
    const [count, again] = useState(0);
    globalThis.renderAgain = () => again((before) => before + 1);
    return h("main", null,
      h("h1", null, "A shop"),
      h("ingle-shelf", shelf),
      h("ingle-shelf", shelf, h("span", { slot: "note" }, "Note ", String(count))),
      h("ingle-shelf", shelf, h("a", { slot: "card", hidden: true, className: "card", "data-ingle-href": "url" }, h("b", { "data-ingle-text": "title" }))),
      h("ingle-privacy", { src: "/b/" }),
      Array.from({ length: many }, (_, n) => h("p", { key: n }, "Line ", String(n))),
      h("p", null, "The end, ", String(count)));
  };`;
const VUE_APP = `
  const shelf = { src: "/b/", products: "/products.json", kind: "popular", heading: "Popular", k: "4" };
  const count = ref(0);
  const App = {
    setup() {
      globalThis.renderAgain = () => count.value++;
      return () => h("main", [
        h("h1", "A shop"),
        h("ingle-shelf", shelf),
        h("ingle-shelf", shelf, [h("span", { slot: "note" }, "Note " + count.value)]),
        h("ingle-shelf", shelf, [h("a", { slot: "card", hidden: true, class: "card", "data-ingle-href": "url" }, [h("b", { "data-ingle-text": "title" })])]),
        h("ingle-privacy", { src: "/b/" }),
        h("p", "The end, " + count.value),
      ]);
    },
  };`;

async function evaluateApp(code: string, names: string[], values: unknown[]): Promise<unknown> {
  return new Function(...names, `${code}; return App;`)(...values) as unknown;
}

const HYDRATED: Record<string, { server(): Promise<string>; client: string }> = {
  "React": {
    server: async () => renderToString(createElement((await evaluateApp(REACT_APP, ["h", "useState"], [createElement, (first: unknown) => [first, () => {}]])) as () => ReturnType<typeof createElement>)),
    client: `import "ingle/element/define"; import { createElement as h, useState } from "react"; import { hydrateRoot } from "react-dom/client"; ${REACT_APP} hydrateRoot(document.querySelector("#root"), h(App), { onRecoverableError: (error) => console.error(error.message) });`,
  },
  "React, in slices, as Next.js does": {
    server: async () => renderToString(createElement((await evaluateApp(REACT_APP, ["h", "useState"], [createElement, (first: unknown) => [first, () => {}]])) as (props: { many: number }) => ReturnType<typeof createElement>, { many: 3000 })),
    client: `import "ingle/element/define"; import { createElement as h, startTransition, useState } from "react"; import { hydrateRoot } from "react-dom/client"; ${REACT_APP} startTransition(() => hydrateRoot(document.querySelector("#root"), h(App, { many: 3000 }), { onRecoverableError: (error) => console.error(error.message) }));`,
  },
  Vue: {
    server: async () => renderVue(createSSRApp((await evaluateApp(VUE_APP, ["h", "ref"], [h, (value: unknown) => ({ value })])) as Parameters<typeof createSSRApp>[0])),
    client: `import "ingle/element/define"; import { createSSRApp, h, ref } from "vue"; ${VUE_APP} const app = createSSRApp(App); app.mount("#root");`,
  },
};

for (const [framework, { server, client }] of Object.entries(HYDRATED)) {
  test(`${framework}: a server's page is hydrated without a word, with its cards, now and after it renders again`, async () => {
    // Whoever sees the markup that was sent again sees that it was kept.
    const mark = "<script>for (const sent of document.querySelectorAll('h1, ingle-shelf')) sent.sent = true;</script>";
    const body = html(`<div id="root">${await server()}</div>${mark}<script type="module" src="/client.js"></script>`);
    const page = await visit(browser, { "/page.html": { body }, "/client.js": { body: await bundled(client) } });
    const { tab } = page;
    const kept = () => tab.locator("h1, ingle-shelf").evaluateAll((all) => all.filter((element) => (element as Element & { sent?: boolean }).sent).length);
    const items = await cards(tab, 12);
    equal(items.slice(0, 4), items.slice(8));
    equal((await texts(tab)).slice(8, 10), THINGS);
    equal(await tab.locator("ingle-shelf > [data-item] > a.card:not([slot], [hidden])").count(), 4);
    equal(await kept(), 4);
    for (const count of [1, 2]) {
      await tab.evaluate(() => (globalThis as unknown as { renderAgain(): void }).renderAgain());
      await tab.getByText(`The end, ${count}`).waitFor();
      await tab.getByText(`Note ${count}`).waitFor();
    }
    equal(await cards(tab, 12), items);
    equal(await kept(), 4);
    await quiet(page);
  });
}

test("until a framework has had its chance a shelf leaves what was sent alone, and holds its place all the same", async () => {
  const page = await visit(browser, { "/page.html": { body: html(SHELF, '<script type="module" src="/slow.js"></script>') }, "/slow.js": { body: 'import "/ingle/define.js"; const shelf = document.querySelector("ingle-shelf"); globalThis.sent = [shelf.outerHTML, shelf.offsetHeight > 100, shelf.shadowRoot.querySelectorAll(".place").length];' } });
  await cards(page.tab, 4);
  equal(await page.tab.evaluate(() => (globalThis as unknown as { sent: unknown }).sent), [SHELF, true, 4]);
  equal(await page.tab.locator("ingle-shelf").evaluate((shelf) => shelf.shadowRoot!.querySelectorAll(".place").length), 0);
  await quiet(page);
});

// ---- Scripts that plugins move

const START = `async function start(options = {}) {
  const recommender = Ingle.createRecommender("/b/", { engine: "cpu", ...options });
  await recommender.record({ item: "sku-42" });
  const answer = await recommender.recommend({ k: 4 });
  const { rung, why, cpu } = recommender.status;
  return { rung, why, code: cpu.code ?? "", items: answer.length };
}`;
/** How a plugin or a tag manager brings the script into the page. */
const MOVED: Record<string, string> = {
  "combined with others": '<script src="/cache/js/combined-4f1c.js"></script>',
  "put inline": `<script>${START}</script><script>${"INLINE"}</script>`,
  "run as text by a tag manager": `<script src="/start.js"></script><script>globalThis.brought = fetch("/ingle/ingle.iife.js").then((response) => response.text()).then((text) => document.head.append(Object.assign(document.createElement("script"), { text })));</script>`,
};
const TOLD: Record<string, [string, string]> = {
  "a meta element": ['<meta data-ingle-base="/ingle/">', "start()"],
  "a script's attribute, without the slash": ['<script data-ingle-base="/ingle"></script>', "start()"],
  "the option assets": ["", 'start({ assets: "/ingle/" })'],
  "the option assets, on the page's thread": ["", 'start({ assets: new URL("/ingle", location.href), worker: false })'],
};
interface Started { rung: string; why: string; code: string; items: number }

async function moved(head: string, how: string, call: string): Promise<Started & { asked: string[] }> {
  const script = (MOVED[how] ?? how).replace("INLINE", () => published("ingle.iife.js").replaceAll("</script", "<\\/script"));
  const { tab, site, close } = await visit(browser, { "/page.html": { body: html(script, head) }, "/start.js": { body: START }, "/cache/js/combined-4f1c.js": { body: `${START}\n${published("ingle.iife.js")}` } });
  const told = (await tab.evaluate(`(async () => { await globalThis.brought; return ${call}; })()`)) as Started;
  const asked = site.requests.flatMap(({ url = "" }) => (/worker|wasm/.test(url) ? [url] : []));
  await close();
  return { ...told, asked };
}

for (const how of Object.keys(MOVED)) {
  for (const [where, [head, call]] of Object.entries(TOLD)) {
    test(`a script that was ${how} finds its files by ${where}`, async () => {
      const { rung, items, asked } = await moved(head, how, call);
      equal({ rung, items, asked: [...new Set(asked)].sort() }, { rung: "cpu", items: 4, asked: ["/ingle/cpu.wasm", "/ingle/worker-cpu.js"] });
    });
  }

  test(`a script that was ${how} says what to set, and shows what is popular meanwhile`, async () => {
    const { rung, code, why, items } = await moved("", how, "start()");
    equal({ rung, code, items }, { rung: "popular", code: "engine/files", items: 4 });
    ok(why.includes("assets") && why.includes("data-ingle-base"), why);
  });
}

test("what shoppers may write into a page does not say where its scripts come from", async () => {
  const written = '<b data-ingle-base="/evil/"></b><img name="currentScript" src="/evil/x.png"><a id="Ingle" href="/evil/"></a>';
  for (const how of ["put inline", "run as text by a tag manager"]) {
    const { rung, code, asked } = await moved("", `${written}${MOVED[how]}`, "start()");
    equal({ rung, code, asked }, { rung: "popular", code: "engine/files", asked: [] });
  }
});

// ---- One engine for scripts and elements

const RECORD = 'globalThis.recommender = createRecommender("/b/"); await recommender.record({ item: "sku-42" }); recommender.observe(document, { afterMs: 10 });';
const MARKUP = `<p data-ingle-item="sku-43">A product</p>${SHELF}<ingle-shelf src="/b/" k="4"></ingle-shelf><ingle-privacy src="/b/"></ingle-privacy>`;
const DEFINE = '<script type="module">import "/ingle/define.js";</script>';
const MODULE = '<script type="module" src="/main.js"></script>';

for (const [how, body] of Object.entries({ "before the script": `${DEFINE}${MARKUP}${MODULE}`, "after the script": `${MODULE}${MARKUP}${DEFINE}`, "long before the script": `${MARKUP}<script src="/ingle/ingle.iife.js"></script><script src="/slow.js"></script><script src="/global.js"></script>` })) {
  test(`elements take the recommender that a script makes, and one engine answers: defined ${how}`, async () => {
    const global = `(async () => { ${RECORD.replace("createRecommender", "Ingle.createRecommender")} })();`;
    const page = await visit(browser, { "/page.html": { body: html(body) }, "/main.js": { body: `import { createRecommender } from "/ingle/index.js"; ${RECORD}` }, "/global.js": { body: global }, "/slow.js": { body: "for (const end = Date.now() + 500; Date.now() < end; );" } });
    await cards(page.tab, 8);
    await until(async () => (await page.tab.evaluate("recommender.history()") as unknown[]).length === 2, "the markup's view is recorded");
    const same = await page.tab.evaluate("[...document.querySelectorAll('ingle-shelf, ingle-privacy')].map((element) => element.recommender === recommender)");
    equal([same, page.tab.workers().length], [[true, true, true], 1]);
    await quiet(page);
  });
}

test("elements without a script share one engine of their own, and make another where it was disposed of", async () => {
  const page = await visit(browser, { "/page.html": { body: html(`${DEFINE}${MARKUP}`) } });
  await cards(page.tab, 8);
  equal(page.tab.workers().length, 1);
  await page.tab.evaluate(() => {
    const shelf = document.querySelector("ingle-shelf")!;
    shelf.recommender!.dispose();
    shelf.remove();
    document.body.append(shelf);
  });
  equal(await page.tab.evaluate(async () => (await document.querySelectorAll("ingle-shelf")[1]!.recommender!.ready).rung), "cpu");
  await quiet(page);
});

test("the plain script may be loaded twice, and what is there stays", async () => {
  const twice = '<script src="/ingle/ingle.iife.js"></script><script>globalThis.first = Ingle;</script>';
  const page = await visit(browser, { "/page.html": { body: html(`${SHELF}${twice}${twice.replace("first", "second")}<script type="module" src="/ingle/define.js"></script>`) } });
  await cards(page.tab, 4);
  equal(await page.tab.evaluate("[first === second, first.createRecommender('/b/') === second.createRecommender('/b/'), customElements.get('ingle-shelf') === first.IngleShelf]"), [true, true, true]);
  await quiet(page);
});

// ---- Product files of other shapes

const SHOPIFY = { products: [{ id: 9, title: "Oak tray", handle: "sku-227", variants: [{ id: 1, price: "30.00" }], images: [{ src: "/a.jpg" }] }, { id: 8, title: "Clay bowl", handle: "sku-154", variants: [], images: [] }] };
const WOO = [{ id: "sku-227", name: "Oak tray", permalink: "https://shop.example/oak", images: [{ src: "/a.jpg" }], price: 30 }, { id: "sku-154", name: "Clay bowl" }];

/** What a shelf shows of a file, and what it says is wrong. */
async function shelfOf(file: { body: string; type?: string } | undefined): Promise<{ texts: string[]; busy: string | null; nothing: boolean; told: string[]; links: (string | null)[] }> {
  const heard = '<script>globalThis.heard = []; document.addEventListener("ingle-error", ({ detail }) => heard.push(`${detail.code} ${detail.message}`));</script>';
  const { tab, close } = await visit(browser, { "/page.html": { body: html(SHELF.replace("/products.json", "/catalogue.json"), `${heard}${SCRIPTS.modules}`) }, ...(file && { "/catalogue.json": file }) });
  const shelf = tab.locator("ingle-shelf[aria-busy=false]");
  await shelf.waitFor();
  const seen = await shelf.evaluate((element) => ({
    texts: [...element.querySelectorAll("[data-item]")].map((slide) => [...slide.querySelectorAll(".ingle-title, .ingle-price")].map(({ textContent }) => textContent).filter(Boolean).join(" ")),
    links: [...element.querySelectorAll("[data-item] a")].map((link) => link.getAttribute("href")),
    busy: element.getAttribute("aria-busy"),
    nothing: !element.shadowRoot!.querySelector<HTMLElement>(".nothing")!.hidden,
    told: (globalThis as unknown as { heard: string[] }).heard,
  }));
  await close();
  return seen;
}

test("a list of products, as Shopify and WooCommerce have it, is read by id or handle", async () => {
  const shopify = await shelfOf({ body: JSON.stringify(SHOPIFY) });
  equal(shopify, { texts: ["Oak tray 30.00", "Clay bowl"], links: ["/products/sku-227", "/products/sku-154"], busy: "false", nothing: false, told: [] });
  const woo = await shelfOf({ body: JSON.stringify(WOO) });
  equal([woo.texts, woo.links, woo.told], [["Oak tray 30", "Clay bowl"], ["https://shop.example/oak", null], []]);
});

/** Files that are of no use, and what the error must name. */
const USELESS: [string, { body: string; type?: string } | undefined, RegExp][] = [
  ["a file that is missing", undefined, /catalogue\.json cannot be had: HTTP 404/],
  ["a page in the file's place", { body: "<!doctype html>Not here", type: "text/html" }, /catalogue\.json is not JSON, but text\/html/],
  ["a list without ids", { body: '[{"title":"Oak tray"}]' }, /catalogue\.json should be an object of products by id, or a list .* a list of 1 without id/],
  ["a word", { body: '"sku-1"' }, /catalogue\.json should be .* it is a string/],
  ["nothing", { body: "null" }, /catalogue\.json should be .* it is null/],
  ["an object of words", { body: '{"sku-227":"Oak tray"}' }, /catalogue\.json should be .* an object of sku-227/],
  ["other products", { body: '{"products":[{"id":42,"title":"Oak tray"},{"id":43}]}' }, /None of the 4 recommended items is among the products: .*catalogue\.json has 2, such as "42", "43"/],
  ["an empty object", { body: "{}" }, /None of the 4 recommended items is among the products: .*catalogue\.json is empty/],
];
for (const [what, file, told] of USELESS) {
  test(`${what} instead of products is told by code, file and shape, and nobody waits for ever`, async () => {
    const seen = await shelfOf(file);
    equal([seen.texts, seen.busy, seen.nothing, seen.told.length], [[], "false", true, 1], JSON.stringify(seen));
    ok(seen.told[0]!.startsWith("input/products ") && told.test(seen.told[0]!), seen.told[0]!);
  });
}

test("products as a property may have numbers for keys, or be a list", async () => {
  const code = `import { define } from "/ingle/element.js"; define();
    const shelf = (products) => Object.assign(document.body.appendChild(document.createElement("ingle-shelf")), { products, style: "inline-size: 10rem" });
    const made = [shelf(new Map([[8227, { title: "by number" }]])), shelf([{ id: 8227, title: "in a list" }]), shelf({ 8227: { title: "by key" } })];
    for (const one of made) for (const [name, value] of [["src", "/numbered/"], ["kind", "popular"], ["k", "1"]]) one.setAttribute(name, value);`;
  const page = await visit(browser, { "/page.html": { body: html("", '<script type="module" src="/client.js"></script>') }, "/client.js": { body: code } });
  await cards(page.tab, 3);
  equal((await texts(page.tab)).map((text) => text.replace("Popular", "")), ["by number", "in a list", "by key"]);
  await quiet(page);
});

test("an element that is moved about draws once for a change, and asks the one recommender", async () => {
  const page = await visit(browser, { "/page.html": { body: html(`${SHELF.replace("popular", "recent")}<section></section>`, '<script src="/ingle/ingle.iife.js" defer></script>') } });
  const { tab } = page;
  await tab.locator("ingle-shelf[aria-busy=false]").waitFor();
  const answers = await tab.evaluate(async () => {
    const shelf = document.querySelector("ingle-shelf")!;
    const { recommender } = shelf;
    for (let n = 0; n < 50; n++) (n % 2 ? document.body : document.querySelector("section"))!.append(shelf);
    await new Promise((resolve) => setTimeout(resolve, 500));
    let answers = 0;
    shelf.addEventListener("ingle-answer", () => answers++);
    await recommender!.record({ item: "sku-7" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    return [answers, shelf.recommender === recommender, shelf.querySelectorAll("[data-item]").length];
  });
  equal(answers, [1, true, 1]);
  equal(tab.workers().length, 1);
  await quiet(page);
});

// ---- What attributes alone ask for

const OBSERVED = SHELF.replace('kind="popular"', "observe");

test("with `observe` a shelf's recommender records what the markup says, once however many shelves say so", async () => {
  const body = `<main data-ingle-item="sku-42"><h1>Thing 42</h1></main>${OBSERVED}${OBSERVED}`;
  const page = await visit(browser, { "/page.html": { body: html(body, SCRIPTS.modules) } });
  const events = () => page.tab.evaluate(async () => (await document.querySelector("ingle-shelf")!.recommender!.history()).map(({ item, type }) => `${type} ${item}`));
  await until(async () => (await events()).length > 0, "the view", 30_000);
  // One more shelf does not begin the look anew.
  await page.tab.evaluate((shelf) => document.body.insertAdjacentHTML("beforeend", shelf), OBSERVED);
  await cards(page.tab, 12);
  equal(await events(), ["view sku-42"]);
  await quiet(page);
});

test("without `observe` nothing is recorded by itself", async () => {
  const page = await visit(browser, { "/page.html": { body: html(`<main data-ingle-item="sku-42"><h1>Thing 42</h1></main>${SHELF}`, SCRIPTS.modules) } });
  await cards(page.tab, 4);
  await page.tab.waitForTimeout(1_500);
  equal(await page.tab.evaluate(async () => (await document.querySelector("ingle-shelf")!.recommender!.history()).length), 0);
  await quiet(page);
});

/** What banners put into a page: whether the shopper has allowed preferences before, and how a test answers now. */
const BANNERS = {
  "WordPress's consent API": `let allowed = ANSWER; globalThis.wp_has_consent = (category) => category === "preferences" && allowed;
    globalThis.answer = (yes) => { allowed = yes; document.dispatchEvent(new CustomEvent("wp_listen_for_consent_change", { detail: { preferences: yes ? "allow" : "deny" } })); };`,
  "Shopify's customer privacy": `let allowed = ANSWER; globalThis.Shopify = { loadFeatures(features, done) { setTimeout(() => { Shopify.customerPrivacy = { preferencesProcessingAllowed: () => allowed }; done(); }, 200); } };
    globalThis.answer = (yes) => { allowed = yes; document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail: {} })); };`,
};
for (const [name, banner] of Object.entries(BANNERS)) {
  for (const before of [false, true]) {
    test(`a shelf follows the page's banner by ${name}, with a shopper who ${before ? "allowed it before" : "has not answered yet"}`, async () => {
      const shelf = SHELF.replace("<ingle-shelf", '<ingle-shelf consent="banner"');
      // The banner's script may come before ours or after it.
      const script = `<script>${banner.replace("ANSWER", String(before))}</script>`;
      const body = before ? `${SCRIPTS["the plain script"].replace(" defer", "")}${shelf}${script}` : `${script}${shelf}${SCRIPTS["the plain script"]}`;
      const page = await visit(browser, { "/page.html": { body: html(body) } });
      await cards(page.tab, 4);
      const consent = () => page.tab.evaluate(() => document.querySelector("ingle-shelf")!.recommender!.status.consent);
      const answer = (yes: boolean) => page.tab.evaluate((yes) => (globalThis as unknown as { answer(yes: boolean): void }).answer(yes), yes);
      if (before) await until(async () => (await consent()) === "granted", "the answer of before", 10_000);
      else {
        await page.tab.waitForTimeout(500);
        equal(await consent(), "session");
      }
      for (const yes of [true, false, true]) {
        await answer(yes);
        await until(async () => (await consent()) === (yes ? "granted" : "session"), `the answer ${yes}`, 10_000);
      }
      await quiet(page);
    });
  }
}
