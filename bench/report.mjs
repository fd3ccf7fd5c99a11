// What every benchmark ends with: its table on the terminal and its rows in bench/out/NAME.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The value at a fraction of the way through the sorted values, interpolated between neighbours. */
export function quantile(values, fraction) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.ceil(at)] - sorted[low]) * (at - low);
}

export const median = (values) => quantile(values, 0.5);

/** A row: ours alone where there is no peer, else with theirs and ratio = ours / theirs. */
export function row(name, metric, ours, { peer = null, theirs = null, ...more } = {}) {
  return { case: name, metric, peer, ours, theirs, ratio: theirs === null ? null : ours / theirs, ...more };
}

const figure = (value) => {
  if (value === null || value === undefined) return "-";
  if (typeof value !== "number") return String(value);
  const digits = Math.abs(value) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 };
  return value.toLocaleString("en-GB", digits);
};

/** Prints the rows and writes them as JSON. */
export function report(name, rows) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const cells = [columns, ...rows.map((line) => columns.map((column) => figure(line[column])))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at].length)));
  const numeric = (at) => !["case", "metric", "peer"].includes(columns[at]);
  console.log("");
  for (const line of cells) {
    console.log(line.map((cell, at) => (numeric(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join("  "));
  }
  const file = join(dirname(fileURLToPath(import.meta.url)), "out", `${name}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  console.log(`\nwritten to ${file}`);
}
