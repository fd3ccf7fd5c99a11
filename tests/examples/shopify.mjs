/** A theme's pages with the extension's blocks in them: checked by Shopify's theme check, rendered by LiquidJS. No shop of Shopify's. */

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./shop.mjs";
import { until } from "./visit.mjs";

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** What Shopify puts into every page, with the shopper's answer kept. */
const CUSTOMER_PRIVACY = `<script>
  globalThis.Shopify = {
    loadFeatures(features, done) {
      setTimeout(() => {
        Shopify.customerPrivacy = { preferencesProcessingAllowed: () => localStorage.answer === "yes" };
        done();
      });
    },
  };
  function answer(word) {
    localStorage.answer = word;
    document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail: { preferencesAllowed: word === "yes" } }));
  }
</script>`;

/** Checks the extension, and serves a theme's pages with its blocks until `stop`. */
export async function serveTheme(folder) {
  const require = createRequire(join(tools(dirname(folder)), "package.json"));
  const extension = join(folder, "extensions/ingle");
  const { offenses } = await require("@shopify/theme-check-node").themeCheckRun(extension, "theme-check:theme-app-extension");
  assert.deepEqual(offenses.map(({ check, uri, start, message }) => `${check} in ${uri}, line ${start?.line}: ${message}`), []);

  const { Liquid } = require("liquidjs");
  const liquid = new Liquid();
  const block = async (name, scope, settings = {}) => {
    const [, template, schema] = /^([\s\S]*)\{% schema %\}([\s\S]*)\{% endschema %\}\s*$/.exec(readFileSync(join(extension, `blocks/${name}.liquid`), "utf8"));
    const defaults = Object.fromEntries(JSON.parse(schema).settings.map((setting) => [setting.id, setting.default]));
    return liquid.parseAndRender(template, { ...scope, block: { settings: { ...defaults, ...settings }, shopify_attributes: `data-block="${name}"` } });
  };
  const products = JSON.parse(readFileSync(join(folder, "public/products.json"), "utf8"));
  const page = async (product) => {
    const scope = { product, request: { page_type: product ? "product" : "index" } };
    const list = products.slice(0, 12).map(({ url, title }) => `<li><a href="${url}">${title}</a></li>`);
    const main = product ? `<a href="/">Home</a><h1>${product.title}</h1>` : `<ul id="products">${list.join("")}</ul>`;
    const blocks = [await block("shelf", scope, { k: 6 }), await block("privacy", scope), await block("recommender", scope)];
    return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>shop</title><link rel="icon" href="data:,">${CUSTOMER_PRIVACY}</head><body>${main}${blocks.join("")}</body></html>`;
  };

  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, "http://shop");
    const file = pathname.startsWith("/apps/ingle/") && join(folder, "public", pathname.slice("/apps/ingle/".length));
    if (file && existsSync(file)) return response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
    const product = products.find((one) => one.url === pathname);
    if (!product && pathname !== "/") return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/html" }).end(await page(product));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => (server.closeAllConnections(), server.close());
  return { origin: `http://127.0.0.1:${server.address().port}`, stop, said: () => "" };
}

/** Shopify's checker and a renderer of Liquid, kept from one run to the next. */
function tools(work) {
  const folder = join(work, "shopify-tools");
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(new URL("shopify/package.json", import.meta.url)), join(folder, "package.json"));
  run("npm", ["install", "--no-package-lock", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"], folder);
  return folder;
}

/** The shopper answers Shopify's banner. */
export async function allowByShopify(page) {
  await page.evaluate(() => answer("yes"));
  await until("the answer is followed", () => page.evaluate(() => document.querySelector("ingle-shelf").recommender.status.storage.kind), (kind) => kind === "indexeddb");
}

/** A shopper who takes the answer back: what was kept goes. */
export async function refuse({ page }) {
  await page.evaluate(() => answer("no"));
  await until("what was kept is erased", () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), (names) => !names.includes("ingle"));
}
