#!/usr/bin/env node
// What a shop's visitors download: raw and brotli bytes of each wasm and js file of the package.
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = sizes();
  const number = (value) => value.toLocaleString("en-GB").padStart(12);
  const width = Math.max(4, ...rows.map(({ file }) => file.length));
  console.log(`\n${"file".padEnd(width)}${"raw".padStart(12)}${"brotli".padStart(12)}`);
  for (const { file, raw, brotli } of rows) console.log(file.padEnd(width) + number(raw) + number(brotli));
}
