/**
 * Fetches a bundle: the manifest afresh, the files by their content-hashed names, from the cache
 * where they are already on the device.
 *
 * Which addresses are asked for, and in which order, follows from the manifest alone: never from the
 * shopper. Requests carry no cookies, no referrer and no query, and no header of ours but the `Range` of a
 * file that broke off. Hashes are checked in the wasm engine, after the network and after the cache alike.
 */

import { folderOf } from "./address.js";
import type { FileCache } from "./cache.js";
import { openCache } from "./cache.js";
import { pause } from "./deferred.js";
import { IngleError } from "./errors.js";
import type { Progress } from "./types.js";

export type Bytes = Uint8Array<ArrayBuffer>;

/** A file as the manifest lists it, spelt as there. */
export interface FileEntry {
  role: string;
  name: string;
  bytes: number;
  sha256: string;
  /** Where the block begins, for blocks of the item table. */
  first_row?: number;
}

/** A bundle's bytes; the caller owns them. */
export interface BundleFiles {
  manifest: Bytes;
  entries: FileEntry[];
  files: Map<string, Bytes>;
  /** Whether any file came from the cache and not from the network. */
  cached: boolean;
}

export interface BundleOptions {
  fetch?: typeof fetch;
  onProgress?: ((progress: Progress) => void) | undefined;
  cache?: FileCache;
  /** Waits before a file that broke off is asked for again, in milliseconds; one more break is an error. */
  pausesMs?: readonly number[];
}

/** What an engine reads. Files of other roles belong to later releases. */
const ROLES = ["model", "items", "ids"];
const NAME = /^[a-z]+-[0-9a-f]{16}\.(safetensors|json)$/;
/** As long as a train is in a tunnel. */
const PAUSES_MS = [500, 2_000, 5_000, 10_000];
const QUIET: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer" };

export class BundleSource {
  /** The folder that the bundle's files are in. */
  readonly base: URL;
  readonly cache: FileCache;
  readonly #fetch: typeof fetch;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  readonly #pausesMs: readonly number[];
  /** Fetched once: engines that load later, or again, get the same bundle. */
  #manifest: Promise<Bytes> | undefined;
  /** The opening before: the next one waits for it, and finds in the cache what it fetched. */
  #opening: Promise<unknown> = Promise.resolve();

  constructor(url: string | URL, { fetch = globalThis.fetch, onProgress, cache = openCache(), pausesMs = PAUSES_MS }: BundleOptions = {}) {
    this.base = folderOf(url);
    this.#fetch = (input, init) => fetch(input, init);
    this.#onProgress = onProgress;
    this.cache = cache;
    this.#pausesMs = pausesMs;
  }

  /** The whole bundle. Every call hands out bytes of its own; nothing is fetched twice, however many call at once. */
  open(signal?: AbortSignal): Promise<BundleFiles> {
    const opening = this.#opening.then(() => this.#open(signal));
    this.#opening = opening.catch(() => {});
    return opening;
  }

  /** The manifest as it was when it was first asked for; not to be changed. */
  manifest(signal?: AbortSignal): Promise<Bytes> {
    const manifest = (this.#manifest ??= this.#fetchManifest(signal));
    // One that did not come is asked for again.
    manifest.catch(() => this.#manifest === manifest && (this.#manifest = undefined));
    return manifest;
  }

  /** Forgets the cached files, after one of them turned out not to be what the manifest says. */
  async evict(): Promise<void> {
    this.#manifest = undefined;
    await this.cache.keepOnly(this.base.href, []);
  }

  async #open(signal: AbortSignal | undefined): Promise<BundleFiles> {
    const manifest = (await this.manifest(signal)).slice();
    const entries = readEntries(manifest);
    const files = new Map<string, Bytes>();
    for (const entry of entries) {
      const hit = await this.cache.get(this.#url(entry.name));
      if (hit) files.set(entry.name, hit);
    }
    const cached = files.size > 0;
    const missing = entries.filter((entry) => !files.has(entry.name));
    const report = this.#reporter(entries, files);
    await Promise.all(
      missing.map(async (entry) => {
        const bytes = await this.#download(entry, report, signal);
        files.set(entry.name, bytes);
        await this.cache.put(this.#url(entry.name), bytes);
      }),
    );
    await this.cache.put(this.#url("manifest.json"), manifest);
    const kept = ["manifest.json", ...entries.map(({ name }) => name)];
    await this.cache.keepOnly(this.base.href, kept.map((name) => this.#url(name)));
    return { manifest, entries, files, cached };
  }

  #url(name: string): string {
    return new URL(name, this.base).href;
  }

  /** The manifest from the network; offline, the one that was there last. */
  async #fetchManifest(signal: AbortSignal | undefined): Promise<Bytes> {
    const url = this.#url("manifest.json");
    try {
      const response = await this.#get(url, { ...QUIET, cache: "no-store" }, signal);
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      const last = error instanceof IngleError && error.code === "bundle/network" ? await this.cache.get(url) : undefined;
      if (!last) throw error;
      return last;
    }
  }

  /** A file that breaks off is taken up where it broke, until that brings nothing more. */
  async #download(entry: FileEntry, report: Report, signal: AbortSignal | undefined): Promise<Bytes> {
    const part: Part = { entry, bytes: new Uint8Array(entry.bytes), loaded: 0, most: 0 };
    for (let vain = 0; ; vain++) {
      const { most } = part;
      try {
        await this.#receive(part, report, signal);
        return part.bytes;
      } catch (error) {
        if (part.most > most) vain = 0;
        const ms = this.#pausesMs[vain];
        if (part.most === 0 || ms === undefined || !isBreak(error)) throw error;
        await pause(ms, signal);
      }
    }
  }

  /** Asks for what is missing of a file and writes down what comes. */
  async #receive(part: Part, report: Report, signal: AbortSignal | undefined): Promise<void> {
    const { entry, bytes } = part;
    const url = this.#url(entry.name);
    const rest = part.loaded > 0 && `bytes=${part.loaded}-`;
    const response = await this.#get(url, rest ? { ...QUIET, cache: "no-store", headers: { range: rest } } : { ...QUIET, cache: "force-cache" }, signal);
    // A host that sends no parts of files begins again.
    part.loaded = response.status === 206 ? firstByte(response, part.loaded) : 0;
    try {
      for await (const chunk of chunksOf(response)) {
        if (part.loaded + chunk.length > entry.bytes) throw wrongSize(entry, "more");
        bytes.set(chunk, part.loaded);
        part.loaded += chunk.length;
        const fresh = part.loaded - part.most;
        if (fresh <= 0) continue;
        part.most = part.loaded;
        report(entry.name, fresh);
      }
    } catch (error) {
      if (part.loaded < entry.bytes || error instanceof IngleError) throw asNetworkError(error, url, signal);
    }
    if (part.loaded < entry.bytes) throw wrongSize(entry, `only ${part.loaded}`);
  }

  async #get(url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(url, signal ? { ...init, signal } : init);
    } catch (error) {
      throw asNetworkError(error, url, signal);
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new IngleError("bundle/http", `The server answered HTTP ${response.status} for ${url}.`);
    }
    return response;
  }

