// The JavaScript and HTML of the guides, in a page of a shop: each piece runs as it stands, with what it takes for granted.

import { after, before, test } from "node:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { build } from "esbuild";
import { compileScript, parse } from "vue/compiler-sfc";
import { blocksFor, RUNNERS } from "../../documents.mjs";
import { equal, ok, until } from "../check.js";
import { root } from "../golden.js";
import { launch } from "./harness.js";
import { closeAll, html, visit } from "./pages.js";

const HERE = Object.keys(RUNNERS).find((runner) => runner.endsWith("documents.test.ts"))!;
const pages = [...readdirSync(join(root, "docs/guides")).map((name) => `docs/guides/${name}`), "pkg/README.md"];
const blocks = pages.flatMap((page) => blocksFor(HERE, page, root));

let browser: Browser;
before(async () => (browser = await launch()));
after(async () => {
  await closeAll();
  await browser.close();
});

/** What a shop's page has anyway, and the pieces speak of. */
const SHOP = `
  globalThis.catalogue = new Proxy({}, { get: () => ({ brand: "Moor" }) });
  globalThis.stock = new Proxy({}, { get: () => ({ stock: 3, price: 20 }) });
  globalThis.basket = ["sku-5"];
  globalThis.answeredBefore = false;
  globalThis.banner = { value: "granted", hidden: false };
  globalThis.tell = globalThis.report = (...words) => words;
`;
const SHELF = '<ingle-shelf src="/b/" products="/products.json" kind="popular" k="4"></ingle-shelf>';
const MAP = '<script type="importmap">{ "imports": { "ingle/element/define": "/ingle/define.js" } }</script>';

/** Where the addresses of the guides are in the tests' shop. */
const here = (text: string): string => text.replaceAll('"/recommender/"', '"/b/"').replaceAll("/static/ingle/", "/ingle/").replaceAll("/static/", "/ingle/").replaceAll("sku-123", "sku-42");

/** A piece as a whole module: with the recommender that it speaks of and does not make. */
function moduleOf({ language, text }: { language: string; text: string }): string {
  const piece = here(text);
  if (language === "vue") {
    const { content } = compileScript(parse(piece).descriptor, { id: "piece", inlineTemplate: true });
    return `${content.replace("export default", "const Piece =")}
      import { createApp } from "vue"; import { createIngle } from "ingle/vue";
      createApp(Piece, { id: "sku-42" }).use(createIngle("/b/")).mount("#root");`;
  }
  if (language === "jsx") {
    const shown = /export function (\w+)/.exec(piece)?.[1];
    const app = shown ? `${piece.replace("export function", "function")}\nconst app = <${shown} />;` : `import "ingle/element/define";\nconst app = (${piece});`;
    return `import { createRoot } from "react-dom/client"; ${app}\ncreateRoot(document.querySelector("#root")).render(app);`;
  }
  const made = /\bconst (\{ )?recommender\b/.test(piece);
  const imported = /import .*createRecommender/.test(piece) || !/createRecommender/.test(piece + (made ? "" : "createRecommender"));
  return `${imported ? "" : 'import { createRecommender } from "ingle";\n'}${made ? "" : 'const recommender = createRecommender("/b/");\n'}${piece.includes("createApp(App)") ? 'const App = { render: () => "the shop" };\n' : ""}${piece}
    await banner.onchange?.();`;
}

/** Bundles for the page, whose address has the engine's files beside it. */
async function bundle(code: string): Promise<string> {
  const define = { "process.env.NODE_ENV": '"production"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" };
  const { outputFiles } = await build({ stdin: { contents: code, resolveDir: root, loader: "jsx" }, jsx: "automatic", bundle: true, format: "esm", target: "es2022", write: false, define, external: ["./worker-cpu.js", "./worker-gpu.js"] });
  return outputFiles[0]!.text;
}

test("there are pieces to run", () => ok(blocks.length >= 12, `${blocks.length}`));

for (const block of blocks) {
  test(`${block.page}, line ${block.line}: the piece of ${block.language} runs`, async () => {
    const shop = `<script>${SHOP}</script>`;
    const done = '\n;document.body.dataset.done = "yes";';
    const body = block.language === "html" ? `${MAP}${here(block.text)}` : `<div id="root"></div>${SHELF}${MAP}<script type="module" src="/ingle/define.js"></script><script type="module" src="/piece.js"></script>`;
    const script = block.language === "html" ? "" : (await bundle(moduleOf(block))) + done;
    const page = await visit(browser, { "/page.html": { body: html(body, shop) }, "/piece.js": { body: script } });
    const { tab, complaints } = page;
    if (block.language !== "html") await until(async () => (await tab.evaluate(() => document.body.dataset["done"])) === "yes" || complaints.length > 0, "it runs to its end", 30_000);
    const shows = { html: "ingle-shelf > [data-item]", vue: "#root li", jsx: block.text.includes("<ingle-shelf") ? "#root ingle-shelf > [data-item]" : "#root li" }[block.language];
    if (shows) await until(async () => (await tab.locator(shows).count()) === 8 || complaints.length > 0, "it shows recommendations", 30_000);
    await page.close();
    equal(complaints, []);
  });
}
