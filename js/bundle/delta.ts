/**
 * Makes the files of a bundle from those of the one before and a delta (docs/bundle.md). Loaded only where the channel
 * names a delta and a bundle is on the device. Whatever is wrong is an error: the files are then fetched whole.
 */

import type { Bytes } from "./bundle.js";
import { readEntries } from "./entries.js";
import { sha256 } from "./hash.js";

export interface Before {
  /** The manifest of the bundle on the device. */
  kept: Bytes;
  /** A file of that bundle, if it is whole. */
  read(name: string): Promise<Bytes | undefined>;
  /** A file of at most this many bytes, from the host. */
  take(name: string, most: number): Promise<Bytes>;
}

type Named = Partial<Record<"from" | "to" | "name" | "sha256" | "bytes", unknown>>;
/** What makes the next bytes: its kind, a count, where it begins in the file before, a step. */
type Op = [kind: number, count: number, at?: number, step?: number];

const FORMAT = 1;
const MAX_HEADER_BYTES = 2 ** 20;
const NAME = /^delta-([0-9a-f]{16})\.bin$/;
const NOTHING: Bytes = new Uint8Array(0);

/** The files that a delta makes, of those that a manifest lists; none if no delta leads there from the bundle on the device. */
export async function patch(deltas: readonly unknown[], manifest: Bytes, { kept, read, take }: Before): Promise<Map<string, Bytes>> {
  const made = new Map<string, Bytes>();
  const [from, to] = await Promise.all([sha256(kept), sha256(manifest)]);
  const delta = deltas.map((one) => Object(one) as Named).find((one) => one.from === from && one.to === to);
  const { name, bytes, sha256: hash } = delta ?? {};
  if (typeof name !== "string" || typeof hash !== "string" || !NAME.test(name) || !isCount(bytes)) return made;
  const packed = await take(name, bytes);
  need((await sha256(packed)) === hash);
  const entries = new Map(readEntries(manifest).map((entry) => [entry.name, entry]));
  const most = [...entries.values()].reduce((sum, entry) => sum + entry.bytes, MAX_HEADER_BYTES + 4);
  const text = await unpack(packed, most);
  need(text.length >= 4);
  const end = 4 + new DataView(text.buffer).getUint32(0, true);
  const { format, files } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text.subarray(4, end))) as { format: unknown; files: { name: string; from: string; ops: Op[] }[] };
  need(format === FORMAT && end <= text.length);
  let at = end;
  for (const { name, from, ops } of files) {
    const entry = entries.get(name);
    const before = from === "" ? NOTHING : await read(from);
    need(entry && before);
    const bytes = new Uint8Array(entry.bytes);
    at = make(ops, before, text, at, bytes);
    need((await sha256(bytes)) === entry.sha256);
    made.set(name, bytes);
  }
  return made;
}

/** Fills a file; gives where the body goes on. */
function make(ops: Op[], before: Bytes, body: Bytes, at: number, out: Bytes): number {
  const [old, now] = [before, out].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)) as [DataView, DataView];
  let to = 0;
  for (const [kind, count, from = 0, step = 0] of ops) {
    const [made, read] = kind === 2 ? [4 * count, 2 * count] : [count, count];
    need([0, 1, 2].includes(kind) && isCount(count) && isCount(from) && to + made <= out.length && at + read <= body.length && (kind === 0 || from + made <= before.length));
    if (kind === 0) out.set(body.subarray(at, at + count), to);
    if (kind === 1) for (let n = 0; n < count; n++) out[to + n] = before[from + n]! + body[at + n]!;
    if (kind === 2) {
      for (let n = 0; n < count; n++) {
        const coded = body[at + n]! | (body[at + count + n]! << 8);
        // Rounded to single precision, as the one who made it did.
        now.setFloat32(to + 4 * n, old.getFloat32(from + 4 * n, true) + ((coded >> 1) ^ -(coded & 1)) * step, true);
      }
    }
    to += made;
    at += read;
  }
  need(to === out.length);
  return at;
}

/** Opens what was packed with gzip, unless more comes out than there may be. */
async function unpack(packed: Bytes, most: number): Promise<Bytes> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      need(length <= most);
      chunks.push(next.value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The whole files are fetched instead, so nobody reads why. */
function need(what: unknown): asserts what {
  if (!what) throw new Error("the delta cannot be used");
}
