// The backbone of a `sasrec` bundle as plain numbers, for TensorFlow.js: flat.mjs BUNDLE OUT. Writes OUT.bin,
// all weights in single precision, and OUT.json, where each lies in it and the sizes of the backbone.
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { argv } from "node:process";
import { readBundle } from "./bundle.mjs";

const [folder, out] = argv.slice(2);
const { manifest, weights, table } = readBundle(folder);
const { width } = manifest.backbone;
const file = openSync(`${out}.bin`, "w");
const tensors = {};
let from = 0;
for (const [name, { shape, data }] of [...weights, ["table", { shape: [table.length / width, width], data: table }]]) {
  writeSync(file, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  tensors[name] = { shape, from, count: data.length };
  from += data.byteLength;
}
closeSync(file);
writeFileSync(`${out}.json`, JSON.stringify({ backbone: manifest.backbone, tensors }));
