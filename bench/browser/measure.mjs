// Measures Ingle and its peers in headless Chromium, on the same weights, and reports; started by run.sh.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { draw } from "../picture.mjs";
import { median, quantile, report, row } from "../report.mjs";
import { launch, memoryOf, quietPage } from "./chrome.mjs";
import { bundleOf, out } from "./made.mjs";
import { serve } from "./serve.mjs";

const { values: options } = parseArgs({
  options: {
    items: { type: "string", default: "12000,100000,1000000" },
    repeats: { type: "string", default: "5" },
    answers: { type: "string", default: "60" },
    engines: { type: "string", default: "cpu,gpu" },
    worker: { type: "string", default: "false" },
  },
});
const [repeats, answers] = [Number(options.repeats), Number(options.answers)];
const [LENGTH, K] = [50, 20];
/**
 * Answers in which the browser still compiles what it found to be hot, or a GPU its kernels; reported apart, for all
 * contenders alike.
 */
const SETTLING = { cpu: 20, gpu: 2 };
for (const engine of options.engines.split(",")) {
  const settling = SETTLING[engine];
  if (!(answers > settling)) throw new Error(`--answers ${options.answers}: ${settling} settle the ${engine} engine, so ask for more`);
}

/** Contenders by engine; the first is ours. A peer is a page by the contract that page/ingle.js states. */
const ENGINES = {
  cpu: [
    { name: "ingle", page: "index.html" },
    { name: "ingle, general engine", page: "index.html", build: "burn-cpu" },
    { name: "onnxruntime-web wasm", page: "onnx.html" },
    { name: "tensorflow.js wasm", page: "tfjs.html" },
  ],
  gpu: [
    { name: "ingle", page: "index.html" },
    { name: "ingle, general engine", page: "index.html", build: "burn-gpu" },
    { name: "onnxruntime-web webgpu", page: "onnx-webgpu.html" },
    { name: "onnxruntime-web webgpu, jspi", page: "onnx-jspi.html" },
    { name: "tensorflow.js webgpu", page: "tfjs-webgpu.html" },
  ],
};

/** The bundle of a catalogue of that size, and the same weights in the formats of the peers; made once. */
function prepare(items) {
  const [bundle, model] = [bundleOf(items), join(out, "models", `${items}.onnx`)];
  mkdirSync(join(out, "models"), { recursive: true });
  // More than are wanted: those of the history are taken out afterwards.
  const export_ = [join(import.meta.dirname, "peers", "onnx.mjs"), bundle, String(LENGTH), String(K + LENGTH), model];
  if (!existsSync(model)) execFileSync("node", export_, { stdio: "inherit" });
  const flat = [join(import.meta.dirname, "peers", "flat.mjs"), bundle, join(out, "models", String(items))];
  if (!existsSync(`${flat[2]}.json`)) execFileSync("node", flat, { stdio: "inherit" });
}

function address(base, { page, build }, engine, items) {
  const asked = new URLSearchParams({ engine: build ?? engine, worker: options.worker, bundle: `${base}bundles/${items}/`, model: `${base}models/${items}.onnx`, k: String(K) });
  for (let at = 0; at < LENGTH; at += 1) asked.append("history", `item-${(at * 7919 + 13) % items}`);
  return `${base}page/${page}#${asked}`;
}

/** Runs in the page: counts what a GPU is asked to compute, and what comes back from it. */
function count() {
  const counted = { dispatches: 0, bytesRead: 0 };
  globalThis.counted = counted;
  if (!globalThis.GPUComputePassEncoder) return;
  for (const name of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"]) {
    const dispatch = GPUComputePassEncoder.prototype[name];
    GPUComputePassEncoder.prototype[name] = function (...given) {
      counted.dispatches += 1;
      return dispatch.apply(this, given);
    };
  }
  const map = GPUBuffer.prototype.mapAsync;
  GPUBuffer.prototype.mapAsync = function (mode, offset = 0, size = this.size - offset) {
    if (mode & GPUMapMode.READ) counted.bytesRead += size;
    return map.call(this, mode, offset, size);
  };
}

/** Milliseconds after which a visit asks no more, as soon as two answers of a settled engine are known. */
const PATIENCE = 60_000;

