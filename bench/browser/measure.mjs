// Measures each contender in headless Chromium and reports; started by run.sh, which serves the pages.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { median, quantile, report, row } from "../report.mjs";

const { values: options } = parseArgs({
  options: {
    bundle: { type: "string" },
    repeats: { type: "string", default: "5" },
    answers: { type: "string", default: "50" },
  },
});
const repeats = Number(options.repeats);
const answers = Number(options.answers);
const base = process.env.INGLE_URL;

// What is measured: `ours` of each case, and its peers on the same adapter. A peer is a page in page/
// with the same contract as ingle.js; list it here as { peer: "onnxruntime-web 1.x", page: "onnx.html" }.
const cases = [
  { name: "cpu", engine: "cpu", flags: [], peers: [] },
  {
    name: "gpu (SwiftShader)",
    engine: "gpu",
    flags: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    peers: [],
  },
];
const OURS = { page: "index.html" };

/** Ids to click: spread over the catalogue, the same in every run. */
function itemIds() {
  const manifest = JSON.parse(readFileSync(join(options.bundle, "manifest.json"), "utf8"));
  const { name } = manifest.files.find(({ role }) => role === "ids");
  const ids = JSON.parse(readFileSync(join(options.bundle, name), "utf8"));
  const count = Math.min(ids.length, 40);
  return Array.from({ length: count }, (_, at) => ids[Math.floor((at * ids.length) / count)]);
}

function address({ page }, engine, history) {
  const wanted = new URLSearchParams([["engine", engine], ["bundle", new URL("/bundle/", base).href]]);
  for (const item of history) wanted.append("history", item);
  return `${new URL(page, base)}#${wanted}`;
}

/** One visit: the cold start, the answers asked for, and what was downloaded, by kind. */
async function visit(context, url, items) {
  const page = await context.newPage();
  const bytes = { code: 0, bundle: 0 };
  const sizes = [];
  page.on("requestfinished", (request) => {
    const kind = request.url().includes("/bundle/") ? "bundle" : "code";
    sizes.push(request.sizes().then(({ responseBodySize }) => { bytes[kind] += responseBodySize; }));
  });
  await page.goto(url);
  const coldMs = await page.evaluate(async () => (await globalThis.contender).coldMs);
  const answerMs = await page.evaluate(async (clicks) => {
    const { answer } = await globalThis.contender;
    const times = [];
    for (const item of clicks) times.push(await answer(item));
    return times;
  }, items);
  await Promise.all(sizes);
  await page.close();
  return { coldMs, answerMs, bytes };
}

/** All visits of one contender: a new profile each time, once with an empty and once with a full cache. */
async function measure(browser, contender, engine, ids) {
  const [history, rest] = [ids.slice(0, 8), ids.slice(8)];
  const clicks = Array.from({ length: answers }, (_, at) => rest[at % rest.length]);
  const found = { empty: [], full: [], first: [], warm: [], bytes: null };
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const context = await browser.newContext();
    const url = address(contender, engine, history);
    const empty = await visit(context, url, rest.slice(0, 1));
    const full = await visit(context, url, clicks);
    await context.close();
    found.empty.push(empty.coldMs);
    found.full.push(full.coldMs);
    found.first.push(full.answerMs[0]);
    found.warm.push(...full.answerMs.slice(1));
    found.bytes ??= empty.bytes;
  }
  return found;
}

const metrics = [
  ["cold start, empty cache, ms", (found) => found.empty],
  ["cold start, full cache, ms", (found) => found.full],
  ["first answer after a click, ms", (found) => found.first],
  ["warm answer, ms", (found) => found.warm],
  ["code downloaded, bytes", (found) => [found.bytes.code]],
  ["bundle downloaded, bytes", (found) => [found.bytes.bundle]],
];

/** The rows of one case: with each of its peers, or ours alone. */
function rows({ name }, ours, peers) {
  return metrics.flatMap(([metric, pick]) => {
    const values = pick(ours);
    const spread = { q1: quantile(values, 0.25), q3: quantile(values, 0.75) };
    if (peers.length === 0) return [row(name, metric, median(values), spread)];
    return peers.map(({ peer, found }) =>
      row(name, metric, median(values), { peer, theirs: median(pick(found)), ...spread }),
    );
  });
}

const ids = itemIds();
const table = [];
for (const one of cases) {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: process.env.CHROME, args: [...sandbox, ...one.flags] });
  try {
    const ours = await measure(browser, OURS, one.engine, ids);
    const peers = [];
    for (const contender of one.peers) {
      peers.push({ peer: contender.peer, found: await measure(browser, contender, one.engine, ids) });
    }
    table.push(...rows(one, ours, peers));
  } finally {
    await browser.close();
  }
}
report("browser", table);
