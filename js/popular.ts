/**
 * The most popular items, read out of the bundle without any wasm: what a page that may not run wasm
 * can still show.
 */

import type { BundleFiles, Bytes } from "./bundle.js";
import { IngleError } from "./errors.js";
import { sha256 } from "./hash.js";

/** Every item with its share of all clicks in training, each counted once more, most popular first. */
export async function readPopular({ entries, files }: BundleFiles): Promise<{ item: string; share: number }[]> {
  const ids: string[] = [];
  const scores: number[] = [];
  for (const entry of [...entries].sort((a, b) => (a.first_row ?? 0) - (b.first_row ?? 0))) {
    const bytes = files.get(entry.name);
    if (!bytes || (entry.role !== "ids" && entry.role !== "items")) continue;
    await verify(bytes, entry.name, entry.sha256);
    // One by one: a million do not fit into the arguments of a call.
    if (entry.role === "ids") for (const id of JSON.parse(new TextDecoder().decode(bytes)) as string[]) ids.push(id);
    else for (const score of readFloats(bytes, "popularity")) scores.push(score);
  }
  if (ids.length === 0 || ids.length !== scores.length) {
    throw new IngleError("bundle/tensor", `The bundle has ${ids.length} ids and ${scores.length} popularities.`);
  }
  // The bundle has ln(1 + clicks).
  const all = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  return ids.map((item, row) => ({ item, share: Math.exp(scores[row] ?? 0) / all })).sort((a, b) => b.share - a.share);
}

/** The engines check hashes themselves; without one the browser does, where it can. */
async function verify(bytes: Bytes, name: string, due: string): Promise<void> {
  const found = await sha256(bytes);
  if (found !== undefined && found !== due) throw new IngleError("bundle/hash", `${name} is not the file that the manifest describes.`);
}

/** One float tensor of a safetensors file: eight bytes of header length, a JSON header, the data. */
function readFloats(bytes: Bytes, tensor: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerEnd = 8 + Number(view.getBigUint64(0, true));
  const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, headerEnd)));
  const { dtype, data_offsets: [start, end] } = (header as Record<string, TensorInfo>)[tensor] ?? NO_TENSOR;
  if (dtype !== "F32" || headerEnd + end > bytes.length) {
    throw new IngleError("bundle/tensor", `The bundle's items have no readable "${tensor}".`);
  }
  // Copied, because the data need not start at a multiple of four bytes.
  return new Float32Array(bytes.slice(headerEnd + start, headerEnd + end).buffer);
}

interface TensorInfo {
  dtype: string;
  data_offsets: [number, number];
}

const NO_TENSOR: TensorInfo = { dtype: "none", data_offsets: [0, 0] };
