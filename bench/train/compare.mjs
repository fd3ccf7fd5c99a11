// Times whole epochs of `ingle train` and of both PyTorch variants on the same dataset with the same sizes.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, quantile, report, row } from "../report.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { epochs: { type: "string", default: "3" }, "batch-clicks": { type: "string", default: "1024" } },
});
const [data] = positionals;
const epochs = options.epochs;
const clicks = options["batch-clicks"];

// The same model for all, and as many real targets a step: the published recipe for Amazon Beauty.
const SIZES = { width: 64, blocks: 2, heads: 1, feed_forward: 256, max_len: 50, dropout: 0.6 };

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));
const seconds = (rows) => rows.map((epoch) => epoch.seconds);

/** Epoch times of the program: what its own metrics say, without validation. */
function ours() {
  const run = join(mkdtempSync(join(tmpdir(), "ingle-bench-")), "run");
  const settings = { "training.epochs": epochs, "training.patience": epochs, "training.batch_clicks": clicks };
  for (const [key, value] of Object.entries(SIZES)) settings[`backbone.${key}`] = value;
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const args = ["train", "--data", data, "--method", "sasrec", "--out", run, ...set];
  try {
    const { status } = spawnSync(process.env.INGLE, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`ingle train failed with status ${status}`);
    return seconds(lines(readFileSync(join(run, "metrics.jsonl"), "utf8")));
  } finally {
    rmSync(dirname(run), { recursive: true });
  }
}

function theirs(variant) {
  const script = join(dirname(fileURLToPath(import.meta.url)), "sasrec.py");
  const sizes = Object.entries(SIZES).flatMap(([key, value]) => [`--${key.replace("_", "-")}`, String(value)]);
  const args = [script, data, "--variant", variant, "--epochs", epochs, "--batch-clicks", clicks, ...sizes];
  return seconds(lines(execFileSync(process.env.PYTHON, args, { encoding: "utf8" })));
}

const mine = ours();
const spread = { q1: quantile(mine, 0.25), q3: quantile(mine, 0.75) };
const { name } = JSON.parse(readFileSync(join(data, "dataset.json"), "utf8"));
const rows = ["padded", "bucketed"].map((variant) =>
  row(name ?? data, "epoch, seconds", median(mine), {
    peer: `PyTorch SASRec, ${variant}`,
    theirs: median(theirs(variant)),
    ...spread,
  }),
);
report("train", rows);
