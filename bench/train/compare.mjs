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
  options: { epochs: { type: "string", default: "3" }, batch: { type: "string", default: "128" } },
});
const [data] = positionals;
const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));
const seconds = (epochs) => epochs.map((epoch) => epoch.seconds);

/** Epoch times of the program: what its own metrics say, without validation. */
function ours() {
  const run = join(mkdtempSync(join(tmpdir(), "ingle-bench-")), "run");
  const set = [`epochs=${options.epochs}`, `batch=${options.batch}`].flatMap((pair) => ["--set", pair]);
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
  const args = [script, data, "--variant", variant, "--epochs", options.epochs, "--batch", options.batch];
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
