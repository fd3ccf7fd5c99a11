/** The package as npm packs it: its metadata, its weight, and a page built from it by every bundler. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "playwright-core";
import { entryFiles, PROJECTS } from "./projects.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const golden = join(root, "tests/data/golden");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
/** Brotli bytes of all that a page loads before it asks for an engine. */
const ENTRY_BYTES = 11 * 1024;

let work, packed, browser;
before(async () => {
  work = mkdtempSync(join(tmpdir(), "ingle-packaging-"));
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", work], { cwd: join(root, "pkg"), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  packed = join(work, filename);
  browser = await chromium.launch({ executablePath: process.env.CHROME || "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

/** A new project with the packed file installed, and nothing else. */
function newProject(name) {
  const folder = mkdtempSync(join(work, `${name.replace(/\W+/g, "-")}-`));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--offline", "--omit=peer", packed], { cwd: folder, stdio: "ignore" });
  return folder;
}

async function serve(folder, policy) {
  const server = createServer(({ url }, response) => {
    const path = url === "/" ? "/index.html" : new URL(url, "http://shop").pathname;
    const file = path.startsWith("/bundle/") ? join(golden, path.slice(8)) : join(folder, path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", ...(policy && { "content-security-policy": policy }) });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => (server.closeAllConnections(), server.close()) };
}

/** What a visitor of the page sees. */
async function look(url) {
  const page = await (await browser.newContext()).newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  await page.locator("body[data-rung]").waitFor({ timeout: 30_000 }).catch((error) => assert.fail(`${error.message}\n${errors.join("\n")}`));
  const seen = { ...(await page.locator("body").evaluate(({ dataset }) => ({ ...dataset }))), items: await page.locator("#list li").count(), errors };
  await page.context().close();
  return seen;
}

for (const [name, { build, serve: serveItself, policy, thread = "worker" }] of Object.entries(PROJECTS)) {
  test(`a new project with ${name} shows recommendations`, { timeout: 120_000 }, async () => {
    const folder = newProject(name);
    const bundle = await serve(folder);
    await build?.(folder);
    const site = serveItself ? await serveItself(folder, bundle.url) : await serve(join(folder, "out"), policy);
    try {
      assert.deepEqual(await look(site.url), { rung: "cpu", thread, items: 5, errors: [] });
    } finally {
      await site.close();
      bundle.close();
    }
  });
}

/** The first piece of code in this language after a heading, as a reader would copy it. */
function codeOf(file, heading, language) {
  const after = readFileSync(join(root, file), "utf8").split(`${heading}\n`)[1];
  return new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "m").exec(after)[1];
}

for (const [what, file, heading] of [["the five-minute start", "docs/guides/start.md", "## 2. Ten lines"], ["the package's README", "pkg/README.md", "# ingle"]]) {
  test(`a newcomer's path works as ${what} has it`, { timeout: 120_000 }, async () => {
    const start = "docs/guides/start.md";
    const [create] = codeOf(start, "## 1. A new project", "sh").split("\n");
    const words = create.replace("npm create vite@latest", "").replace(" -- ", " ").trim().split(/\s+/);
    const parent = mkdtempSync(join(work, "newcomer-"));
    execFileSync(process.execPath, [join(root, "node_modules/create-vite/index.js"), ...words], { cwd: parent, stdio: "ignore" });
    const folder = join(parent, words[0]);
    // Vite itself is the one that is here already.
    const manifest = join(folder, "package.json");
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), devDependencies: {} }));
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--offline", "--omit=peer", packed], { cwd: folder, stdio: "ignore" });
    cpSync(golden, join(folder, "public/recommender"), { recursive: true });
    writeFileSync(join(folder, "vite.config.js"), codeOf(start, "## 1. A new project", "js"));
    writeFileSync(join(folder, "src/main.js"), codeOf(file, heading, "js"));

    const { build, createServer, preview } = await import("vite");
    const server = await createServer({ root: folder, logLevel: "error", server: { port: 0, host: "127.0.0.1", fs: { strict: false } } });
    await server.listen();
    await build({ root: folder, logLevel: "error" });
    const built = await preview({ root: folder, logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
    try {
      for (const { resolvedUrls } of [server, built]) {
        const page = await (await browser.newContext()).newPage();
        await page.goto(resolvedUrls.local[0]);
        await page.locator("ul > li").nth(7).waitFor({ timeout: 30_000 });
        assert.match(await page.locator("ul > li").first().textContent(), /^sku-\d+ \(history\)$/);
        await page.context().close();
      }
    } finally {
      await Promise.all([server.close(), built.close()]);
    }
  });
}

test("importing any of it on a server does nothing", () => {
  const folder = newProject("server");
  const names = ["ingle", "ingle/element", "ingle/element/define", "ingle/inline", "ingle/worker"];
  const code = `const before = Object.keys(globalThis).length; for (const name of ${JSON.stringify(names)}) await import(name); console.log(Object.keys(globalThis).length - before);`;
  assert.equal(execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: folder, encoding: "utf8" }).trim(), "0");
});

test("a page loads at most 11 KB before it asks for an engine", () => {
  const dist = join(newProject("weight"), "node_modules/ingle/dist");
  const bytes = entryFiles(dist).reduce((sum, name) => sum + brotliCompressSync(readFileSync(join(dist, name))).length, 0);
  assert.ok(bytes <= ENTRY_BYTES, `${bytes} bytes`);
  console.log(`# entry: ${bytes} bytes brotli`);
});

test("publint finds nothing to say", async () => {
  const { publint } = await import("publint");
  const { messages } = await publint({ pkgDir: join(newProject("publint"), "node_modules/ingle"), strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test("its types resolve as its code does, for every way of importing it", () => {
  const tool = join(root, "node_modules/.bin/attw");
  execFileSync(tool, [packed, "--profile", "esm-only", "--exclude-entrypoints", "./cpu.wasm", "./gpu.wasm", "./ingle.iife.js", "./package.json"], { encoding: "utf8", stdio: "pipe" });
});

test("it has its licence's name, its page and nothing that is not its own", () => {
  const folder = join(newProject("contents"), "node_modules/ingle");
  assert.deepEqual(readdirSync(folder).sort(), ["README.md", "dist", "package.json"]);
});
