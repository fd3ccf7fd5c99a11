// Three tabs open, update and keep a bundle while a shop deploys twice: whatever comes after what, the cache has a
// whole bundle, and the newest one in the end.
//
// The package's own modules run against a cache, locks, timers and a host that wait, at every call, for their turn; a
// seed decides whose turn it is. INTERLEAVINGS says how many seeds.

import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type BundleOptions, BundleSource } from "../../../js/bundle/bundle.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import { FakeCaches } from "../caches.js";
import { equal, ok } from "../check.js";

const RUNS = Number(process.env["INTERLEAVINGS"] ?? 500);
const BASE = "https://shop.example/bundle/";
const VERSIONS = 3;
/** How long a bundle's host is waited for; see `js/bundle/bundle.ts`. */
const PATIENCE_MS = 3_000;

interface Bundle {
  manifest: Uint8Array<ArrayBuffer>;
  files: Map<string, Uint8Array<ArrayBuffer>>;
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Three releases, which have the ids in common. */
const BUNDLES: Bundle[] = Array.from({ length: VERSIONS }, (_, version) => {
  const contents = { model: encode(`model ${version}`), items: encode(`items ${version}`), ids: encode("ids") };
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const entries = Object.entries(contents).map(([role, bytes]) => {
    const hash = sha256(bytes);
    const name = `${role}-${hash.slice(0, 16)}.${role === "ids" ? "json" : "safetensors"}`;
    files.set(name, bytes);
    return { role, name, bytes: bytes.length, sha256: hash };
  });
  return { manifest: encode(JSON.stringify({ format: 1, name: `release ${version}`, files: entries })), files };
});

const versionOf = (manifest: Uint8Array): number => BUNDLES.findIndex((bundle) => Buffer.compare(bundle.manifest, manifest) === 0);

/** A body and no more: nothing here waits for anything but its turn. */
class PlainResponse {
  readonly type = "basic";
  readonly headers = new Headers();
  readonly body = null;
  readonly status: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>, { status = 200 }: { status?: number } = {}) {
    this.#bytes = bytes.slice();
    this.status = status;
  }

  get ok(): boolean {
    return this.status === 200;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }
}

interface Turn {
  tab: string;
  what: string;
  take: () => void;
}

/** Which tab the code at hand runs in: one for all runs, because every promise is told of each there is. */
const TAB = new AsyncLocalStorage<string>();

