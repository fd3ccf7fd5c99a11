/**
 * The bundles on this device, and what has to stay in memory instead.
 *
 * A generation is one whole bundle with its own number: its files are written first, and its manifest last, in one
 * piece. Only generations with a manifest count, and of several the one with the highest number: writing a manifest
 * switches to its bundle. Older generations are deleted afterwards. No tab writes into another tab's generation, so
 * this is safe without locks too.
 *
 * Only the host can say which of two bundles is newer. A manifest requested after another bundle was committed is newer
 * than that one. If another was committed meanwhile, the host is asked once more, and that answer counts.
 *
 * All of it is stored under addresses that are never requested, so that a shop's service worker which answers from any
 * cache does not find it. Nothing here may fail: a cache that cannot be used counts as empty.
 */

import type { Bytes, FileEntry } from "./bundle.js";
import { alone, CACHE_NAME, keptAddress } from "./cache.js";
import { within } from "../common/deferred.js";
import { sha256 } from "./hash.js";
import { dropEmpty, putWhile } from "./put.js";

const MANIFEST = "manifest.json";
/** Files of a bundle that was not fetched whole; not a generation. */
const STAGED = "staged";
/** A disk that takes longer for one file counts as failed, in milliseconds. */
const DISK_MS = 5_000;
/** Files without a manifest belong to a running commit, or to a closed tab if they are older than this, in milliseconds. */
const ABANDONED_MS = 3_600_000;

/** A bundle that an engine has opened. */
export interface Accepted {
  base: string;
  manifest: Bytes;
  entries: readonly FileEntry[];
  /** The generations before the host was asked for the manifest. */
  since: readonly string[];
  /** Asks the host for the manifest again. */
  ask(): Promise<Bytes>;
  /** Called once it is on the device. */
  settled?(): Promise<void>;
}

/** A generation: which, and its manifest. */
export interface Kept {
  id: string;
  manifest: Bytes;
}

export class KeptBundles {
  /** Whether the device may be written to. */
  readonly mayStore: () => boolean;
  /** Files that are not on the device, or not yet. Copies, so that returned bytes can be transferred to a worker. */
  readonly #memory = new Map<string, Bytes>();
  #accepted: Accepted | undefined;
  #settling: Promise<void> = Promise.resolve();

  /** Writes to the device only while `mayStore` is true. */
  constructor(mayStore: () => boolean = () => true) {
    this.mayStore = mayStore;
  }

  /** The numbers of the whole bundles of an address; the last one counts. */
  async generations(base: string): Promise<string[]> {
    const folder = folderOf(base);
    const names = (await keys()).filter((url) => url.startsWith(folder) && url.endsWith(`/${MANIFEST}`));
    return names.map((url) => url.slice(folder.length, -MANIFEST.length - 1)).sort();
  }

  /** The bundle that counts. */
  async latest(base: string): Promise<Kept | undefined> {
    for (const id of (await this.generations(base)).reverse()) {
      const manifest = await read(fileOf(base, id, MANIFEST));
      if (manifest) return { id, manifest };
    }
    return undefined;
  }

  /** A file that matches the manifest, from memory or from any generation. */
  async find(base: string, entry: FileEntry): Promise<Bytes | undefined> {
    return this.#memory.get(base + entry.name)?.slice() ?? this.#stored(base, entry);
  }

