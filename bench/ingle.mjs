// Calls the program under measurement.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Runs `ingle` to its end and gives what it printed; its progress is not shown. */
export const ingle = (...args) =>
  execFileSync(process.env.INGLE, args, { encoding: "utf8", maxBuffer: 2 ** 30, stdio: ["ignore", "pipe", "inherit"] });

/** A line of JSON each. */
export const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));

/** Trains `sasrec` into the folder `run`: its epochs (seconds without validation, loss) and its peak memory, in bytes. */
export function train(data, run, settings) {
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  ingle("train", "--data", data, "--method", "sasrec", "--out", run, ...set);
  const read = (name) => readFileSync(join(run, name), "utf8");
  return { epochs: lines(read("metrics.jsonl")), memory: JSON.parse(read("run.json")).peak_memory };
}
