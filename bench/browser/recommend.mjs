// What a recommendation of real bundles takes in headless Chromium, on the processor: recommend.mjs RUN...
// Each run has its bundle in RUN/bundle; the outcome is left in RUN/browser.json, for `ingle report --by-method`.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, report, row } from "../report.mjs";
import { launch, quietPage } from "./chrome.mjs";
import { out } from "./made.mjs";
import { serve } from "./serve.mjs";

const [HISTORY, K] = [50, 20];
/** Answers in which the browser still compiles what it found to be hot, those that count, and visits of each bundle. */
const [SETTLING, ANSWERS, TURNS] = [20, 40, 3];
/** Users whose clicks are asked about. */
const USERS = 200;

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

const runs = process.argv.slice(2).map((folder) => {
  const bundle = join(folder, "bundle");
  const files = json(join(bundle, "manifest.json")).files.map(({ name }) => name);
  return { folder, bundle, files: files.sort(), clicks: clicksOf(bundle, json(join(folder, "run.json")).data), times: [] };
});

/** Items that users of the data clicked, one after the other, as often as they are needed. */
function clicksOf(bundle, data) {
  const lines = execFileSync(process.env.INGLE, ["recommend", bundle, "--data", data, "--users", String(USERS)], { encoding: "utf8", maxBuffer: 1 << 28 });
  const clicks = lines.trimEnd().split("\n").flatMap((line) => JSON.parse(line).history);
  return Array.from({ length: HISTORY + SETTLING + ANSWERS }, (_, at) => clicks[at % clicks.length]);
}

/** Milliseconds of the answers that count, of one visit. */
async function visit(base, { clicks }, number) {
  const browser = await launch("cpu");
  try {
    const page = await quietPage(await browser.newContext());
    const asked = new URLSearchParams({ engine: "cpu", worker: "false", bundle: `${base}${number}/`, k: String(K) });
    for (const item of clicks.slice(0, HISTORY)) asked.append("history", item);
    await page.goto(`${base}page/index.html#${asked}`);
    const times = await page.evaluate(async (items) => {
      const { answer } = await globalThis.contender;
      const times = [];
      for (const item of items) times.push(await answer(item));
      return times;
    }, clicks.slice(HISTORY));
    return times.slice(SETTLING);
  } finally {
    await browser.close();
  }
}

const { url: base, stop } = await serve({ page: join(out, "page"), ...Object.fromEntries(runs.map(({ bundle }, at) => [at, bundle])) });
// By turns, so that what else the machine does falls on all alike.
for (let turn = 0; turn < TURNS; turn += 1) {
  for (const [number, run] of runs.entries()) run.times.push(...(await visit(base, run, number)));
}
stop();
for (const { folder, files, times } of runs) {
  writeFileSync(join(folder, "browser.json"), `${JSON.stringify({ ms: median(times), history: HISTORY, files }, null, 2)}\n`);
}
report("methods-browser", runs.map(({ folder, times }) => row(folder, "recommendation", median(times))));
