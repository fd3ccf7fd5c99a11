/** The files that a manifest lists. */

import type { Bytes } from "./bundle.js";
import { IngleError } from "../errors.js";

/** A file as listed in the manifest. */
export interface FileEntry {
  role: string;
  name: string;
  bytes: number;
  sha256: string;
  /** The first row, for blocks of the item table. */
  first_row?: number;
}

/** The one format that this release reads. */
const FORMAT = 1;
/** What an engine reads. Files of other roles belong to later releases. */
export const ROLES = ["model", "items", "ids"];
const NAME = /^[a-z]+-([0-9a-f]{16})\.(safetensors|json)$/;
/** The bundle's limits, as in `crates/bundle`: more does not fit into a browser's wasm memory together with a model. */
export const MAX_MANIFEST_BYTES = 2 ** 20;
const MAX_FILES = 1024;
const MAX_BYTES = 2 ** 31;

/** The parts of the manifest that fetching needs; the engine checks all of it. */
export function readEntries(manifest: Bytes): FileEntry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(manifest));
  } catch (error) {
    throw new IngleError("bundle/manifest", "The bundle's manifest.json is not JSON; is the address right?", { cause: error });
  }
  const { format, files } = (parsed ?? {}) as { format?: unknown; files?: unknown };
  // The rest of a manifest of another format is not checked.
  if (format !== undefined && format !== FORMAT) {
    throw new IngleError("bundle/format", `The bundle has format ${JSON.stringify(format).slice(0, 40)}, and this release reads format ${FORMAT}.`);
  }
  if (format === undefined || !Array.isArray(files) || !files.every(isEntry)) {
    throw new IngleError("bundle/manifest", "The bundle's manifest.json does not list its files; is the address right?");
  }
  for (const { name, sha256 } of files) {
    // The name becomes part of an address: it must not lead out of the folder.
    const digits = NAME.exec(name)?.[1];
    if (digits === undefined || !sha256.startsWith(digits)) {
      throw new IngleError("bundle/name", `The manifest names a file that it may not name: ${JSON.stringify(name)}.`);
    }
  }
  const bytes = distinct(files).reduce((sum, file) => sum + file.bytes, 0);
  if (files.length > MAX_FILES || bytes > MAX_BYTES) {
    throw new IngleError("bundle/manifest", `The bundle has ${files.length} files of ${bytes} bytes in all, and may have ${MAX_FILES} of ${MAX_BYTES}.`);
  }
  return files.filter(({ role }) => ROLES.includes(role));
}

function isEntry(value: unknown): value is FileEntry {
  if (typeof value !== "object" || value === null) return false;
  const { role, name, bytes, sha256 } = value as Record<keyof FileEntry, unknown>;
  return typeof role === "string" && typeof name === "string" && typeof sha256 === "string" && Number.isSafeInteger(bytes) && (bytes as number) >= 0;
}

/** Each file once: equal blocks share one. */
export function distinct(entries: FileEntry[]): FileEntry[] {
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}
