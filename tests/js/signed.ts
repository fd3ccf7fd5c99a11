/** A shop that signs its releases, for tests: its keys, and the files that it publishes. */

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Trust } from "../../js/types.js";

export type Files = Map<string, Uint8Array<ArrayBuffer>>;

export interface TestKey {
  id: string;
  public: string;
  secret: KeyObject;
}

export const NOW = Math.floor(Date.now() / 1000);
export const DAY = 86_400;

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

export function newKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url");
  return { id: sha256(raw).slice(0, 16), public: raw.toString("hex"), secret: privateKey };
}

export type Kind = "keys" | "manifest" | "channel";

/** A signed file; `hint` is the epoch that it shows before it is verified. */
export function envelope(kind: Kind, payload: object | string, keys: TestKey[], hint = 1): Uint8Array<ArrayBuffer> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const signatures = keys.map(({ id, secret }) => ({ key: id, signature: sign(null, bytesOf(`ingle ${kind} 1\n${text}`), secret).toString("hex") }));
  return bytesOf(JSON.stringify({ format: 1, epoch: hint, payload: text, signatures }));
}

/** A role as a key file names it. */
const role = (keys: TestKey[], threshold = 1) => ({ threshold, keys: keys.map(({ id }) => id) });

export interface ChannelPayload {
  shop: string;
  epoch: number;
  release: number;
  manifest: { name: string; sha256: string };
  expires: number;
  rollout: number;
  previous?: { manifest: { name: string; sha256: string } };
  deltas: unknown[];
}

/** A delta's bytes. */
export function packed(files: object[], body: Uint8Array, format = 1): Uint8Array<ArrayBuffer> {
  const header = Buffer.from(JSON.stringify({ format, files }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return new Uint8Array(gzipSync(Buffer.concat([length, header, body])));
}

/** A delta between two manifests: of every other file the one of the same role and rows before, and the bytes by which it differs. */
export function deltaOf(from: string, to: string, files: Files): Uint8Array<ArrayBuffer> {
  type Entry = { role: string; name: string; first_row?: number };
  const [old, now] = [from, to].map((text) => (JSON.parse(text) as { files: Entry[] }).files) as [Entry[], Entry[]];
  const bodies: Buffer[] = [];
  const patches = now
    .filter(({ name }) => !old.some((one) => one.name === name))
    .map(({ role, name, first_row }) => {
      const base = old.find((one) => one.role === role && one.first_row === first_row)!;
      const [before, after] = [files.get(base.name)!, files.get(name)!];
      const both = Math.min(before.length, after.length);
      bodies.push(Buffer.from(after.map((byte, n) => (n < both ? byte - before[n]! : byte))));
      return { name, from: base.name, ops: [[1, both, 0], [0, after.length - both]] };
    });
  return packed(patches, Buffer.concat(bodies));
}

export class Shop {
  readonly name: string;
  epoch = 1;
  release = 0;
  root = [newKey()];
  threshold = 1;
  ci = newKey();
  /** What the host has. */
  files: Files = new Map();
  /** What was signed of each manifest, by its name. */
  readonly texts = new Map<string, string>();
  /** The last channel, before it was signed. */
  channel!: ChannelPayload;

  constructor(name = "shoes") {
    this.name = name;
    this.putKeys(1, this.root);
  }

  get trust(): Trust {
    return { shop: this.name, epoch: this.epoch, threshold: this.threshold, keys: this.root.map((key) => key.public) };
  }

  keysPayload(epoch = this.epoch) {
    const keys = [...this.root, this.ci].map((key, n) => ({ id: key.id, name: `key ${n}`, algorithm: "ed25519", public: key.public }));
    const root = role(this.root, this.threshold);
    return { shop: this.name, epoch, expires: NOW + 365 * DAY, keys, roles: { root, manifest: role(this.root), channel: role([this.ci]) } };
  }

  putKeys(epoch: number, signers: TestKey[]): void {
    this.files.set(`keys-${epoch}.json`, envelope("keys", this.keysPayload(epoch), signers, epoch));
  }

  /** The next epoch, with these keys in place of those that there are. */
  rotate(change: { root?: TestKey[]; ci?: TestKey }): void {
    const before = this.root;
    Object.assign(this, change);
    this.epoch++;
    this.putKeys(this.epoch, [...new Set([...before, ...this.root])]);
  }

  /** Puts a bundle's files and its signed manifest there; gives what a channel says of it. */
  put(bundle: Files, more: object = {}): { name: string; sha256: string } {
    for (const [name, bytes] of bundle) if (name !== "manifest.json") this.files.set(name, bytes);
    const manifest = JSON.parse(new TextDecoder().decode(bundle.get("manifest.json"))) as object;
    const text = JSON.stringify({ ...manifest, shop: this.name, ...more });
    const bytes = envelope("manifest", text, this.root, this.epoch);
    const hash = sha256(bytes);
    this.texts.set(`manifest-${hash.slice(0, 16)}.json`, text);
    this.files.set(`manifest-${hash.slice(0, 16)}.json`, bytes);
    return { name: `manifest-${hash.slice(0, 16)}.json`, sha256: hash };
  }

  /** Publishes a release for all of the bundle that is out, or what `change` says. */
  say(change: Partial<ChannelPayload>, signers = [this.ci]): void {
    this.release = change.release ?? this.release + 1;
    const { manifest } = this.channel ?? change;
    this.channel = { shop: this.name, epoch: this.epoch, release: this.release, manifest: manifest!, expires: NOW + 30 * DAY, rollout: 1, deltas: [], ...change };
    this.files.set("channel.json", envelope("channel", this.channel, signers, this.channel.epoch));
  }

  publish(bundle: Files, more: object = {}): void {
    this.say({ manifest: this.put(bundle, more) });
  }

  /** The same, with a delta from the bundle that is out; `change` is made to it before it is named. */
  follow(bundle: Files, change: (delta: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (delta) => delta, more: object = {}): string {
    const before = this.channel.manifest.name;
    const manifest = this.put(bundle, more);
    const [from, to] = [before, manifest.name].map((name) => this.texts.get(name)!) as [string, string];
    const delta = change(deltaOf(from, to, this.files));
    const name = `delta-${sha256(delta).slice(0, 16)}.bin`;
    this.files.set(name, delta);
    this.say({ manifest, deltas: [{ from: sha256(from), to: sha256(to), name, bytes: delta.length, sha256: sha256(delta) }] });
    return name;
  }
}
