// Measures Ingle and its peers in headless Chromium, on the same weights, and reports; started by run.sh.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "playwright-core";
import { median, quantile, report, row } from "../report.mjs";
import { serve } from "./serve.mjs";

const { values: options } = parseArgs({
  options: {
    items: { type: "string", default: "12000,100000,1000000" },
    repeats: { type: "string", default: "5" },
    answers: { type: "string", default: "30" },
    engines: { type: "string", default: "cpu" },
    worker: { type: "string", default: "false" },
  },
});
const [repeats, answers] = [Number(options.repeats), Number(options.answers)];
const [LENGTH, K] = [50, 20];
const out = join(import.meta.dirname, "..", "out");

const GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
/** Contenders by engine; the first is ours. A peer is a page by the contract that page/ingle.js states. */
const ENGINES = {
  cpu: { flags: [], contenders: [{ name: "ingle", page: "index.html" }, { name: "onnxruntime-web wasm", page: "onnx.html" }, { name: "tensorflow.js wasm", page: "tfjs.html" }] },
  gpu: { flags: GPU, contenders: [{ name: "ingle", page: "index.html" }] },
};

/** The bundle of a catalogue of that size, and the same weights in the formats of the peers; made once. */
function prepare(items) {
  const [bundle, model] = [join(out, "bundles", String(items)), join(out, "models", `${items}.onnx`)];
  mkdirSync(join(out, "models"), { recursive: true });
  if (!existsSync(join(bundle, "manifest.json"))) execFileSync(process.env.CATALOGUE, [String(items), bundle], { stdio: "inherit" });
  // More than are wanted: those of the history are taken out afterwards.
  const export_ = [join(import.meta.dirname, "peers", "onnx.mjs"), bundle, String(LENGTH), String(K + LENGTH), model];
  if (!existsSync(model)) execFileSync("node", export_, { stdio: "inherit" });
  const flat = [join(import.meta.dirname, "peers", "flat.mjs"), bundle, join(out, "models", String(items))];
  if (!existsSync(`${flat[2]}.json`)) execFileSync("node", flat, { stdio: "inherit" });
}

function address(base, { page }, engine, items) {
  const asked = new URLSearchParams({ engine, worker: options.worker, bundle: `${base}bundles/${items}/`, model: `${base}models/${items}.onnx`, k: String(K) });
  for (let at = 0; at < LENGTH; at += 1) asked.append("history", `item-${(at * 7919 + 13) % items}`);
  return `${base}page/${page}#${asked}`;
}

/** Bytes in memory of all pages of a browser. */
async function memoryOf(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const pages = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => String(id));
  const sizes = execFileSync("ps", ["-o", "rss=", "-p", pages.join(",")]).toString().trim().split("\n");
  return sizes.reduce((sum, size) => sum + Number(size) * 1024, 0);
}

/** One visit: the cold start, the answers asked for, what they were, and the code that was loaded. */
async function visit(context, url, clicks) {
  const page = await context.newPage();
  const code = new Set();
  page.on("requestfinished", (request) => {
    const path = new URL(request.url()).pathname;
    if (/\.(js|mjs|wasm)$/.test(path)) code.add(path.replace(/^\/page\//, ""));
  });
  await page.goto(url);
  const coldMs = await page.evaluate(async () => (await globalThis.contender).coldMs);
  const top = await page.evaluate(async () => (await globalThis.contender).top());
  const times = await page.evaluate(async (items) => {
    const { answer } = await globalThis.contender;
    const found = [];
    for (const item of items) found.push(await answer(item));
    return found;
  }, clicks);
  const memory = await memoryOf(context.browser());
  await page.close();
  return { coldMs, top, times, memory, code };
}

function launch(engine) {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROME, args: [...sandbox, ...ENGINES[engine].flags] });
}

/** Visits a contender in a profile of its own, once with an empty and once with a full cache. */
async function measure(engine, contender, base, items, found) {
  const browser = await launch(engine);
  try {
    const context = await browser.newContext();
    const url = address(base, contender, engine, items);
    const clicks = Array.from({ length: answers }, (_, at) => `item-${(at * 104_729 + 17) % items}`);
    const empty = await visit(context, url, []);
    const full = await visit(context, url, clicks);
    found.empty.push(empty.coldMs);
    found.full.push(full.coldMs);
    found.first.push(full.times[0]);
    found.warm.push(...full.times.slice(1));
    found.memory.push(full.memory);
    found.top = empty.top;
    found.code = empty.code;
  } finally {
    await browser.close();
  }
}

