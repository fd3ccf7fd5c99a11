/**
 * Fetches a bundle: the manifest anew, and files by their content-hashed names from the device if they are there, or as
 * a delta that makes them from the bundle on the device. If the host's bundle cannot be fetched, the last good bundle on
 * the device is used.
 *
 * Which addresses are requested, and in which order, depends on the manifest and on the bundle that is on the device
 * alone, never on what the shopper clicked. Requests have
 * no cookies, no referrer and no query, and no header of ours but the `Range` of an interrupted file. Hashes are
 * checked here if the browser computes them, and by the wasm engine in any case.
 */

import { folderOf } from "./address.js";
import { deferred, pause, unlessAborted, Watch, within } from "../common/deferred.js";
import { distinct, type FileEntry, readEntries, ROLES } from "./entries.js";
import { IngleError, toIngleError } from "../errors.js";
import { sha256 } from "./hash.js";
import { type Kept, KeptBundles, sameBytes } from "./kept.js";
import { Latest, placeOf } from "./latest.js";
import { chunksOf, firstByte, Part } from "./part.js";
import type { Progress, SignedBy, Trust } from "../types.js";

export type Bytes = Uint8Array<ArrayBuffer>;
export type { FileEntry };

/** A bundle's bytes; the caller owns them. */
export interface BundleFiles {
  manifest: Bytes;
  /** Equal blocks have an entry each and share a file. */
  entries: FileEntry[];
  files: Map<string, Bytes>;
  /** Who signed it; `null` if nobody did whom the page knows. */
  signed: SignedBy | null;
}

export interface BundleOptions {
  fetch?: typeof fetch;
  onProgress?: ((progress: Progress) => void) | undefined;
  cache?: KeptBundles;
  /** The keys that must have signed the bundle. Without them any bundle is used. */
  trust?: Trust | undefined;
  /** Aborts running requests. */
  signal?: AbortSignal;
  /** Whether a bundle on the device may be used instead of the host's. Default true. */
  fallback?: boolean;
  /** The host has another bundle than the one in use. */
  onLate?: () => void;
  /** Delays before an interrupted file is requested again, in milliseconds; one more interruption is an error. */
  pausesMs?: readonly number[];
  /** Milliseconds without data after which a request fails. */
  stallMs?: number;
  /** 0 to 1, in place of what this visit has drawn. */
  lot?: number;
  /** How long to wait for the host's bundle if there is another on the device, in milliseconds. */
  patienceMs?: number;
}

/** Long enough for a connection that is lost in a tunnel. */
const PAUSES_MS = [500, 2_000, 5_000, 10_000];
const STALL_MS = 15_000;
const PATIENCE_MS = 3_000;
const QUIET: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", redirect: "manual" };

/** A bundle that can be opened: the host's, or one on the device with this number. */
interface Generation {
  manifest: Bytes;
  entries: FileEntry[];
  signed: SignedBy | null;
  kept?: string;
  /** The generations on the device before the host was asked. */
  since?: string[];
}

export class BundleSource {
  /** The folder that the bundle's files are in. */
  readonly base: URL;
  readonly cache: KeptBundles;
  /** Why the bundle in use is not the host's. */
  stale: IngleError | undefined;
  /** The manifest of the bundle that was opened; not to be changed. */
  current: Bytes | undefined;
  /** What its files are kept under. Of others than these keys' nothing is used, so that a new start is one. */
  readonly #place: string;
  readonly #fetch: typeof fetch;
  readonly #options: BundleOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #stallMs: number;
  /** The host's manifest, requested once: engines that load later, or again, get the same bundle. */
  #asked: Promise<Generation> | undefined;
  /** The same with all of its files here. */
  #whole: Promise<Generation> | undefined;
  /** The bundle in use. */
  #chosen: Promise<Generation> | undefined;
  /** Running downloads by file name, so that nothing is downloaded twice. */
  readonly #arrivals = new Map<string, Promise<Bytes>>();
  readonly #progress = { loaded: 0, total: 0, files: new Map<string, number>() };
  readonly #latest: Latest;
  #accepted = false;
  /** An engine has rejected the bundle on the device. */
  #useless = false;
  /** Bypasses the browser's own cache, after an engine found damage that could not be detected here. */
  #reloads = false;

