/** The most popular items, read from the bundle without wasm, for pages that must not run wasm. */

import type { BundleFiles, Bytes } from "./bundle.js";
import { IngleError } from "../errors.js";

/** Longest safetensors header. */
const MAX_HEADER_BYTES = 2 ** 20;

/** All items with their share of all training clicks (each item's count plus one), most popular first. */
export function readPopular({ entries, files }: BundleFiles): { item: string; share: number }[] {
  const ids: string[] = [];
  const scores: number[] = [];
  for (const entry of [...entries].sort((a, b) => (a.first_row ?? 0) - (b.first_row ?? 0))) {
    const bytes = files.get(entry.name);
    if (!bytes || (entry.role !== "ids" && entry.role !== "items")) continue;
    // One by one: a million do not fit into the arguments of a call.
    if (entry.role === "ids") for (const id of JSON.parse(new TextDecoder().decode(bytes)) as unknown[]) ids.push(String(id));
    else for (const score of readFloats(bytes, "popularity")) scores.push(score);
  }
  if (ids.length === 0 || ids.length !== scores.length) {
    throw new IngleError("bundle/tensor", `The bundle has ${ids.length} ids and ${scores.length} popularities.`);
  }
  // The bundle has ln(1 + clicks).
  const all = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  if (!Number.isFinite(all)) throw new IngleError("bundle/tensor", "The bundle's popularities are no numbers.");
  return ids.map((item, row) => ({ item, share: Math.exp(scores[row] ?? 0) / all })).sort((a, b) => b.share - a.share);
}

/** One float tensor of a safetensors file: eight bytes of header length, a JSON header, the data. */
function readFloats(bytes: Bytes, tensor: string): Float32Array {
  const unreadable = () => new IngleError("bundle/tensor", `The bundle's items have no readable "${tensor}".`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || 8 + length > bytes.length) throw unreadable();
  const data = bytes.subarray(8 + length);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, Partial<TensorInfo> | undefined>;
  const { dtype, data_offsets: [start, end] = [] } = header[tensor] ?? {};
  const whole = start !== undefined && end !== undefined && 0 <= start && start <= end && end <= data.length && (end - start) % 4 === 0;
  if (dtype !== "F32" || !whole) throw unreadable();
  // Copied, because the data need not start at a multiple of four bytes.
  return new Float32Array(data.slice(start, end).buffer);
}

interface TensorInfo {
  dtype: string;
  data_offsets: [number, number];
}
