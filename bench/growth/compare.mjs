// Measures preparation and training on logs of growing size, and fits how fast time and memory grow.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ingle, train } from "../ingle.mjs";
import { median, report, row } from "../report.mjs";
import { draw } from "../picture.mjs";

const { values: options } = parseArgs({
  options: { "up-to": { type: "string", default: "1e7" }, epochs: { type: "string", default: "2" } },
});
const upTo = Number(options["up-to"]);
const epochs = Number(options.epochs);
if (!(upTo >= 1e4) || !(epochs >= 0)) throw new Error("--up-to is a number from 10000 on, and --epochs one from 0 on");

// Two rows of cases: the log grows on one catalogue; then the catalogue grows, with enough clicks to click it all.
const AXES = [
  { name: "clicks", sizes: [1e4, 1e5, 1e6, 1e7].map((clicks) => ({ clicks, products: 10_000 })) },
  { name: "items", sizes: [1e3, 1e4, 1e5, 1e6].map((products) => ({ clicks: Math.max(1e5, 10 * products), products })) },
];

// Settings of all cases, and what larger catalogues add: the last entry counts whose `items` are reached.
const SETTINGS = {
  simulate: ["--format", "parquet", "--seed", "7"],
  // Every item that is clicked stays; few are validated, for ranking all items for all users outlasts an epoch.
  prepare: ["--min-item-clicks", "1", "--split", "time", "--valid-share", "0.01", "--test-share", "0.01"],
  train: [
    {
      items: 0,
      set: {
        "training.epochs": epochs,
        "training.patience": Math.max(1, epochs),
        "training.batch_clicks": 4096,
        "backbone.width": 64,
        "backbone.blocks": 2,
        "backbone.heads": 1,
        "backbone.feed_forward": 256,
        "backbone.max_len": 50,
        "backbone.dropout": 0.5,
      },
    },
    { items: 50_000, set: { "training.negatives": 8192 } },
  ],
};

const GB = 1e9;

/** What one case takes: seconds and GB, by metric, and the size that it really has. */
function measure({ clicks, products }, folder) {
  const path = (name) => join(folder, name);
  ingle("simulate", "--clicks", String(clicks), "--products", String(products), "--out", path("log"), ...SETTINGS.simulate);
  const log = path("log/interactions.parquet");
  const prepared = JSON.parse(ingle("prepare", "--interactions", log, "--out", path("data"), ...SETTINGS.prepare, "--json"));
  const took = { preparation: prepared.seconds, "preparation memory": prepared.peak_memory / GB };
  if (epochs > 0) Object.assign(took, trained(prepared.items, path("data"), path("run")));
  return { clicks: prepared.dropped.rows, items: prepared.items, took };
}

function trained(items, data, run) {
  const settings = SETTINGS.train.filter((entry) => entry.items <= items).map((entry) => entry.set);
  const found = train(data, run, Object.assign({}, ...settings));
  return { epoch: median(found.epochs.map(({ seconds }) => seconds)), memory: found.memory / GB };
}

/** The exponent `e` of `y = c x^e`: the slope of the straight line nearest to the points' logarithms. */
function exponent(points) {
  const logs = points.map((point) => point.map(Math.log));
  const mean = (at) => logs.reduce((sum, log) => sum + log[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const across = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0);
  return across / logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0);
}

function grow({ name, sizes }) {
  const measured = [];
  for (const size of sizes.filter(({ clicks }) => clicks <= upTo)) {
    const folder = mkdtempSync(join(tmpdir(), "ingle-growth-"));
    try {
      const found = measure(size, folder);
      measured.push({ ...found, x: found[name], label: `${name === "clicks" ? size.clicks : size.products} ${name}` });
      const took = Object.entries(found.took).map(([metric, value]) => `${metric} ${value.toPrecision(3)}`);
      console.log(`${found.clicks} clicks on ${found.items} items: ${took.join(", ")}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return { name, measured };
}

/** Points of a metric. Along the catalogue the log grows too: there times are those of 100,000 clicks. */
function points({ name, measured }, metric) {
  const share = ({ clicks }) => (name === "items" && !metric.endsWith("memory") ? 1e5 / clicks : 1);
  return measured.map((found) => [found.x, found.took[metric] * share(found)]);
}

const axes = AXES.map(grow).filter(({ measured }) => measured.length > 0);
const metrics = Object.keys(axes[0].measured[0].took);
const rows = axes.flatMap((axis) => {
  const cases = axis.measured.flatMap(({ label, took }) => metrics.map((metric) => row(label, metric, took[metric])));
  const fitted = metrics.flatMap((metric) => {
    const all = points(axis, metric);
    if (all.length < 2) return [];
    const what = axis.name === "items" && !metric.endsWith("memory") ? `${metric} of 100,000 clicks` : metric;
    const whole = row(`exponent over ${axis.name}`, what, exponent(all));
    if (all.length === 2) return [whole];
    return [whole, row(`exponent of the last step in ${axis.name}`, what, exponent(all.slice(-2)))];
  });
  return [...cases, ...fitted];
});
report("growth", rows);

const picture = join(dirname(fileURLToPath(import.meta.url)), "../out/growth.svg");
const panels = axes.flatMap((axis) =>
  ["seconds", "GB"].map((unit) => ({
    x: axis.name,
    y: unit,
    lines: metrics
      .filter((metric) => metric.endsWith("memory") === (unit === "GB"))
      .map((metric) => ({ name: metric, points: points(axis, metric) })),
  })),
);
writeFileSync(picture, draw(panels));
console.log(`drawn in ${picture}`);