  constructor(url: string | URL, options: BundleOptions = {}) {
    const { fetch = globalThis.fetch, cache = new KeptBundles(), signal, stallMs = STALL_MS } = options;
    this.base = folderOf(url);
    this.#place = placeOf(this.base.href, options.trust);
    this.cache = cache;
    const take = (name: string, most: number, cache: RequestCache, patient: boolean) => this.#take(name, most, cache, patient);
    this.#latest = new Latest(this.#place, options, this.cache, take);
    this.#fetch = (input, init) => fetch(input, init);
    this.#options = options;
    this.#signal = signal;
    this.#stallMs = stallMs;
  }

  /** The whole bundle; each call returns its own copy of the bytes. */
  open(signal?: AbortSignal): Promise<BundleFiles> {
    return unlessAborted(this.#open(), signal);
  }

  /** The files of some roles, as soon as they are available, even if other files of the host's bundle are not. */
  async part(...roles: string[]): Promise<BundleFiles> {
    const host = this.#ask().then((generation) => this.#gather(generation, roles));
    return firstOf([this.#choose().then((generation) => this.#gather(generation, roles)), host]);
  }

  /** The manifest of the bundle in use; not to be changed. */
  async manifest(): Promise<Bytes> {
    return (await this.#choose()).manifest;
  }

  /** The manifest at the host; not to be changed. */
  async latest(): Promise<Bytes> {
    return (await this.#ask()).manifest;
  }

  /** The bundle that `open` returned works: from now on it is the last good bundle. */
  async accept(): Promise<void> {
    const chosen = await this.#chosen?.catch(() => undefined);
    if (this.#accepted || !chosen) return;
    this.#accepted = true;
    if (chosen.kept !== undefined) return;
    const { manifest, entries, since = [] } = chosen;
    const ask = async (): Promise<Bytes> => {
      const now = await this.#fetchManifest();
      if (!sameBytes(now.manifest, manifest)) this.#options.onLate?.();
      return now.manifest;
    };
    const settled = () => this.#latest.raise();
    await this.cache.accept({ base: this.#place, manifest, entries, since, ask, settled });
  }

  /** An engine rejected the bundle that `open` returned; says whether `open` can now return another. */
  async refuse(error: IngleError): Promise<boolean> {
    const refused = await this.#chosen;
    if (this.#accepted || !refused || !isBundlesFault(error)) return false;
    if (refused.kept !== undefined) {
      // This release cannot use the bundle on the device: only the host's is left.
      this.#useless = true;
      this.#chosen = this.#whole;
      return this.#chosen !== undefined;
    }
    if (isDamage(error) && !this.#reloads) {
      this.#reloads = true;
      this.cache.release(this.#place);
      this.#asked = this.#whole = this.#chosen = undefined;
      return true;
    }
    const kept = await this.#kept();
    if (!kept || sameBytes(kept.manifest, refused.manifest)) return false;
    this.stale = error;
    this.#chosen = Promise.resolve(kept);
    return true;
  }

  async #open(): Promise<BundleFiles> {
    const generation = await this.#choose();
    try {
      const files = await this.#gather(generation, ROLES);
      this.current = generation.manifest;
      return files;
    } catch (error) {
      // Another tab may have replaced the bundle on the device, and the host may have deleted its files.
      const kept = await this.#kept();
      if (!kept || kept.kept === generation.kept || this.#signal?.aborted) throw error;
      if (this.#accepted) {
        this.#options.onLate?.();
        throw error;
      }
      this.stale = toIngleError(error, "bundle/network");
      this.#chosen = Promise.resolve(kept);
      const files = await this.#gather(kept, ROLES);
      this.current = kept.manifest;
      return files;
    }
  }

  /** The host's bundle, unless it fails or takes too long and there is another on the device. */
  #choose(): Promise<Generation> {
    const chosen = (this.#chosen ??= this.#choice());
    // A failed one is requested again.
    chosen.catch(() => this.#chosen === chosen && (this.#chosen = undefined));
    return chosen;
  }

  async #choice(): Promise<Generation> {
    const whole = this.#fromHost();
    whole.catch(() => {});
    const kept = await this.#kept();
    if (!kept) return whole;
    const { patienceMs = PATIENCE_MS, onLate } = this.#options;
    let late = false;
    const tooLate = () => {
      late = true;
      return new IngleError("bundle/network", `${this.base.href} has not sent its bundle within ${patienceMs / 1000} s.`);
    };
    try {
      return await within(whole, patienceMs, tooLate);
    } catch (error) {
      if (this.#signal?.aborted) throw error;
      this.stale = toIngleError(error, "bundle/network");
      if (late) whole.then(onLate, (error: IngleError) => (this.stale = error));
      return kept;
    }
  }

  async #kept(): Promise<Generation | undefined> {
    if (this.#options.fallback === false || this.#useless) return undefined;
    const kept: Kept | undefined = await this.cache.latest(this.#place);
    if (!kept) return undefined;
    try {
      const { trust } = this.#options;
      return { manifest: kept.manifest, entries: readEntries(kept.manifest), signed: trust ? { shop: trust.shop } : null, kept: kept.id };
    } catch {
      // Damaged, or in a format written by another release.
      return undefined;
    }
  }

  #ask(): Promise<Generation> {
    const asked = (this.#asked ??= this.#askHost());
    asked.catch(() => this.#asked === asked && (this.#asked = undefined));
    return asked;
  }

  async #askHost(): Promise<Generation> {
    const since = await this.cache.generations(this.#place);
    const { manifest, signed } = await this.#fetchManifest();
    const entries = readEntries(manifest);
    this.#progress.total = distinct(entries).reduce((sum, { bytes }) => sum + bytes, 0);
    return { manifest, entries, signed, since };
  }

  #fromHost(): Promise<Generation> {
    const whole = (this.#whole ??= this.#bringAll());
    whole.catch(() => this.#whole === whole && (this.#whole = undefined));
    return whole;
  }

  async #bringAll(): Promise<Generation> {
    const generation = await this.#ask();
    const brought = await Promise.allSettled(distinct(generation.entries).map((entry) => this.#bring(entry)));
    const failed = brought.find((one) => one.status === "rejected");
    if (!failed) return generation;
    await this.cache.stage(this.#place, generation.entries);
    throw failed.reason;
  }

  async #gather({ manifest, entries, signed, kept }: Generation, roles: string[]): Promise<BundleFiles> {
    const wanted = entries.filter(({ role }) => roles.includes(role));
    const files = new Map<string, Bytes>();
    await Promise.all(
      distinct(wanted).map(async (entry) => {
        const found = await this.cache.find(this.#place, entry);
        files.set(entry.name, found ?? (await this.#bring(entry)).slice());
        if (!found && kept !== undefined) await this.cache.mend(this.#place, kept, entry.name, files.get(entry.name)!);
      }),
    );
    return { manifest: manifest.slice(), entries: wanted, files, signed };
  }

  /** A file from the device or the network; not to be changed. */
  #bring(entry: FileEntry): Promise<Bytes> {
    const { name } = entry;
    let arrival = this.#arrivals.get(name);
    if (!arrival) {
      arrival = this.#arrive(entry).finally(() => this.#arrivals.delete(name));
      this.#arrivals.set(name, arrival);
    }
    return arrival;
  }

  async #arrive(entry: FileEntry): Promise<Bytes> {
    const base = this.#place;
    const found = await this.cache.find(base, entry);
    const bytes = found ?? (await this.#latest.made(entry)) ?? (await this.#download(entry));
    this.#report(entry.name, bytes.length);
    if (!found) this.cache.hold(base, entry.name, bytes);
    return bytes;
  }

  async #fetchManifest(): Promise<{ manifest: Bytes; signed: SignedBy | null }> {
    const { manifest, signed, expired } = await this.#latest.ask();
    // It goes on: a shop that forgets to publish must not lose its recommendations.
    if (expired) this.stale = expired;
    return { manifest, signed };
  }

  /** A small file, in one piece; unless `patient`, it must come whole before a connection that stalls would be given up. */
  async #take(name: string, most: number, cache: RequestCache, patient: boolean): Promise<Bytes> {
    const url = this.#url(name);
    const part = new Part(most);
    const code = name === "manifest.json" ? "bundle/manifest" : "delivery/format";
    const heard = (_: number, over: boolean) => {
      if (over) throw new IngleError(code, `${url} is longer than ${most} bytes, which is the most it may have; is the address right?`);
    };
    await this.#receive(url, { ...QUIET, cache }, part, heard, patient);
    return part.bytes;
  }

  /** A file that does not match the manifest may come from a cache on the way: it is requested once more, bypassing caches. */
  async #download(entry: FileEntry): Promise<Bytes> {
    try {
      return await this.#checked(entry, this.#reloads ? "reload" : "force-cache");
    } catch (error) {
      if (this.#reloads || !isDamage(error)) throw error;
      return this.#checked(entry, "reload");
    }
  }

  async #checked(entry: FileEntry, cache: RequestCache): Promise<Bytes> {
    const bytes = await this.#transfer(entry, cache);
    const found = await sha256(bytes);
    if (found === undefined || found === entry.sha256) return bytes;
    throw new IngleError("bundle/hash", `${entry.name} is not the file that the manifest describes; upload the bundle again.`);
  }

  /** An interrupted file is continued where it was interrupted, until no more bytes arrive. */
  async #transfer(entry: FileEntry, cache: RequestCache): Promise<Bytes> {
    const { pausesMs = PAUSES_MS } = this.#options;
    const part = new Part(entry.bytes);
    const url = this.#url(entry.name);
    let most = 0;
    for (let vain = 0; ; vain++) {
      const rest: RequestInit = part.loaded > 0 ? { cache: "no-store", headers: { range: `bytes=${part.loaded}-` } } : { cache };
      try {
        await this.#receive(url, { ...QUIET, ...rest }, part, (loaded, over) => {
          if (over) throw wrongSize(entry, "more");
          this.#report(entry.name, loaded);
        });
        if (part.loaded < entry.bytes) throw wrongSize(entry, `only ${part.loaded}`);
        return part.bytes;
      } catch (error) {
        // An interruption after the last byte does no harm.
        if (part.loaded === entry.bytes && isBreak(error)) return part.bytes;
        if (part.loaded > most) vain = 0;
        most = Math.max(most, part.loaded);
        const ms = pausesMs[vain];
        if (most === 0 || ms === undefined || !isBreak(error)) throw error;
        await pause(ms, this.#signal);
      }
    }
  }

  /**
   * Requests the missing part of a file and stores what arrives; `heard` is called with the number of bytes, or with
   * `over` if there are too many. Without `patient` all of it must arrive within the time that a silence may last.
   */
  async #receive(url: string, init: RequestInit, part: Part, heard: (loaded: number, over: boolean) => void, patient = true): Promise<void> {
    const watch = new Watch(this.#stallMs, this.#signal);
    try {
      let response = await this.#fetch(url, { ...init, signal: watch.signal });
      // What a cache keeps of a host that had no such file says nothing of the host now.
      if (!response.ok && init.cache === "force-cache") response = await this.#fetch(url, { ...init, cache: "reload", signal: watch.signal });
      if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
        throw new IngleError("bundle/http", `The server redirects ${url}; give the address that it redirects to.`);
      }
      if (!response.ok) throw new IngleError("bundle/http", `The server answered HTTP ${response.status} for ${url}.`);
      // A host without range requests starts again.
      part.loaded = response.status === 206 ? firstByte(response, part.loaded) : 0;
      for await (const chunk of chunksOf(response)) {
        if (patient) watch.heard();
        heard(part.loaded + chunk.length, !part.add(chunk));
      }
    } catch (error) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      if (error instanceof IngleError) throw error;
      const message = watch.signal.aborted ? `${patient ? "nothing came for" : "it took longer than"} ${this.#stallMs / 1000} s` : error instanceof Error ? error.message : String(error);
      throw new IngleError("bundle/network", `${url} could not be fetched: ${message}`, { cause: error });
    } finally {
      // After an error this cancels the rest; after the end it does nothing.
      watch.end();
    }
  }

  /** Reports the bytes of a file; each byte is reported once, however often it is downloaded. */
  #report(file: string, bytes: number): void {
    const { files } = this.#progress;
    const fresh = bytes - (files.get(file) ?? 0);
    if (fresh <= 0) return;
    files.set(file, bytes);
    this.#progress.loaded += fresh;
    const { loaded, total } = this.#progress;
    this.#options.onProgress?.({ loaded, total, file });
  }

  #url(name: string): string {
    return new URL(name, this.base).href;
  }
}

/** The first promise that resolves; if all reject, rejects as the first one does. */
function firstOf<T>([first, ...others]: [Promise<T>, ...Promise<T>[]]): Promise<T> {
  const { promise, resolve, reject } = deferred<T>();
  for (const one of [first, ...others]) one.then(resolve, () => {});
  Promise.allSettled(others).then(() => first.catch(reject));
  return promise;
}

function wrongSize(entry: FileEntry, found: string): IngleError {
  return new IngleError("bundle/size", `${entry.name} should have ${entry.bytes} bytes but has ${found}; upload the bundle again.`);
}

/** Whether another bundle could work where this one does not. */
export function isBundlesFault({ code }: IngleError): boolean {
  return /^(bundle|delivery|backbone|method|model)\//.test(code);
}

/** Whether the connection was interrupted, and nothing else was wrong. */
function isBreak(error: unknown): boolean {
  return error instanceof IngleError && error.code === "bundle/network";
}

/** Whether the error says that a file does not match the manifest. */
function isDamage(error: unknown): boolean {
  return error instanceof IngleError && ["bundle/hash", "bundle/size", "bundle/tensor"].includes(error.code);
}