  async #stored(base: string, entry: FileEntry): Promise<Bytes | undefined> {
    const folder = folderOf(base);
    for (const url of (await keys()).filter((url) => url.startsWith(folder) && url.endsWith(`/${entry.name}`))) {
      const bytes = await read(url);
      if (bytes?.length === entry.bytes && (await sha256(bytes)) === entry.sha256) return bytes;
    }
    return undefined;
  }

  /** Keeps a checked file in memory until its bundle is on the device. */
  hold(base: string, name: string, bytes: Bytes): void {
    this.#memory.set(base + name, bytes.slice());
  }

  /** Releases the files of an address from memory. */
  release(base: string): void {
    for (const key of this.#memory.keys()) if (key.startsWith(base)) this.#memory.delete(key);
  }

  /** Replaces a damaged file of a generation. */
  async mend(base: string, id: string, name: string, bytes: Bytes): Promise<void> {
    await alone(() => this.#put(fileOf(base, id, name), bytes));
  }

  /** Writes the files of an incomplete bundle, so that the next visit can continue. */
  async stage(base: string, entries: readonly FileEntry[]): Promise<void> {
    if (!this.mayStore()) return;
    await alone(async () => {
      for (const { name } of entries) {
        const bytes = this.#memory.get(base + name);
        if (bytes && (await this.#put(fileOf(base, STAGED, name), bytes))) this.#memory.delete(base + name);
      }
    });
  }

  /** A bundle works: from now on it is the last good bundle. */
  async accept(bundle: Accepted): Promise<void> {
    this.#accepted = bundle;
    const due = new Set(bundle.entries.map(({ name }) => bundle.base + name));
    for (const key of this.#memory.keys()) if (!due.has(key)) this.#memory.delete(key);
    await this.settle();
  }

  /** Writes to the device what had to stay in memory until now. */
  settle(): Promise<void> {
    return (this.#settling = this.#settling.then(() => this.#settle()));
  }

  async #settle(): Promise<void> {
    if (!this.mayStore()) return;
    const bundle = this.#accepted;
    if (!bundle || !(await alone(() => this.#commit(bundle)).catch(() => false))) return;
    await bundle.settled?.();
    if (this.#accepted === bundle) this.#accepted = undefined;
    for (const { name } of bundle.entries) this.#memory.delete(bundle.base + name);
  }

  /** Makes this bundle the current one, unless the host has a newer one; says whether all of it is on the device. */
  async #commit(bundle: Accepted): Promise<boolean> {
    const { base, manifest, ask } = bundle;
    let seen = new Set(bundle.since);
    let mine: string | undefined;
    for (;;) {
      const ids = await this.generations(base);
      if (mine !== undefined && !ids.includes(mine)) return false;
      const others = ids.filter((id) => id !== mine);
      const rivals = await this.#others(base, others, manifest);
      if (rivals.some(({ id }) => !seen.has(id))) {
        // Another bundle was committed since the host was asked: ask again.
        seen = new Set(others);
        const now = await ask();
        if (!sameBytes(now, manifest)) {
          // If the host now has the other bundle, that one is kept instead of ours.
          if (mine !== undefined && rivals.some((rival) => sameBytes(rival.manifest, now))) await remove(base, mine);
          return false;
        }
        if (mine === undefined || ids.at(-1) !== mine) mine = await this.#write(bundle, newId(ids));
      } else if (mine === undefined) {
        const last = ids.at(-1);
        // Another tab has committed the same bundle, or an earlier visit, which may have ended before it had tidied up.
        if (last !== undefined && !rivals.some(({ id }) => id === last)) {
          await this.#mendAll(bundle, last);
          mine = last;
          break;
        }
        mine = await this.#write(bundle, newId(ids));
      } else if (!rivals.some(({ id }) => id === ids.at(-1))) {
        break;
      } else {
        mine = await this.#write(bundle, newId(ids));
      }
      if (mine === undefined) return false;
    }
    await this.#tidy(base, mine);
    return true;
  }

  /** Those of the generations that hold another bundle. */
  async #others(base: string, ids: string[], manifest: Bytes): Promise<Kept[]> {
    const found: Kept[] = [];
    for (const id of ids) {
      const other = await read(fileOf(base, id, MANIFEST));
      if (other && !sameBytes(other, manifest)) found.push({ id, manifest: other });
    }
    return found;
  }

  /** Replaces files that had to be fetched although they should be here. */
  async #mendAll({ base, entries }: Accepted, id: string): Promise<void> {
    for (const entry of entries) {
      const bytes = this.#memory.get(base + entry.name);
      if (bytes && !(await this.#stored(base, entry))) await this.#put(fileOf(base, id, entry.name), bytes);
    }
  }

  /** Writes a generation, the manifest last; removes all of it if that fails or is no longer allowed. */
  async #write({ base, manifest, entries }: Accepted, id: string): Promise<string | undefined> {
    for (const entry of new Map(entries.map((entry) => [entry.name, entry])).values()) {
      const bytes = await this.find(base, entry);
      if (!bytes || !(await this.#put(fileOf(base, id, entry.name), bytes))) return void (await remove(base, id));
    }
    if (await this.#put(fileOf(base, id, MANIFEST), manifest)) return id;
    // One that is late may still be written: its files stay.
    if (!this.mayStore()) await remove(base, id);
    return undefined;
  }

  /** Says whether the file is stored: the disk may be full, and permission may change meanwhile. */
  #put(url: string, bytes: Bytes): Promise<boolean> {
    return onDisk(false, () => putWhile(this.mayStore, CACHE_NAME, url, bytes));
  }

  /** Deletes older generations, and the remains of closed tabs. */
  async #tidy(base: string, mine: string): Promise<void> {
    const folder = folderOf(base);
    const found = (await keys()).filter((url) => url.startsWith(folder));
    for (const id of new Set(found.map((url) => url.slice(folder.length).split("/")[0] ?? ""))) {
      const old = found.includes(fileOf(base, id, MANIFEST)) ? id < mine : Date.now() - timeOf(id) > ABANDONED_MS;
      if (old || id === STAGED) await remove(base, id);
    }
    // What was kept of the same address before the page knew these keys is of no use any more.
    const [address = ""] = base.split("#");
    if (address === base) return;
    const others = (await keys()).filter((url) => [folderOf(address), keptAddress(`${address}#`)].some((one) => url.startsWith(one)));
    for (const url of others) if (!url.startsWith(folder)) await drop(url);
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}

function folderOf(base: string): string {
  return `${keptAddress(base)}/`;
}

function fileOf(base: string, id: string, name: string): string {
  return `${folderOf(base)}${id}/${name}`;
}

/** A number above these, with time and a random part, so that no two tabs choose the same. */
function newId(ids: readonly string[]): string {
  const next = 1 + Math.max(0, ...ids.map((id) => parseInt(id, 36)));
  return [next.toString(36).padStart(8, "0"), Date.now().toString(36), Math.random().toString(36).slice(2, 8)].join("-");
}

function timeOf(id: string): number {
  return parseInt(id.split("-")[1] ?? "", 36);
}

/** Deletes the manifest first, so that a partly deleted bundle is not taken for a whole one. */
async function remove(base: string, id: string): Promise<void> {
  const folder = `${folderOf(base)}${id}/`;
  if (!(await drop(folder + MANIFEST))) return;
  for (const url of await keys()) if (url.startsWith(folder)) await drop(url);
}

function keys(): Promise<string[]> {
  return onDisk([], async () => {
    // Opening a cache creates it; `has` does not.
    if (!(await caches.has(CACHE_NAME))) return [];
    const found = await (await caches.open(CACHE_NAME)).keys();
    // If another tab has erased the cache meanwhile, it was created again here.
    if (found.length === 0) void globalThis.navigator?.locks?.request(CACHE_NAME, () => dropEmpty(CACHE_NAME)).catch(() => {});
    return found.map(({ url }) => url);
  });
}

function read(url: string): Promise<Bytes | undefined> {
  return onDisk(undefined, async () => {
    const hit = await caches.match(url, { cacheName: CACHE_NAME });
    return hit && new Uint8Array(await hit.arrayBuffer());
  });
}

/** Says whether it is certainly gone. */
function drop(url: string): Promise<boolean> {
  return onDisk(false, async () => {
    // An erased cache must not be created again by opening it.
    if (await caches.has(CACHE_NAME)) await (await caches.open(CACHE_NAME)).delete(url);
    return true;
  });
}

/** Missing, disabled, full or hanging storage counts as empty. */
async function onDisk<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    // `caches` exists on secure pages only, and accessing it throws where storage is blocked.
    return typeof caches === "undefined" ? otherwise : await within(work(), DISK_MS, () => new Error("the disk hangs"));
  } catch {
    return otherwise;
  }
}
