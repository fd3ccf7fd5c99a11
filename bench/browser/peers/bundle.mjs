// A bundle's weights and item table in single precision, for the formats of others.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The tensors of a safetensors file by name. */
function tensorsOf(path) {
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...entries } = JSON.parse(bytes.subarray(8, end).toString());
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries)) {
    const copy = bytes.buffer.slice(bytes.byteOffset + end + from, bytes.byteOffset + end + to);
    const Kind = { F32: Float32Array, I8: Int8Array }[dtype];
    if (Kind) tensors.set(name, { shape, data: new Kind(copy) });
  }
  return tensors;
}

/** A bundle's manifest, weights, ids and item table `[items, width]`, whose rows are bytes times a scale. */
export function readBundle(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  const { count, width, dtype } = manifest.items;
  if (dtype !== "int8") throw new Error(`the item table is ${dtype}, and this reads int8`);
  const file = (role) => manifest.files.filter((entry) => entry.role === role);
  const table = new Float32Array(count * width);
  for (const { name, first_row: first } of file("items")) {
    const block = tensorsOf(join(folder, name));
    const [{ data: values }, { data: scales }] = [block.get("values"), block.get("scales")];
    for (let at = 0; at < values.length; at += 1) table[first * width + at] = values[at] * scales[Math.floor(at / width)];
  }
  const weights = tensorsOf(join(folder, file("model")[0].name));
  const ids = JSON.parse(readFileSync(join(folder, file("ids")[0].name), "utf8"));
  return { manifest, weights, table, ids };
}
