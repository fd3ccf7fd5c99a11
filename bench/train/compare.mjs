// Times whole epochs of `ingle train` and of its peers on the same dataset with the same sizes.
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
const LEARNING_RATE = 5e-4;

const PEERS = [
  { peer: "PyTorch, padded", script: "sasrec.py", variant: "padded" },
  { peer: "PyTorch, bucketed by length", script: "sasrec.py", variant: "bucketed" },
  { peer: "RecTools", script: "rectools_sasrec.py", variant: "rectools" },
];

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));

/** Epochs of the program by its own metrics: seconds without validation, and the loss. */
function ours() {
  const run = join(mkdtempSync(join(tmpdir(), "ingle-bench-")), "run");
  const settings = {
    "training.epochs": epochs,
    "training.patience": epochs,
    "training.batch_clicks": clicks,
    "training.learning_rate": LEARNING_RATE,
  };
  for (const [key, value] of Object.entries(SIZES)) settings[`backbone.${key}`] = value;
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const args = ["train", "--data", data, "--method", "sasrec", "--out", run, ...set];
  try {
    const { status } = spawnSync(process.env.INGLE, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`ingle train failed with status ${status}`);
    return lines(readFileSync(join(run, "metrics.jsonl"), "utf8"));
  } finally {
    rmSync(dirname(run), { recursive: true });
  }
}

function theirs({ script, variant }) {
  const sizes = Object.entries(SIZES).flatMap(([key, value]) => [`--${key.replace("_", "-")}`, String(value)]);
  const fixed = ["--epochs", epochs, "--batch-clicks", clicks, "--learning-rate", String(LEARNING_RATE)];
  const path = join(dirname(fileURLToPath(import.meta.url)), script);
  const args = [path, data, "--variant", variant, ...fixed, ...sizes];
  return lines(execFileSync(process.env.PYTHON, args, { encoding: "utf8" }));
}

const { name } = JSON.parse(readFileSync(join(data, "dataset.json"), "utf8"));
const mine = ours();
const times = (rows) => rows.map(({ seconds }) => seconds);
const spread = { q1: quantile(times(mine), 0.25), q3: quantile(times(mine), 0.75) };
const rows = PEERS.flatMap((peer) => {
  const found = theirs(peer);
  const loss = (all) => all.at(-1).loss;
  return [
    row(name ?? data, "epoch", median(times(mine)), { peer: peer.peer, theirs: median(times(found)), ...spread }),
    row(name ?? data, `loss after ${epochs} epochs`, loss(mine), { peer: peer.peer, theirs: loss(found) }),
  ];
});
report("train", rows);
