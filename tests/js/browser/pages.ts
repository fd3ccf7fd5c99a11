/** Pages as other people's frameworks, plugins and routers make them, and what they show in Chromium. */

import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { equal, until } from "../check.js";
import { root, type Site } from "../golden.js";
import { type Extra, serveShop } from "./site.js";

/** A page of a shop. */
export const html = (body: string, head = ""): string => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>shop</title><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;

/** A file of the package, or of another one that is installed. */
export const published = (name: string): string => readFileSync(join(root, "pkg/dist", name), "utf8");
export const installed = (path: string): string => readFileSync(join(root, "node_modules", path), "utf8");

/** Bundles a script as a shop would, in the framework's development mode, which tells what is wrong; Ingle itself is fetched as published. */
export async function bundled(code: string): Promise<string> {
  const ingle = (esbuild: { onResolve(filter: { filter: RegExp }, found: (args: { path: string }) => { path: string; external: true }): void }): void =>
    esbuild.onResolve({ filter: /^ingle(\/element.*)?$/ }, ({ path }) => ({ path: `/ingle/${{ ingle: "index", "ingle/element/define": "define" }[path] ?? path.slice(6)}.js`, external: true }));
  const define = { "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true" };
  const { outputFiles } = await build({ stdin: { contents: code, resolveDir: root }, bundle: true, format: "esm", write: false, define, logOverride: { "ignored-bare-import": "silent" }, plugins: [{ name: "ingle", setup: ingle }] });
  return outputFiles[0]!.text;
}

/** One visit: what the page printed as warning or error, and what it threw. */
export interface Visit {
  tab: Tab;
  site: Site;
  complaints: string[];
  close(): Promise<void>;
}

const open = new Set<() => Promise<void>>();

/** Ends the visits of tests that failed halfway. */
export async function closeAll(): Promise<void> {
  for (const close of open) await close();
}

/** Opens the page at `path` of a shop with these pages. */
export async function visit(browser: Browser, extra: Extra, path = "/page.html", before?: (tab: Tab) => Promise<unknown>): Promise<Visit> {
  const site = await serveShop(undefined, extra);
  const tab = await (await browser.newContext()).newPage();
  const complaints: string[] = [];
  tab.on("pageerror", ({ message }) => complaints.push(message));
  // Chromium's own word on a machine without a GPU.
  tab.on("console", (message) => ["error", "warning"].includes(message.type()) && message.text() !== "No available adapters." && complaints.push(message.text()));
  await before?.(tab);
  await tab.goto(new URL(path, site.url).href);
  const close = async (): Promise<void> => {
    await tab.context().close();
    await site.close();
    open.delete(close);
  };
  open.add(close);
  return { tab, site, complaints, close };
}

/** The items on a page's shelves, once there are `count`. */
export async function cards(tab: Tab, count: number): Promise<string[]> {
  const shown = tab.locator("ingle-shelf > [data-item]");
  await until(async () => (await shown.count()) === count, `${count} cards`, 30_000);
  return shown.evaluateAll((all) => all.map((slide) => slide.getAttribute("data-item") ?? ""));
}

/** What the cards say, one after the other. */
export const texts = (tab: Tab): Promise<string[]> => tab.locator("ingle-shelf > [data-item]").evaluateAll((all) => all.map(({ textContent }) => textContent ?? ""));

/** Ends a visit that went without a word. */
export async function quiet({ complaints, close }: Visit): Promise<void> {
  await close();
  equal(complaints, [], "what the page complained of");
}
