// A page that ends while it moves to a signed release: at every step of asking, verifying, testing, writing and switching.
// Whatever was the last thing it did, the next visit has the release before or the new one, whole; at most the files of
// one unfinished bundle are left over, for an hour; and the number that the device has seen is never below the release that
// it keeps.
//
// What a page leaves behind changes only by what it asks of its caches, so that ending it before each such call, and
// before each request, hash, signature and the self-test, is ending it everywhere.

import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { afterEach, test } from "node:test";
import { type BundleOptions, BundleSource } from "../../../js/bundle/bundle.js";
import { CACHE_NAME, VERDICTS_NAME } from "../../../js/bundle/cache.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import { forgetSeen } from "../../../js/bundle/ratchet.js";
import { IngleError } from "../../../js/errors.js";
import type { Trust } from "../../../js/types.js";
import { FakeCaches } from "../caches.js";
import { equal, ok } from "../check.js";
import { goldenAgain, goldenFiles, goldenNext } from "../golden.js";
import { type Files, newKey, Shop } from "../signed.js";
import { nameIn } from "../signed-visits.js";

const URL = "https://shop.example/b/";
const NEVER = new Promise<never>(() => {});

/** A page, and the step before which it ends. */
class Page {
  readonly #at: number;
  readonly trace: string[] = [];
  over = false;
  end!: () => void;
  readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  constructor(at = Infinity) {
    this.#at = at;
  }

  async step(what: string): Promise<void> {
    if (!this.over && this.trace.push(what) > this.#at) {
      this.over = true;
      this.end();
    }
    // Nothing of it goes on.
    if (this.over) return NEVER;
  }
}

const PAGE = new AsyncLocalStorage<Page>();
const step = async (what: string): Promise<void> => PAGE.getStore()?.step(what);

/** A device's caches, each call to which is a step. */
class Device extends FakeCaches {
  constructor(before?: Device) {
    super(step);
    for (const [name, store] of before?.stores ?? []) this.stores.set(name, new Map(store));
  }

  override async has(name: string): Promise<boolean> {
    await step(`has ${name}`);
    return super.has(name);
  }

  override async open(name: string): ReturnType<FakeCaches["open"]> {
    await step(`open ${name}`);
    return super.open(name);
  }

  get entries(): string[] {
    return [...this.stores.values()].flatMap((store) => [...store.keys()]);
  }

  /** What is here, whatever the bundles are numbered. */
  get state(): string {
    const numbers = [...new Set(this.entries.map((url) => url.split("/").at(-2)))].sort();
    return [...this.entries.map((url) => url.split("/").map((part) => (numbers.includes(part) ? numbers.indexOf(part) : part)).join("/")), ...this.seen].join();
  }

  /** The highest release that was seen here. */
  get seen(): number[] {
    const [bytes] = [...(this.stores.get(VERDICTS_NAME)?.values() ?? [])];
    return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as number[]) : [0, 0];
  }
}

const { subtle } = crypto;
const real = { verify: subtle.verify.bind(subtle), digest: subtle.digest.bind(subtle) };
subtle.verify = async (...given: Parameters<SubtleCrypto["verify"]>) => (await step("verify"), real.verify(...given));
subtle.digest = async (...given: Parameters<SubtleCrypto["digest"]>) => (await step("hash"), real.digest(...given));
afterEach(() => void Reflect.deleteProperty(globalThis, "caches"));

interface Visit {
  /** What the host has; nothing if it is down. */
  host: Files | undefined;
  trust: Trust;
  /** Whether the engine recommends what the manifest says. */
  passes?: (name: unknown) => boolean;
  /** The page opens this first, and stays open. */
  first?: Files;
}

/** What a page of a device does until it has a bundle in use; the bundle's name and why it is not the host's. */
async function visit({ host, trust, passes = () => true, first }: Visit): Promise<{ name: unknown; stale: string | undefined }> {
  const from = (files: Files | undefined): typeof fetch => async (input) => {
    const name = String(input).slice(URL.length);
    await step(`ask for ${name}`);
    if (!files) throw new TypeError("the host is down");
    const bytes = files.get(name);
    await step(`get ${name}`);
    return new Response(bytes ?? null, { status: bytes ? 200 : 404 });
  };
  const options: BundleOptions = { trust, cache: new KeptBundles(), patienceMs: 4_000, stallMs: 4_000, lot: 0 };
  if (first) await use(new BundleSource(URL, { ...options, fetch: from(first) }), passes);
  const source = new BundleSource(URL, { ...options, fetch: from(host), fallback: first === undefined });
  return use(source, passes);
}

async function use(source: BundleSource, passes: (name: unknown) => boolean): Promise<{ name: unknown; stale: string | undefined }> {
  for (;;) {
    const { manifest, files, entries } = await source.open();
    for (const { name, sha256 } of entries) equal(createHash("sha256").update(files.get(name)!).digest("hex"), sha256, name);
    const name = nameIn(manifest);
    await step("self-test");
    if (passes(name)) {
      await source.accept();
      return { name, stale: source.stale?.code };
    }
    const error = new IngleError("delivery/self-test", "it is not what the manifest says");
    if (!(await source.refuse(error))) throw error;
  }
}

