/** The package as npm packs it: its metadata, its weight, and a page built from it by every bundler. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { homedir, tmpdir } from "node:os";
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
const ENTRY_BYTES = 11.25 * 1024;

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

const START = "docs/guides/start.md";
/** Steps 2 to 4 of the guide, on one page; the ten lines of the package's README. */
const PATHS = {
  "steps 2 to 4 of the five-minute start": { script: () => codeOf(START, "## 2. Ten lines", "js") + codeOf(START, "## 4. Record by markup", "js"), body: () => codeOf(START, "## 3. Or a tag", "html") + codeOf(START, "## 4. Record by markup", "html") },
  "the repository's README": { script: () => codeOf("README.md", "## In a shop", "js"), body: () => "" },
  "the package's README": { script: () => codeOf("pkg/README.md", "# ingle", "js"), body: () => "" },
};

/** What Vite says beside its news: nothing, in a project that is in order. */
function listener() {
  const said = [];
  const hear = (message) => said.push(message);
  return { said, logger: { info() {}, warn: hear, warnOnce: hear, error: hear, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false } };
}

for (const [what, { script, body }] of Object.entries(PATHS)) {
  test(`a newcomer's path works as ${what} has it, with one engine, and Vite warns of nothing`, { timeout: 120_000 }, async () => {
    const [create] = codeOf(START, "## 1. A new project", "sh").split("\n");
    const words = create.replace("npm create vite@latest", "").replace(" -- ", " ").trim().split(/\s+/);
    const parent = mkdtempSync(join(work, "newcomer-"));
    execFileSync(process.execPath, [join(root, "node_modules/create-vite/index.js"), ...words], { cwd: parent, stdio: "ignore" });
    const folder = join(parent, words[0]);
    // Vite itself is the one that is here already.
    const manifest = join(folder, "package.json");
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), devDependencies: {} }));
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--offline", "--omit=peer", packed], { cwd: folder, stdio: "ignore" });
    cpSync(golden, join(folder, "public/recommender"), { recursive: true });
    const products = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`sku-${n}`, { title: `Thing ${n}`, url: `/p/${n}` }]));
    writeFileSync(join(folder, "public/products.json"), JSON.stringify(products));
    writeFileSync(join(folder, "vite.config.js"), codeOf(START, "## 1. A new project", "js"));
    writeFileSync(join(folder, "src/main.js"), script());
    const page = join(folder, "index.html");
    writeFileSync(page, readFileSync(page, "utf8").replace("<body>", `<body>${body()}`));

    const { build, createServer, preview } = await import("vite");
    const { said, logger } = listener();
    const server = await createServer({ root: folder, customLogger: logger, server: { port: 0, host: "127.0.0.1", fs: { strict: false } } });
    await server.listen();
    await build({ root: folder, customLogger: logger });
    const built = await preview({ root: folder, customLogger: logger, preview: { port: 0, host: "127.0.0.1" } });
    try {
      for (const { resolvedUrls } of [server, built]) {
        const page = await (await browser.newContext()).newPage();
        await page.goto(resolvedUrls.local[0]);
        await page.locator("ul > li").nth(7).waitFor({ timeout: 30_000 });
        assert.match(await page.locator("ul > li").first().textContent(), /^sku-\d+ \(history\)$/);
        if (body()) await page.locator("ingle-shelf > [data-item]").nth(7).waitFor({ timeout: 30_000 });
        assert.equal(page.workers().length, 1);
        await page.context().close();
      }
    } finally {
      await Promise.all([server.close(), built.close()]);
    }
    assert.deepEqual(said, []);
  });
}

test("source maps carry their sources, and nothing names a folder outside the package", () => {
  const dist = join(newProject("maps"), "node_modules/ingle/dist");
  const files = readdirSync(dist, { recursive: true }).filter((name) => /\.(js|ts|map|wasm)$/.test(name));
  const maps = files.filter((name) => name.endsWith(".map"));
  assert.ok(maps.length > 10, `${maps.length} maps`);
  for (const name of maps) {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(dist, name), "utf8"));
    assert.equal(sourcesContent.filter((text) => typeof text === "string").length, sources.length, `${name} lacks a source`);
    assert.deepEqual(sources.filter((source) => !/^(js|wasm-bindgen|ingle|node_modules\/@noble)\/[\w./-]+$/.test(source) || source.includes("..")), [], name);
  }
  const folders = [root, homedir(), process.env.CARGO_TARGET_DIR].filter(Boolean);
  assert.deepEqual(files.filter((name) => folders.some((folder) => readFileSync(join(dist, name)).includes(folder))), []);
});

test("importing any of it on a server does nothing", () => {
  const folder = newProject("server");
  const names = ["ingle", "ingle/element", "ingle/element/define", "ingle/inline", "ingle/worker"];
  const code = `const before = Object.keys(globalThis).length; for (const name of ${JSON.stringify(names)}) await import(name); console.log(Object.keys(globalThis).length - before);`;
  assert.equal(execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: folder, encoding: "utf8" }).trim(), "0");
});

test("a page loads at most 11.25 KB before it asks for an engine", () => {
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
  execFileSync(tool, [packed, "--profile", "esm-only", "--exclude-entrypoints", "./cpu.wasm", "./gpu.wasm", "./burn-cpu.wasm", "./burn-gpu.wasm", "./ingle.iife.js", "./package.json"], { encoding: "utf8", stdio: "pipe" });
});

test("it has its licences, its page and nothing that is not its own", () => {
  const folder = join(newProject("contents"), "node_modules/ingle");
  assert.deepEqual(readdirSync(folder).sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist", "package.json"]);
});
