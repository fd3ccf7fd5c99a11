// What a recommendation takes in headless Chromium, on the processor, over real histories: recommend.mjs RUN...
// Each run has its bundle in RUN/bundle; the outcome is left in RUN/browser.json, for `ingle report --by-method`. Where
// a run without denoising stands among them, the others are compared with it history by history.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, quantile, report, row } from "../report.mjs";
import { launch, quietPage } from "./chrome.mjs";
import { out } from "./made.mjs";
import { serve } from "./serve.mjs";

const K = 20;
/** Histories that are asked about, and how often all of them are. */
const [USERS, TURNS] = [300, 5];
/** Answers in which the browser still compiles what it found to be hot. */
const SETTLING = 40;

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

const runs = process.argv.slice(2).map((folder) => {
  const bundle = join(folder, "bundle");
  const { files, method } = json(join(bundle, "manifest.json"));
  const { data } = json(join(folder, "run.json"));
  return { folder, bundle, data, method: method.name, files: files.map(({ name }) => name).sort(), turns: [] };
});

/** Histories of the log's unseen users, or of its other users where there are none. */
function historiesOf({ bundle, data }) {
  const asked = (split) => {
    const lines = execFileSync(process.env.INGLE, ["recommend", bundle, "--data", data, "--split", split, "--users", String(USERS)], { encoding: "utf8", maxBuffer: 1 << 28 });
    return lines.trimEnd().split("\n").map((line) => JSON.parse(line).history);
  };
  try {
    return asked("unseen");
  } catch {
    return asked("test");
  }
}

/** Milliseconds of the answers that count, of one visit. */
async function visit(base, histories, number) {
  const browser = await launch("cpu");
  try {
    const page = await quietPage(await browser.newContext());
    const asked = new URLSearchParams({ engine: "cpu", worker: "false", bundle: `${base}${number}/`, k: String(K) });
    for (const item of histories[0]) asked.append("history", item);
    await page.goto(`${base}page/index.html#${asked}`);
    return await page.evaluate(async ({ histories, settling }) => {
      const { ask } = await globalThis.contender;
      for (let at = 0; at < settling; at += 1) await ask(histories[at % histories.length]);
      const times = [];
      for (const history of histories) times.push(await ask(history));
      return times;
    }, { histories, settling: SETTLING });
  } finally {
    await browser.close();
  }
}

const histories = new Map();
for (const run of runs) {
  if (!histories.has(run.data)) histories.set(run.data, historiesOf(run));
}
const { url: base, stop } = await serve({ page: join(out, "page"), ...Object.fromEntries(runs.map(({ bundle }, at) => [at, bundle])) });
// By turns, so that what else the machine does falls on all alike.
for (let turn = 0; turn < TURNS; turn += 1) {
  for (const [number, run] of runs.entries()) run.turns.push(await visit(base, histories.get(run.data), number));
}
stop();

/** Median milliseconds of each history over the turns. */
const each = ({ data, turns }) => histories.get(data).map((_, at) => median(turns.map((times) => times[at])));
const rows = runs.map((run) => {
  const times = each(run);
  const lengths = histories.get(run.data).map((history) => history.length);
  writeFileSync(join(run.folder, "browser.json"), `${JSON.stringify({ ms: median(times), history: median(lengths), files: run.files }, null, 2)}\n`);
  const plain = runs.find(({ data, method }) => data === run.data && method === "none");
  if (!plain || plain === run) return row(run.folder, "recommendation, ms", median(times));
  const of = each(plain);
  const ratios = times.map((ms, at) => ms / of[at]);
  return row(run.folder, "recommendation, ms", median(times), { peer: plain.folder, theirs: median(of), "median ratio": median(ratios), "90 %": quantile(ratios, 0.9) });
});
report("methods-browser", rows);
