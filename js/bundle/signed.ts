/**
 * Reads a signed release: keys, channel, manifest (docs/bundle.md). Loaded only by pages that know a shop's keys.
 *
 * A payload is the exact text that was signed. It is verified before it is parsed, and what it names is checked before
 * it is fetched.
 */

import type { Bytes } from "./bundle.js";
import type { Before } from "./delta.js";
import { isSigned } from "./ed25519.js";
import { type ErrorCode, IngleError } from "../errors.js";
import { sha256 } from "./hash.js";
import type { Trust } from "../types.js";

/** Epoch and release: the order of releases. */
export type Number2 = readonly [epoch: number, release: number];

/** The release that this visit uses. */
export interface SignedRelease {
  /** The manifest's exact text. */
  manifest: Bytes;
  shop: string;
  number: Number2;
  /** Makes files of it from a bundle on the device; only there if the channel names deltas. */
  patch: ((before: Before) => Promise<Map<string, Bytes>>) | undefined;
  /** Set if the channel or its keys have expired: the release may be used, and may be old. */
  expired: IngleError | undefined;
}

/** Where it is read from. */
export interface SignedHost {
  /** A file of at most this many bytes. */
  take(name: string, most: number, cache: RequestCache): Promise<Bytes>;
  /** The highest release that was seen before. */
  seen: Number2;
  /** 0 to 1, drawn anew at every visit: decides whether a release that is being rolled out is for this one. */
  lot: number;
  /** Milliseconds since 1970. */
  now: number;
}

interface Envelope {
  epoch: number;
  payload: string;
  signatures: { signature?: unknown }[];
}

/** How many of these keys must sign; the keys are public and in hex. */
interface Role {
  threshold: number;
  keys: string[];
}

interface Keys {
  expires: number;
  root: Role;
  manifest: Role;
  channel: Role;
}

interface Named {
  name: string;
  sha256: string;
}

/** What was signed: nothing of it is checked yet. */
type Payload = Record<string, unknown> & { shop?: unknown; epoch?: unknown };

type Kind = "keys" | "manifest" | "channel";

const FORMAT = 1;
const STRANGE = "this release cannot read it";
const CHANNEL = "channel.json";
/** Longest files, as in `crates/delivery`. */
const MOST: Record<Kind, number> = { keys: 2 ** 15, manifest: 2 ** 21, channel: 2 ** 13 };
const MAX_SIGNATURES = 16;
/** Most epochs that are followed from the page's own. */
const MAX_STEPS = 64;

/** Verifies the release at the host, and chooses the manifest for this visit. */
export async function readSigned(trust: Trust, host: SignedHost): Promise<SignedRelease> {
  const { shop, epoch: from = 1, threshold = 1, keys: pinned, atLeast = 1 } = trust;
  if (!globalThis.crypto?.subtle) {
    throw new IngleError("delivery/insecure", "Signatures are checked on secure pages only (https or localhost).");
  }
  const first = readKeys(host, from, shop, { threshold, keys: pinned });
  first.catch(() => {});
  const envelope = open(CHANNEL, await host.take(CHANNEL, MOST.channel, "no-store"));
  const { epoch } = envelope;
  if (epoch < from) throw rollback([epoch, 0], [from, atLeast]);
  if (epoch - from > MAX_STEPS) throw fault("format", CHANNEL, `epoch ${epoch} is too far from ${from}`);
  let keys = await first;
  for (let next = from + 1; next <= epoch; next++) keys = await readKeys(host, next, shop, keys.root);

  const channel = await verified(CHANNEL, "channel", envelope, keys.channel);
  const { release, rollout, expires, deltas, manifest, previous } = channel as { release: unknown; deltas?: unknown; rollout: unknown; expires: unknown; manifest?: Named; previous?: { manifest?: Named } };
  checkShop(CHANNEL, channel, shop);
  const others = previous?.manifest;
  if (channel.epoch !== epoch || !isCount(release) || !isCount(expires) || typeof rollout !== "number" || !(rollout > 0 && rollout <= 1) || (rollout < 1 && !others)) {
    throw fault("format", CHANNEL, STRANGE);
  }
  const own = [from, atLeast] as const;
  const known = isBelow(own, host.seen) ? host.seen : own;
  if (isBelow([epoch, release], known)) throw rollback([epoch, release], known);

  const named = rollout < 1 && others && host.lot >= rollout ? others : manifest;
  const [, digits] = /^manifest-([0-9a-f]{16})\.json$/.exec(named?.name ?? "") ?? [];
  if (!named || digits === undefined || typeof named.sha256 !== "string" || !named.sha256.startsWith(digits)) throw fault("format", CHANNEL, STRANGE);
  const text = await take(host, named.name, "manifest", async (bytes) => {
    const found = await sha256(bytes);
    if (found !== named.sha256) throw fault("hash", named.name, "it is another file");
    const envelope = open(named.name, bytes);
    checkShop(named.name, await verified(named.name, "manifest", envelope, keys.manifest), shop);
    return envelope.payload;
  });
  const out = [expires, keys.expires].some((at) => at * 1000 <= host.now);
  const expired = out ? fault("expired", CHANNEL, "it has expired; `ingle publish` renews it") : undefined;
  const bytes = new TextEncoder().encode(text);
  const patch = Array.isArray(deltas) && deltas.length > 0 ? async (before: Before) => (await import("./delta.js")).patch(deltas, bytes, before) : undefined;
  return { manifest: bytes, shop, number: [epoch, release], patch, expired };
}

