// Times whole epochs of `ingle train` and of its peers on the same dataset with the same sizes.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { lines, train } from "../ingle.mjs";
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

/** Epochs of the program by its own metrics. The peers rank by item embeddings of any length: so does it here. */
function ours() {
  const folder = mkdtempSync(join(tmpdir(), "ingle-bench-"));
  const settings = {
    "training.epochs": epochs,
    "training.patience": epochs,
    "training.batch_clicks": clicks,
    "training.learning_rate": LEARNING_RATE,
    "training.unit": false,
  };
  for (const [key, value] of Object.entries(SIZES)) settings[`backbone.${key}`] = value;
  try {
    return train(data, join(folder, "run"), settings).epochs;
  } finally {
    rmSync(folder, { recursive: true });
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
