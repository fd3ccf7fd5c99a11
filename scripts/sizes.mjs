#!/usr/bin/env node
// What a shop's visitors download: raw and brotli bytes of each wasm and js file of the package.
// sizes.mjs --check: fails if a file is larger than pkg/budget.json allows it to be.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const dist = resolve(dirname(fileURLToPath(import.meta.url)), "../pkg/dist");

/** Every wasm and js file under pkg/dist with its sizes, by path. */
export function sizes() {
  return readdirSync(dist, { recursive: true })
    .filter((name) => /\.(wasm|m?js)$/.test(name))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(dist, name));
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      return { file: name, raw: bytes.length, brotli: brotliCompressSync(bytes, { params }).length };
    });
}

/** What is wrong with these sizes by the budget, in brotli bytes; files that it does not name share one. */
function overspent(rows) {
  const { others, ...budget } = JSON.parse(readFileSync(join(dist, "../budget.json"), "utf8"));
  const spent = rows.filter(({ file }) => file in budget);
  const rest = rows.filter(({ file }) => !(file in budget)).reduce((sum, { brotli }) => sum + brotli, 0);
  const over = spent.filter(({ file, brotli }) => brotli > budget[file]);
  const wrong = over.map(({ file, brotli }) => `${file} has ${brotli} bytes, and its budget is ${budget[file]}`);
  return rest > others ? [...wrong, `the other files have ${rest} bytes, and their budget is ${others}`] : wrong;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = sizes();
  const number = (value) => value.toLocaleString("en-GB").padStart(12);
  const width = Math.max(4, ...rows.map(({ file }) => file.length));
  console.log(`\n${"file".padEnd(width)}${"raw".padStart(12)}${"brotli".padStart(12)}`);
  for (const { file, raw, brotli } of rows) console.log(file.padEnd(width) + number(raw) + number(brotli));
  if (process.argv[2] === "--check") {
    const wrong = overspent(rows);
    for (const line of wrong) console.error(line);
    if (wrong.length > 0) process.exit(1);
  }
}