  #reporter(entries: FileEntry[], have: Map<string, Bytes>): Report {
    const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    let loaded = 0;
    const report: Report = (file, bytes) => {
      loaded += bytes;
      this.#onProgress?.({ loaded, total, file });
    };
    for (const [file, bytes] of have) report(file, bytes.length);
    return report;
  }
}

type Report = (file: string, bytes: number) => void;

/** A file that is being downloaded. */
interface Part {
  entry: FileEntry;
  bytes: Bytes;
  /** Bytes that are there of the response at hand. */
  loaded: number;
  /** The most that has been there of any: what has been reported. */
  most: number;
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) {
    yield new Uint8Array(await response.arrayBuffer());
    return;
  }
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // After an error on our side the rest is not wanted; after the end this does nothing.
    reader.cancel().catch(() => {});
  }
}

/** As much of the manifest as fetching needs; the engine checks all of it. */
function readEntries(manifest: Bytes): FileEntry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(manifest));
  } catch (error) {
    throw new IngleError("bundle/manifest", "The bundle's manifest.json is not JSON; is the address right?", { cause: error });
  }
  const { files } = (parsed ?? {}) as { files?: unknown };
  if (!Array.isArray(files) || !files.every(isEntry)) {
    throw new IngleError("bundle/manifest", "The bundle's manifest.json does not list its files; is the address right?");
  }
  for (const { name } of files) {
    // A name is about to become part of an address: nothing may lead out of the folder.
    if (!NAME.test(name)) throw new IngleError("bundle/name", `The manifest names a file that it may not name: ${JSON.stringify(name)}.`);
  }
  return files.filter(({ role }) => ROLES.includes(role));
}

function isEntry(value: unknown): value is FileEntry {
  if (typeof value !== "object" || value === null) return false;
  const { role, name, bytes, sha256 } = value as Record<keyof FileEntry, unknown>;
  return typeof role === "string" && typeof name === "string" && typeof sha256 === "string" && isSize(bytes);
}

/** At most 2 GiB: more does not fit in a browser's wasm memory beside a model. */
function isSize(bytes: unknown): bytes is number {
  return Number.isSafeInteger(bytes) && (bytes as number) >= 0 && (bytes as number) <= 2 ** 31;
}

function wrongSize(entry: FileEntry, found: string): IngleError {
  return new IngleError("bundle/size", `${entry.name} should have ${entry.bytes} bytes but has ${found}; upload the bundle again.`);
}

/** Where the part that a host sends begins; from another origin it may not be told. */
function firstByte({ headers }: Response, asked: number): number {
  return Number(/^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] ?? asked);
}

/** Whether the connection broke, and nothing else was wrong. */
function isBreak(error: unknown): boolean {
  return error instanceof IngleError && error.code === "bundle/network";
}

/** An abort stays what it is; everything else that fetch throws is the network's doing. */
function asNetworkError(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof IngleError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new IngleError("bundle/network", `${url} could not be fetched: ${message}`, { cause: error });
}