/** Who goes on next; tabs are told apart by the context that they run in. */
class Scheduler {
  readonly #random: () => number;
  readonly #dead = new Set<string>();
  #turns: Turn[] = [];
  readonly #timers = new Map<number, Turn & { ms: number }>();
  #timerId = 1;
  /** What went before, for who reads of a failure. */
  readonly trace: string[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  get tab(): string {
    return TAB.getStore() ?? "nobody";
  }

  run<T>(tab: string, work: () => Promise<T>): Promise<T> {
    return TAB.run(tab, work);
  }

  step = (what: string): Promise<void> => new Promise((take) => this.#turns.push({ tab: this.tab, what, take }));

  setTimer = (work: () => void, ms: number): number => {
    const id = this.#timerId++;
    // A host that says nothing for long is another test's.
    if (ms < 15_000) this.#timers.set(id, { tab: this.tab, what: `${ms} ms`, ms, take: work });
    return id;
  };

  clearTimer = (id: number): void => void this.#timers.delete(id);

  /** The tab is closed: nothing of it goes on. */
  kill(tab: string): void {
    this.#dead.add(tab);
    this.trace.push(`${tab} is closed`);
  }

  isDead(tab: string): boolean {
    return this.#dead.has(tab);
  }

  /** Lets one go on; says whether there was any. In `trouble` disks and locks may be slower than they are waited for. */
  next(trouble: boolean): boolean {
    this.#turns = this.#turns.filter(({ tab }) => !this.#dead.has(tab));
    // The host's bundle may always be slow where another is kept.
    const timers = [...this.#timers].filter(([, { tab, ms }]) => !this.#dead.has(tab) && (trouble || ms === PATIENCE_MS));
    const timer = this.#turns.length === 0 || this.#random() < 0.01 ? timers[Math.floor(this.#random() * timers.length)] : undefined;
    const turn = timer?.[1] ?? this.#turns.splice(Math.floor(this.#random() * this.#turns.length), 1)[0];
    if (timer) this.#timers.delete(timer[0]);
    if (!turn) return false;
    this.trace.push(`${turn.tab}: ${turn.what}`);
    TAB.run(turn.tab, turn.take);
    return true;
  }
}

/** The lock of the tabs; one that is closed lets go of it. */
class FakeLocks {
  readonly #scheduler: Scheduler;
  #owner: string | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  async request(_: string, { signal }: { signal: AbortSignal }, work: () => Promise<unknown>): Promise<unknown> {
    const { tab } = this.#scheduler;
    do {
      await this.#scheduler.step("waits for the lock");
      signal.throwIfAborted();
    } while (this.#owner !== undefined && !this.#scheduler.isDead(this.#owner));
    this.#owner = tab;
    try {
      return await work();
    } finally {
      this.#owner = undefined;
    }
  }
}

/** mulberry32. */
function randomOf(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Setting {
  locks: boolean;
  /** Whether tabs are closed over their work, requests fail, and disks and locks are slower than is waited for. */
  trouble: boolean;
}

interface Outcome {
  steps: number;
  /** How often another bundle became the one that counts. */
  switches: number;
  /** How often the host was asked again, because another tab had been faster. */
  askedAgain: number;
  /** The release that counts in the end. */
  last: number;
}

/** One run; throws as soon as the cache is not what it has to be. */
async function run(seed: number, { locks, trouble }: Setting): Promise<Outcome> {
  const random = randomOf(seed);
  const scheduler = new Scheduler(random);
  const caches = new FakeCaches(scheduler.step);
  const outcome: Outcome = { steps: 0, switches: 0, askedAgain: 0, last: -1 };
  let deployed = 0;
  const keepsOld = random() < 0.5;

  const host: typeof fetch = async (input) => {
    const name = String(input).slice(BASE.length);
    await scheduler.step(`asks for ${name}`);
    if (trouble && random() < 0.02) throw new TypeError("the network is gone");
    const served = BUNDLES.filter((_, version) => version === deployed || (keepsOld && version < deployed));
    const bytes = name === "manifest.json" ? BUNDLES[deployed]!.manifest : served.map(({ files }) => files.get(name)).find((found) => found);
    await scheduler.step(`gets ${name}`);
    return (bytes ? new PlainResponse(bytes) : new PlainResponse(encode(""), { status: 404 })) as unknown as Response;
  };

  const visit = async (): Promise<void> => {
    const cache = new KeptBundles();
    let late = false;
    const work = async (options: BundleOptions): Promise<void> => {
      late = false;
      let asked = 0;
      const fetch: typeof host = (input, init) => {
        if (String(input).endsWith("manifest.json") && asked++ > 0) outcome.askedAgain++;
        return host(input, init);
      };
      const source = new BundleSource(BASE, { ...options, fetch, cache, onLate: () => (late = true) });
      await source.open();
      await scheduler.step("loads its engine");
      await source.accept();
      // The GPU's engine opens the bundle as well.
      await source.open();
    };
    await work({}).catch(refused);
    const updates = random() < 0.5;
    await scheduler.step("stays open");
    if (late || updates) do await work({ fallback: false }).catch(refused);
    while (late);
  };
  // A host without old files fails who comes in the middle of a deploy.
  const refused = (error: unknown): void => {
    ok((error as { code?: string }).code?.startsWith("bundle/"), String(error));
  };

  const deploy = async (): Promise<void> => {
    while (deployed < VERSIONS - 1) {
      await scheduler.step("deploys");
      deployed++;
    }
  };

  const restore = stand({
    caches,
    Response: PlainResponse,
    navigator: locks ? { locks: new FakeLocks(scheduler) } : {},
    setTimeout: scheduler.setTimer,
    clearTimeout: scheduler.clearTimer,
    Math: Object.assign(Object.create(Math) as Math, { random }),
    Date: { now: () => 1e12 + outcome.steps },
    crypto: { subtle: { digest: async (_: string, bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()).buffer } },
  });
  let most = -1;
  /** Runs tabs until each has finished or is closed. */
  const together = async (works: Record<string, () => Promise<void>>, closing: boolean): Promise<void> => {
    const running = new Set(Object.keys(works));
    let failure: unknown;
    for (const [tab, work] of Object.entries(works)) {
      scheduler.run(tab, work).then(
        () => running.delete(tab),
        (error: unknown) => (failure ??= error),
      );
    }
    for (let dead = 0; ; outcome.steps++) {
      ok(outcome.steps < 10_000, "it comes to an end");
      await new Promise((resolve) => setImmediate(resolve));
      if (failure !== undefined) throw failure;
      const head = headOf(caches, most >= 0);
      if (head !== outcome.last) outcome.switches++;
      ok(!locks || trouble || head >= outcome.last, `release ${head} after release ${outcome.last}`);
      outcome.last = head;
      most = Math.max(most, head);
      if (running.size === 0) return;
      const tab = [...running][Math.floor(random() * running.size)]!;
      if (closing && tab !== "the shop" && dead < 2 && random() < 0.003) {
        dead++;
        scheduler.kill(tab);
        running.delete(tab);
      }
      if (running.size > 0) ok(scheduler.next(trouble), "somebody goes on");
    }
  };
  try {
    // Two of three shoppers have been here before.
    if (random() < 0.67) await together({ "an earlier visit": visit }, false);
    await together({ "tab 1": visit, "tab 2": visit, "tab 3": visit, "the shop": deploy }, trouble);
    equal(outcome.last, most, "the release that counts in the end");
    return outcome;
  } catch (error) {
    throw new Error(`seed ${seed}, ${JSON.stringify({ locks, trouble })}: ${String(error)}\n${scheduler.trace.slice(-80).join("\n")}`, { cause: error });
  } finally {
    restore();
  }
}

/** The release that counts, -1 for none; throws where a bundle is not whole, or none is left. */
function headOf(caches: FakeCaches, due: boolean): number {
  const store = caches.stores.get("ingle-bundles") ?? new Map<string, Uint8Array>();
  const manifests = [...store].filter(([url]) => url.endsWith("/manifest.json")).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [url, manifest] of manifests) {
    const bundle = BUNDLES[versionOf(manifest)];
    ok(bundle, `${url} is a manifest of the shop's`);
    for (const [name, bytes] of bundle.files) {
      const found = store.get(url.replace("manifest.json", name));
      ok(found && Buffer.compare(found, bytes) === 0, `${url} has its ${name}`);
    }
  }
  const last = manifests.at(-1);
  ok(last || !due, "a bundle is left");
  return last ? versionOf(last[1]) : -1;
}

/** Puts these in place of what the browser has; returns what puts that back. */
function stand(names: Record<string, unknown>): () => void {
  const before = Object.keys(names).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(names)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  };
}

const SETTINGS: Record<string, Setting> = {
  "with locks": { locks: true, trouble: false },
  "without locks": { locks: false, trouble: false },
  "with locks, while tabs are closed, requests fail and disks are slow": { locks: true, trouble: true },
  "without locks, while tabs are closed, requests fail and disks are slow": { locks: false, trouble: true },
};

for (const [n, [name, setting]] of Object.entries(SETTINGS).entries()) {
  test(`three tabs over two deploys never leave a cache without a whole bundle, nor the older one last, ${name}`, { timeout: 1_200_000 }, async (t) => {
    const total = { runs: 0, steps: 0, switches: 0, askedAgain: 0, newest: 0 };
    for (let seed = n; seed < RUNS; seed += Object.keys(SETTINGS).length) {
      const { steps, switches, askedAgain, last } = await run(seed, setting);
      total.runs++;
      total.steps += steps;
      total.switches += switches;
      total.askedAgain += askedAgain;
      if (last === VERSIONS - 1) total.newest++;
    }
    t.diagnostic(JSON.stringify(total));
    ok(total.runs > 0 && total.switches > total.runs && total.newest > total.runs / 4, "bundles were switched");
  });
}