/** One visit: the cold start, the answers asked for, what they were, and the code that was loaded. */
async function visit(context, url, clicks, engine) {
  const page = await quietPage(context);
  if (engine === "gpu") await page.addInitScript(count);
  const code = new Set();
  page.on("requestfinished", (request) => {
    const path = new URL(request.url()).pathname;
    if (/\.(js|mjs|wasm)$/.test(path)) code.add(path.replace(/^\/page\//, ""));
  });
  await page.goto(url);
  const coldMs = await page.evaluate(async () => (await globalThis.contender).coldMs);
  const top = await page.evaluate(async () => (await globalThis.contender).top());
  const asking = { items: clicks, fewest: SETTLING[engine] + 2, patience: PATIENCE };
  const { times, asked } = await page.evaluate(async ({ items, fewest, patience }) => {
    const { answer } = await globalThis.contender;
    const before = { ...globalThis.counted };
    const times = [];
    const begun = performance.now();
    for (const item of items) {
      times.push(await answer(item));
      if (times.length >= fewest && performance.now() - begun > patience) break;
    }
    const perAnswer = ([name, value]) => [name, (value - before[name]) / times.length];
    return { times, asked: Object.fromEntries(Object.entries(globalThis.counted ?? {}).map(perAnswer)) };
  }, asking);
  const memory = await memoryOf(page, engine);
  await page.close();
  return { coldMs, top, times, asked, memory, code };
}

/** Visits a contender in a profile of its own, once with an empty and once with a full cache. */
async function measure(engine, contender, base, items, found) {
  const browser = await launch(engine);
  try {
    const context = await browser.newContext();
    const url = address(base, contender, engine, items);
    const clicks = Array.from({ length: answers }, (_, at) => `item-${(at * 104_729 + 17) % items}`);
    const empty = await visit(context, url, [], engine);
    const full = await visit(context, url, clicks, engine);
    found.empty.push(empty.coldMs);
    found.full.push(full.coldMs);
    found.first.push(full.times[0]);
    found.settling.push(...full.times.slice(1, SETTLING[engine]));
    found.warm.push(...full.times.slice(SETTLING[engine]));
    found.memory.push(full.memory);
    found.dispatches.push(full.asked.dispatches);
    found.bytesRead.push(full.asked.bytesRead);
    found.top = empty.top;
    found.code = empty.code;
  } finally {
    await browser.close();
  }
}

/** Milliseconds in which Ingle judges every click of a history, by turns of a new page each. */
async function denoising(engine, base) {
  bundleOf(12_000, "dc4sr");
  const times = [];
  const browser = await launch(engine);
  try {
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const page = await browser.newPage();
      await page.goto(address(base, ENGINES[engine][0], engine, 12_000).replace("bundles%2F12000", "bundles%2Fdc4sr"));
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

/** That it was the same work: the same ten best, and scores within a thousandth, counted from the best one. */
function assertSame(ours, theirs, name) {
  const behind = (top, at) => top[at].score - top[0].score;
  const off = Math.max(...ours.map((_, at) => Math.abs(behind(ours, at) - behind(theirs, at))));
  const [a, b] = [ours, theirs].map((top) => top.slice(0, 10).map(({ row }) => row).sort().join());
  if (!(off <= 1e-3) || a !== b) throw new Error(`${name} does not compute what Ingle does: scores differ by ${off}, ${a} and ${b}`);
  return off;
}

/** Bytes of a file of code, as it is and after brotli: packing the larger ones takes a minute, so sizes are kept. */
function sizeOf(path) {
  const file = readFileSync(join(out, "page", path));
  const kept = join(out, "sizes", createHash("sha256").update(file).digest("hex"));
  if (!existsSync(kept)) {
    mkdirSync(join(out, "sizes"), { recursive: true });
    writeFileSync(kept, String(brotliCompressSync(file).length));
  }
  return { raw: file.length, brotli: Number(readFileSync(kept, "utf8")) };
}

const codeBytes = (paths, kind) => [...paths].reduce((sum, path) => sum + sizeOf(path)[kind], 0);

const metrics = [
  ["code bytes", (found) => [codeBytes(found.code, "brotli")]],
  ["code bytes, raw", (found) => [codeBytes(found.code, "raw")]],
  ["cold start, empty cache", (found) => found.empty],
  ["cold start", (found) => found.full],
  ["first", (found) => found.first],
  ["settling", (found) => found.settling],
  ["warm", (found) => found.warm],
  ["memory", (found) => found.memory],
];
const gpuMetrics = [
  ["dispatches an answer", (found) => found.dispatches],
  ["bytes read back an answer", (found) => found.bytesRead],
];

function rows(engine, name, [ours, ...peers]) {
  return [...metrics, ...(engine === "gpu" ? gpuMetrics : [])].flatMap(([metric, pick]) => {
    const values = pick(ours.found);
    const spread = { q1: quantile(values, 0.25), q3: quantile(values, 0.75) };
    if (peers.length === 0) return [row(name, metric, median(values), spread)];
    return peers.map((peer) => row(name, metric, median(values), { peer: peer.name, theirs: median(pick(peer.found)), ...spread }));
  });
}

/** A panel for each engine and what of it grows with the catalogue: a line for each contender. */
function picture(table) {
  const panels = options.engines.split(",").flatMap((engine) =>
    [["warm", "warm answer, ms"], ["cold start", "cold start from a full cache, ms"], ["memory", "memory, MB"]].map(([metric, y]) => {
      const found = table.filter((line) => line.metric === metric && line.case.startsWith(`${engine} `));
      const unit = metric === "memory" ? 1e6 : 1;
      const items = (line) => Number(line.case.split(" ")[1]);
      const peers = [...new Set(found.map(({ peer }) => peer))];
      const ours = new Map(found.map((line) => [items(line), line.ours / unit]));
      const theirs = peers.filter(Boolean).map((peer) => {
        const own = found.filter((line) => line.peer === peer);
        return { name: peer, points: own.map((line) => [items(line), line.theirs / unit]) };
      });
      return { x: `items, ${engine}`, y, lines: [{ name: "Ingle", points: [...ours] }, ...theirs] };
    }),
  );
  writeFileSync(join(out, "browser.svg"), draw(panels));
  console.log(`drawn in ${join(out, "browser.svg")}`);
}

const { url: base, stop } = await serve({ page: join(out, "page"), bundles: join(out, "bundles"), models: join(out, "models") });
const table = [];
for (const engine of options.engines.split(",")) {
  for (const items of options.items.split(",").map(Number)) {
    prepare(items);
    const contenders = ENGINES[engine].map((contender) => ({
      ...contender,
      found: { empty: [], full: [], first: [], settling: [], warm: [], memory: [], dispatches: [], bytesRead: [], top: null, code: null },
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
    table.push(...rows(engine, `${engine} ${items}`, contenders));
  }
  const times = await denoising(engine, base);
  table.push(row(engine, "denoising 50 clicks", median(times), { q1: quantile(times, 0.25), q3: quantile(times, 0.75) }));
}
stop();
report("browser", table);
picture(table);