/** The keys of an epoch, signed by enough of those before and of its own. */
function readKeys(host: SignedHost, epoch: number, shop: string, before: Role): Promise<Keys> {
  const file = `keys-${epoch}.json`;
  return take(host, file, "keys", async (bytes) => {
    const envelope = open(file, bytes);
    const payload = await verified(file, "keys", envelope, before);
    checkShop(file, payload, shop);
    const { keys, roles, expires } = payload as { keys?: { id?: string; algorithm?: string; public?: string }[]; roles?: Record<string, { threshold?: unknown; keys?: string[] }>; expires?: unknown };
    const odd = keys?.find(({ algorithm }) => algorithm !== "ed25519");
    if (odd) throw fault("algorithm", file, `${odd.algorithm} is not ed25519`);
    const role = (name: string): Role => {
      const { threshold, keys: ids } = roles?.[name] ?? {};
      if (payload.epoch !== epoch || !isCount(expires) || !isCount(threshold)) throw fault("format", file, STRANGE);
      return { threshold, keys: (keys ?? []).filter(({ id = "" }) => ids?.includes(id)).map((key) => String(key.public)) };
    };
    const root = role("root");
    await verified(file, "keys", envelope, root);
    return { expires: expires as number, root, manifest: role("manifest"), channel: role("channel") };
  });
}

/** Fetches and reads a file; one that is not right may come from a cache, and is then fetched past every cache. */
async function take<T>(host: SignedHost, name: string, kind: Kind, read: (bytes: Bytes) => Promise<T>): Promise<T> {
  try {
    return await read(await host.take(name, MOST[kind], "force-cache"));
  } catch (error) {
    if (!(error instanceof IngleError && error.code.startsWith("delivery/"))) throw error;
    return read(await host.take(name, MOST[kind], "reload"));
  }
}

/** A signed file, of which nothing is to be believed yet. */
function open(file: string, bytes: Bytes): Envelope {
  let found: Partial<Envelope> & { format?: unknown } = {};
  try {
    found = Object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))) as typeof found;
  } catch {
    // Told below.
  }
  const { format, epoch, payload, signatures } = found;
  if (format !== FORMAT || !isCount(epoch) || typeof payload !== "string" || !Array.isArray(signatures) || signatures.length > MAX_SIGNATURES) {
    throw fault("format", file, STRANGE);
  }
  return { epoch, payload, signatures };
}

/** The payload, if enough keys have signed it. */
async function verified(file: string, kind: Kind, { payload, signatures }: Envelope, { threshold, keys }: Role): Promise<Payload> {
  const text = `ingle ${kind} 1\n${payload}`;
  const valid = new Set<string>();
  for (const key of keys) for (const one of signatures) if (await isSigned(text, String(one?.signature), key)) valid.add(key);
  if (valid.size < threshold) throw fault("signature", file, `${valid.size} of ${threshold} signatures are right`);
  try {
    return Object(JSON.parse(payload)) as Payload;
  } catch {
    throw fault("format", file, STRANGE);
  }
}

function checkShop(file: string, { shop }: Payload, expected: string): void {
  if (shop !== expected) throw fault("shop", file, `it is of the shop ${String(shop).slice(0, 80)}, not of ${expected}`);
}

function isBelow(a: Number2, b: Number2): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function rollback(found: Number2, known: Number2): IngleError {
  return fault("rollback", CHANNEL, `epoch and release ${found} are older than ${known}`);
}

function fault(what: string, file: string, why: string): IngleError {
  return new IngleError(`delivery/${what}` as ErrorCode, `${file}: ${why}.`);
}
