/** The bundle that the host has now: what `manifest.json` says, or the signed release where a page knows a shop's keys. */

import type { Bytes } from "./bundle.js";
import { type FileEntry, MAX_MANIFEST_BYTES, readEntries } from "./entries.js";
import type { KeptBundles } from "./kept.js";
import { highest, raise } from "./ratchet.js";
import type { SignedRelease } from "./signed.js";
import type { IngleError } from "../errors.js";
import type { SignedBy, Trust } from "../types.js";

/** Whether a release that is being rolled out is for this visit. */
const LOT = Math.random();

/** A small file of the host's. Unless `patient`, it must come whole within the time that a silence may last. */
type Take = (name: string, most: number, cache: RequestCache, patient: boolean) => Promise<Bytes>;

/** What a bundle's files are kept under. Of others than these keys' nothing is used, so that a new start is one. */
export function placeOf(address: string, trust: Trust | undefined): string {
  return trust ? `${address}#${[trust.shop, trust.epoch ?? 1, trust.threshold ?? 1, trust.keys].join()}` : address;
}

export class Latest {
  readonly #place: string;
  readonly #options: { trust?: Trust | undefined; lot?: number };
  readonly #cache: KeptBundles;
  readonly #take: Take;
  /** The release that was verified. */
  #release: SignedRelease | undefined;
  /** Files of it that were made from those on the device. */
  #made: Promise<Map<string, Bytes>> | undefined;

  constructor(place: string, options: { trust?: Trust | undefined; lot?: number }, cache: KeptBundles, take: Take) {
    this.#place = place;
    this.#options = options;
    this.#cache = cache;
    this.#take = take;
  }

  /** Asks the host. */
  async ask(): Promise<{ manifest: Bytes; signed: SignedBy | null; expired?: IngleError | undefined }> {
    const { trust, lot = LOT } = this.#options;
    if (!trust) return { manifest: await this.#take("manifest.json", MAX_MANIFEST_BYTES, "no-store", true), signed: null };
    const [{ readSigned }, seen] = await Promise.all([import("./signed.js"), highest(this.#place)]);
    const take = (name: string, most: number, cache: RequestCache) => this.#take(name, most, cache, false);
    const found = await readSigned(trust, { take, seen, lot, now: Date.now() });
    this.#release = found;
    this.#made = undefined;
    await this.raise();
    const { manifest, shop, number: [epoch, release], expired } = found;
    return { manifest, signed: { shop, epoch, release }, expired };
  }

  /** The release that was seen is the highest from now on, on the device if that is allowed. */
  async raise(): Promise<void> {
    if (this.#release) await raise(this.#place, this.#release.number, () => this.#cache.mayStore());
  }

  /** A file of the release that a delta makes from the bundle on the device, if the host has one. It matches the manifest. */
  async made({ name }: FileEntry): Promise<Bytes | undefined> {
    const made = await (this.#made ??= this.#make()).catch(() => undefined);
    const bytes = made?.get(name);
    made?.delete(name);
    return bytes;
  }

  async #make(): Promise<Map<string, Bytes>> {
    const kept = this.#release?.patch && (await this.#cache.latest(this.#place));
    if (!kept) return new Map();
    const before = new Map(readEntries(kept.manifest).map((entry) => [entry.name, entry]));
    const read = async (name: string) => {
      const entry = before.get(name);
      return entry && this.#cache.find(this.#place, entry);
    };
    return this.#release!.patch!({ kept: kept.manifest, read, take: (name, most) => this.#take(name, most, "force-cache", true) });
  }
}