/** Milliseconds in which Ingle judges every click of a history, by turns of a new page each. */
async function denoising(engine, base) {
  const bundle = join(out, "bundles", "dc4sr");
  if (!existsSync(join(bundle, "manifest.json"))) execFileSync(process.env.CATALOGUE, ["12000", bundle, "dc4sr"], { stdio: "inherit" });
  const times = [];
  const browser = await launch(engine);
  try {
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const page = await browser.newPage();
      await page.goto(address(base, ENGINES[engine].contenders[0], engine, 12_000).replace("bundles%2F12000", "bundles%2Fdc4sr"));
      const found = await page.evaluate(async (count) => {
        const { judge } = await globalThis.contender;
        const times = [];
        for (let at = 0; at < count; at += 1) times.push(await judge());
        return times;
      }, answers);
      times.push(...found.slice(1));
      await page.close();
    }
  } finally {
    await browser.close();
  }
  return times;
}

/** That it was the same work: the same ten best, and scores within a thousandth. */
function assertSame(ours, theirs, name) {
  const off = Math.max(...ours.map(({ score }, at) => Math.abs(score - theirs[at].score)));
  const [a, b] = [ours, theirs].map((top) => top.slice(0, 10).map(({ row }) => row).sort().join());
  if (!(off <= 1e-3) || a !== b) throw new Error(`${name} does not compute what Ingle does: scores differ by ${off}, ${a} and ${b}`);
  return off;
}

const packed = new Map();

/** Bytes of a file of code, as it is and after brotli; packing the larger ones takes a minute. */
function sizeOf(path) {
  if (!packed.has(path)) {
    const file = readFileSync(join(out, "page", path));
    packed.set(path, { raw: file.length, brotli: brotliCompressSync(file).length });
  }
  return packed.get(path);
}

const codeBytes = (paths, kind) => [...paths].reduce((sum, path) => sum + sizeOf(path)[kind], 0);

const metrics = [
  ["code bytes", (found) => [codeBytes(found.code, "brotli")]],
  ["code bytes, raw", (found) => [codeBytes(found.code, "raw")]],
  ["cold start, empty cache", (found) => found.empty],
  ["cold start", (found) => found.full],
  ["first", (found) => found.first],
  ["warm", (found) => found.warm],
  ["memory", (found) => found.memory],
];

function rows(name, [ours, ...peers]) {
  return metrics.flatMap(([metric, pick]) => {
    const values = pick(ours.found);
    const spread = { q1: quantile(values, 0.25), q3: quantile(values, 0.75) };
    if (peers.length === 0) return [row(name, metric, median(values), spread)];
    return peers.map((peer) => row(name, metric, median(values), { peer: peer.name, theirs: median(pick(peer.found)), ...spread }));
  });
}

const { url: base, stop } = await serve({ page: join(out, "page"), bundles: join(out, "bundles"), models: join(out, "models") });
const table = [];
for (const engine of options.engines.split(",")) {
  for (const items of options.items.split(",").map(Number)) {
    prepare(items);
    const contenders = ENGINES[engine].contenders.map((contender) => ({
      ...contender,
      found: { empty: [], full: [], first: [], warm: [], memory: [], top: null, code: null },
    }));
    // By turns, so that what else the machine does falls on all alike.
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const contender of contenders) await measure(engine, contender, base, items, contender.found);
    }
    const [ours, ...peers] = contenders;
    for (const peer of peers) {
      const off = assertSame(ours.found.top, peer.found.top, peer.name);
      console.log(`${engine} ${items}: ${peer.name} gives the same ten best, scores within ${off.toExponential(1)}`);
    }
    table.push(...rows(`${engine} ${items}`, contenders));
  }
  const times = await denoising(engine, base);
  table.push(row(engine, "denoising 50 clicks", median(times), { q1: quantile(times, 0.25), q3: quantile(times, 0.75) }));
}
stop();
report("browser", table);
