// What a long visit leaves behind: memory over many recommendations, and memory and listeners over many
// recommenders that are made and disposed of. Started by run.sh life; reports and draws bench/out/life.svg.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { draw } from "../picture.mjs";
import { report, row } from "../report.mjs";
import { launch, memoryOf } from "./chrome.mjs";
import { bundleOf, out } from "./made.mjs";
import { serve } from "./serve.mjs";

const { values: options } = parseArgs({
  options: {
    engine: { type: "string", default: "cpu" },
    answers: { type: "string", default: "20000" },
    cycles: { type: "string", default: "200" },
  },
});
const { engine } = options;
const [ITEMS, STEPS] = [12_000, 20];

/** Runs `work` in steps; after each what the page holds once its garbage is gone. */
async function follow(page, work, count) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const found = [];
  for (let step = 0; step <= STEPS; step += 1) {
    // The first step warms up and is not counted.
    await page.evaluate(([work, count]) => globalThis.life[work](count), [work, Math.ceil(count / STEPS)]);
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const metric = (name) => metrics.find((one) => one.name === name).value;
    const done = step * Math.ceil(count / STEPS);
    found.push({ done, memory: await memoryOf(page, engine), heap: metric("JSHeapUsedSize"), listeners: metric("JSEventListeners") });
  }
  return found;
}

/** By how much a line through the points rises from the first to the last. */
function rise(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const slope = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  return slope * (points.at(-1)[0] - points[0][0]);
}

const { url, stop } = await serve({ page: join(out, "page"), bundles: join(out, "bundles") });
bundleOf(ITEMS);
const browser = await launch(engine);
const [table, panels] = [[], []];
try {
  const page = await browser.newPage();
  await page.goto(`${url}page/life.html#${new URLSearchParams({ engine, bundle: `${url}bundles/${ITEMS}/`, k: "20" })}`);
  await page.waitForFunction(() => "life" in globalThis);
  for (const [work, count, name] of [["answer", Number(options.answers), "recommendations"], ["cycle", Number(options.cycles), "recommenders"]]) {
    const found = await follow(page, work, count);
    for (const [metric, unit] of [["memory", 1e6], ["heap", 1e6], ["listeners", 1]]) {
      const points = found.map((one) => [one.done, one[metric] / unit]);
      table.push(row(`${engine}, ${count} ${name}`, `${metric}, first`, points[0][1]), row(`${engine}, ${count} ${name}`, `${metric}, rise`, rise(points)));
    }
    const lines = [["memory", "of its processes"], ["heap", "of its JavaScript"]].map(([metric, name]) => ({ name, points: found.slice(1).map((one) => [one.done, one[metric] / 1e6]) }));
    panels.push({ x: name, y: "MB", lines });
  }
} finally {
  await browser.close();
  stop();
}
report("life", table);
writeFileSync(join(out, "life.svg"), draw(panels));
console.log(`drawn in ${join(out, "life.svg")}`);