/** Runs a page of a device to its end. */
async function run<T>(device: Device, page: Page, work: () => Promise<T>): Promise<T | undefined> {
  Object.assign(globalThis, { caches: device });
  forgetSeen();
  const done = PAGE.run(page, work);
  return Promise.race([done, page.ended.then(() => undefined)]);
}

/** The next visit of a copy of the device, which nothing ends. */
async function next(device: Device, how: Visit): Promise<{ name: unknown; stale: string | undefined; device: Device }> {
  const copy = new Device(device);
  const found = await run(copy, new Page(), () => visit(how).catch((error: IngleError) => ({ name: undefined, stale: error.code })));
  return { ...found!, device: copy };
}

interface Move {
  /** What the device has before: the golden bundle as release 1, or nothing. */
  before: boolean;
  /** What the shop does meanwhile. */
  publish(shop: Shop): void;
  /** What is in use afterwards. */
  after: string;
  release: [number, number];
  /** Whether the page that moves has the release before in use. */
  stays?: boolean;
  passes?: (name: unknown) => boolean;
}

const MOVES: Record<string, Move> = {
  "the first release": { before: false, publish: () => {}, after: "golden", release: [1, 1] },
  "the next release, whole": { before: true, publish: (shop) => shop.publish(goldenNext()), after: "golden next", release: [1, 2] },
  "the next release, by a delta": { before: true, publish: (shop) => void shop.follow(goldenNext()), after: "golden next", release: [1, 2] },
  "the next release of the same files": { before: true, publish: (shop) => shop.publish(goldenAgain()), after: "golden again", release: [1, 2] },
  "the next release in a page that stays open": { before: true, publish: (shop) => void shop.follow(goldenNext()), after: "golden next", release: [1, 2], stays: true },
  "a release of the next epoch's keys": {
    before: true,
    publish: (shop) => {
      shop.rotate({ ci: newKey() });
      shop.follow(goldenNext());
    },
    after: "golden next",
    release: [2, 2],
  },
  "a release that fails its self-test": { before: true, publish: (shop) => void shop.follow(goldenNext()), after: "golden", release: [1, 2], passes: (name) => name !== "golden next" },
};

for (const [what, { before, publish, after, release, stays = false, passes }] of Object.entries(MOVES)) {
  test(`a page that ends at any step of moving to ${what} leaves a whole release, no more, and none older than was seen`, { timeout: 240_000 }, async (t) => {
    const shop = new Shop();
    shop.publish(goldenFiles());
    const trust = shop.trust;
    const older = new Map(shop.files);
    const start = new Device();
    if (before) await run(start, new Page(), () => visit({ host: older, trust }));
    publish(shop);
    const how: Visit = { host: shop.files, trust, ...(passes && { passes }) };
    const moving: Visit = stays ? { ...how, first: older } : how;

    const whole = new Device(start);
    const path = new Page();
    equal((await run(whole, path, () => visit(moving)))?.name, after);
    const files = goldenFiles().size - 1;
    const looked = new Set<string>();
    const names = new Set([...(before ? ["golden"] : [undefined]), after]);
    const left = new Set<unknown>();
    for (let at = 0; at < path.trace.length; at++) {
      const device = new Device(start);
      const page = new Page(at);
      equal(await run(device, page, () => visit(moving)), undefined, `it ended at step ${at}`);
      // What was looked at need not be looked at again.
      if (looked.has(device.state)) continue;
      looked.add(device.state);
      const where = `${what}, ended before step ${at}: ${page.trace.at(-1)}`;

      // Without its host, the page has what is on the device.
      const alone = await next(device, { ...how, host: undefined });
      ok(names.has(alone.name as string | undefined), `${where}: ${String(alone.name)} is left`);
      left.add(alone.name);
      // With it, it arrives, and nothing else is left over.
      const arrived = await next(device, how);
      equal([arrived.name, arrived.device.seen], [after, release], where);
      equal(arrived.device.entries.filter((url) => url.endsWith("/manifest.json")).length, 1, where);
      ok(arrived.device.entries.length <= whole.entries.length + files, `${where}: ${arrived.device.entries.join("\n")}`);
      const { now } = Date;
      Date.now = () => now() + 2 * 3_600_000;
      const later = await next(arrived.device, how).finally(() => (Date.now = now));
      equal([later.name, later.device.entries.length], [after, whole.entries.length], `${where}, two hours later`);
      // A host that has only the release before does not take the device back.
      if (before) {
        const offered = await next(device, { ...how, host: older });
        equal(offered.name, alone.name, where);
        equal(offered.stale, device.seen.join() === release.join() ? "delivery/rollback" : undefined, where);
      }
      if (alone.name === after && after !== "golden") equal(device.seen, release, `${where}: what is kept was seen`);
      equal([...new Set(device.stores.keys())].every((name) => [CACHE_NAME, VERDICTS_NAME].includes(name)), true);
    }
    equal(left, names, "both were left somewhere");
    t.diagnostic(`${path.trace.length} steps, ${looked.size} states of the device`);
  });
}
