// What hosts are asked for: nothing but the classes of requests of docs/guides/privacy.md, whoever visits and whatever
// was clicked. `INGLE_VISITS` says how many visits each browser makes (./build.sh bench requests).

import { after, before, describe, test } from "node:test";
import { equal, ok, until } from "../check.js";
import { type Asked, COOKIE, Hosts, type Manner, SOLD } from "./hosts.js";
import { BROWSERS, ChromiumVisitor, launch, type Running, SWIFTSHADER, type Visitor } from "./harness.js";
import type { Plan, Step, VisitPage } from "./visits.js";

const VISITS = Number(process.env["INGLE_VISITS"] ?? 20);
const SEED = Number(process.env["INGLE_SEED"] ?? 1);
const CONSENTS = ["granted", "session", "denied"] as const;
/** A busy machine takes its time for a visit, in milliseconds. */
const VISIT_MS = 60_000;

type Consent = (typeof CONSENTS)[number];

/** Numbers from 0 to 1 from a seed (mulberry32). */
function chance(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const plain: Plan = { bundle: "/b/", options: { engine: "cpu" }, shelf: { k: "40" }, waits: true, steps: [], updates: 0 };

/** A page that calls into itself; `K` is one of its functions. */
function call<K extends keyof VisitPage>(visitor: Visitor, name: K, ...args: Parameters<VisitPage[K]>): Promise<Awaited<ReturnType<VisitPage[K]>>> {
  const run = ([name, args]: [string, unknown[]]): unknown => (globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> }).page[name]?.(...args);
  return visitor.tab.evaluate(run, [name, args] as [string, unknown[]]) as Promise<Awaited<ReturnType<VisitPage[K]>>>;
}

/** Opens the shop's page and does what is planned. */
async function open(hosts: Hosts, visitor: Visitor, plan: Partial<Plan>): Promise<void> {
  await visitor.tab.goto(hosts.url);
  await visitor.loaded();
  await call(visitor, "run", { ...plain, ...plan });
}

/** One visit by a new page of this visitor, and what hosts were asked for over it once all of `due` has been. */
async function visit(hosts: Hosts, visitor: Visitor, plan: Partial<Plan>, due?: (asked: Asked[]) => boolean): Promise<Asked[]> {
  const from = hosts.asked.length;
  await open(hosts, visitor, plan);
  const asked = (): Asked[] => hosts.asked.slice(from);
  // What is fetched beside the visit may come after its end; what is missing is told by who compares.
  if (due) await until(async () => due(asked()), "requests", 5_000).catch(() => {});
  // A page that is left while its bundle is being written leaves a part of it.
  if (plan.options?.consent === "granted" && !plan.steps) await until(async () => (await call(visitor, "keptNames")).some((url) => url.endsWith("/manifest.json")), "the bundle is kept", VISIT_MS);
  await visitor.tab.goto("about:blank");
  return asked();
}

const names = (asked: Asked[]): string[] => asked.filter(({ path }) => path.startsWith("/b/")).map(({ path }) => path.slice(3)).sort();
const filesOf = (hosts: Hosts): string[] => [...hosts.files.keys()].filter((name) => name !== "manifest.json");

/** What browsers send with everything: what they are, what they take, and which way a request came about. */
const BROWSERS_OWN = /^(host|connection|user-agent|accept|accept-language|accept-encoding|origin|cache-control|pragma|priority|sec-fetch-(dest|mode|site)|sec-ch-ua(-mobile|-platform)?)$/;

/** Checks one request by itself. */
function isPlain({ method, path, headers, body }: Asked): void {
  equal([method, body, path.includes("?")], ["GET", 0, false], path);
  ok(!JSON.stringify(headers).includes("visitor"), `${path} tells the host's own mark: ${JSON.stringify(headers)}`);
  // Scripts are loaded by the browser as the page's own, with the shop's cookie and the page's address.
  if (/^\/($|visits\.js|ingle\/.*\.js$)/.test(path)) return ok(headers.cookie === undefined || headers.cookie === COOKIE, `${path}: ${headers.cookie}`);
  equal(Object.keys(headers).filter((header) => !BROWSERS_OWN.test(header)), [], path);
}

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, () => {
    let browser: Running, hosts: Hosts;
    before(async () => ([browser, hosts] = await Promise.all([start(), Hosts.open()])));
    after(async () => {
      await browser.close();
      await hosts.close();
    });

    const arrive = (): Promise<Visitor> => browser.arrive({ url: hosts.url, requests: [], close: async () => {} });

    /** The table of the guide: who asks for the files again, by what the host says of them. */
    const classes: [Manner, Consent, "nothing" | "all"][] = [
      ["immutable", "granted", "nothing"],
      ["immutable", "session", "nothing"],
      ["immutable", "denied", "nothing"],
      ["revalidated", "session", "nothing"],
      ["stale", "session", "nothing"],
      ["forbidden", "granted", "nothing"],
      ["forbidden", "session", "all"],
      ["forbidden", "denied", "all"],
    ];
    for (const [manner, consent, again] of classes) {
      test(`files that are ${manner}, consent ${consent}: a returning visit asks for the manifest and ${again} of them, an update for what is new`, { timeout: 4 * VISIT_MS }, async () => {
        Object.assign(hosts, { manner });
        hosts.deploy(0);
        const visitor = await arrive();
        const plan = { options: { ...plain.options, consent } };
        const first = filesOf(hosts);
        const visits = [await visit(hosts, visitor, plan), await visit(hosts, visitor, plan)];
        hosts.deploy(1);
        visits.push(await visit(hosts, visitor, plan));
        const fresh = filesOf(hosts).filter((file) => !first.includes(file));
        equal(fresh.length, 1);
        equal(visits.map(names), [
          [...first, "manifest.json"].sort(),
          again === "all" ? [...first, "manifest.json"].sort() : ["manifest.json"],
          again === "all" ? [...filesOf(hosts), "manifest.json"].sort() : [...fresh, "manifest.json"],
        ]);
        for (const asked of visits) {
          asked.forEach(isPlain);
          equal(asked.find(({ path }) => path.startsWith("/b/"))?.path, "/b/manifest.json", "the manifest comes first");
        }
        await visitor.leave();
      });
    }

    test("two marks of the browser's cache cannot be refused, and are told of in the guide", { timeout: 4 * VISIT_MS }, async () => {
      Object.assign(hosts, { manner: "immutable", dictionaries: true });
      hosts.deploy(0);
      const marked = await arrive();
      await visit(hosts, marked, {});
      const [manifest] = await visit(hosts, marked, {}).then((asked) => asked.filter(({ path }) => path.startsWith("/b/")));
      await marked.leave();
      hosts.dictionaries = false;
      const headers = (asked: Asked | undefined): string[] => Object.keys(asked?.headers ?? {}).filter((header) => !BROWSERS_OWN.test(header));
      equal(headers(manifest), name === "Chromium" ? ["available-dictionary"] : []);

      const leaving = await arrive();
      hosts.breakAfter = 400_000;
      await leaving.tab.goto(hosts.url);
      await leaving.loaded();
      const from = hosts.asked.length;
      void call(leaving, "run", { ...plain, waits: false }).catch(() => {});
      await until(async () => hosts.breakAfter === undefined, "the model's file is being sent");
      // The page is left while the file is half there.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await leaving.tab.goto("about:blank");
      const asked = await visit(hosts, leaving, {});
      const model = [...hosts.asked.slice(from, -asked.length), ...asked].filter(({ path }) => path.startsWith("/b/model-"));
      equal([...new Set(model.flatMap(headers))].sort(), ["if-range", "range"], "of a file that broke off, and of nothing else");
      ok(asked.filter(({ path }) => !path.startsWith("/b/model-")).every((one) => /\.js$|^\/$/.test(one.path) || headers(one).length === 0), "nothing else");
      await leaving.leave();
    });

    test("images of all products are fetched alike, and cards show what came", { timeout: VISIT_MS }, async () => {
      Object.assign(hosts, { manner: "immutable", imagesOn: "elsewhere" });
      const visitor = await arrive();
      const asked: string[][] = [];
      for (const items of [["sku-1", "sku-2"], ["sku-150"]]) {
        const from = hosts.asked.length;
        await open(hosts, visitor, { shelf: { k: "40", images: "image" }, steps: [{ does: "record", events: items.map((item) => ({ item })) }, { does: "scroll" }] });
        await until(async () => (await call(visitor, "cards")).every(({ image }) => image?.startsWith("blob:")), "images");
        ok((await call(visitor, "cards")).length > 0, "something is recommended");
        const images = hosts.asked.slice(from).filter(({ path }) => path.startsWith("/images/"));
        images.forEach(isPlain);
        asked.push(images.map(({ path }) => path).sort());
      }
      equal(asked, [0, 1].map(() => SOLD.map((item) => `/images/${item}.gif`).sort()));
      await visitor.leave();
      hosts.imagesOn = "shop";
    });

    test("an image that is shown is asked for without cookie and referrer, of those on the shelf alone", { timeout: VISIT_MS }, async () => {
      Object.assign(hosts, { manner: "immutable", imagesOn: "elsewhere" });
      const visitor = await arrive();
      const from = hosts.asked.length;
      await open(hosts, visitor, { steps: [{ does: "scroll" }] });
      const images = (): Asked[] => hosts.asked.slice(from).filter(({ path }) => path.startsWith("/images/"));
      await until(async () => images().length > 0, "images");
      images().forEach(isPlain);
      const shown = (await call(visitor, "cards")).map(({ item }) => `/images/${item}.gif`);
      ok(images().every(({ path }) => shown.includes(path)), "this is what they tell");
      await visitor.leave();
      hosts.imagesOn = "shop";
    });

    test("a products file is asked for when the page loads, and one that is missing again by the clock, whatever is clicked", { timeout: VISIT_MS }, async () => {
      hosts.products = false;
      const visitor = await arrive();
      const from = hosts.asked.length;
      const products = (): number => hosts.asked.slice(from).filter(({ path }) => path === "/products.json").length;
      // Nothing is scrolled to: the shelf is not on the screen.
      await open(hosts, visitor, {});
      await until(async () => products() === 1, "the file is asked for");
      const begun = Date.now();
      const click: Step = { does: "record", events: [{ item: "sku-1" }, { item: "sku-2", type: "cart" }] };
      await call(visitor, "act", [{ does: "scroll" }, click, click, click, { does: "forget" }]);
      const early = Date.now() - begun < 4_000;
      if (early) equal(products(), 1);
      hosts.products = true;
      await until(async () => (await call(visitor, "cards")).length > 0, "the shelf is drawn once the file is there", 30_000);
      equal(products(), 2);
      await visitor.leave();
    });

    test("a host that fails is not asked more often by those who click more", { timeout: 4 * VISIT_MS }, async () => {
      const asked: string[][] = [];
      const busy: Step[] = [{ does: "ask" }, { does: "record", events: [{ item: "sku-1" }, { item: "sku-2" }] }, { does: "scroll" }, { does: "ask" }, { does: "forget" }, { does: "ask" }];
      const isManifest = (path: string): boolean => path === "/b/manifest.json";
      hosts.failing = 503;
      for (const steps of [[], busy]) {
        const visitor = await arrive();
        const from = hosts.asked.length;
        const begun = Date.now();
        await open(hosts, visitor, { steps });
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        const paths = hosts.asked.slice(from).map(({ path }) => path);
        // The page, the engine and what answers without one ask, two of them with one request where they meet; then it is
        // asked for again by the clock, after 5 s, 20 s and 80 s.
        const byTheClock = [5_000, 20_000, 80_000].filter((ms) => Date.now() - begun >= ms).length;
        const manifests = paths.filter(isManifest).length;
        ok(manifests >= 2 && manifests <= 3 + byTheClock, `the manifest is asked for ${manifests} times`);
        await visitor.leave();
        asked.push(paths.filter((path) => !path.startsWith("/images/") && !isManifest(path)).sort());
      }
      hosts.failing = undefined;
      equal(asked[1], asked[0]);
    });

    test(`${VISITS} visits with different histories, consents and events ask for the same, in the same words`, { timeout: VISITS * VISIT_MS }, async (t) => {
      const random = chance(SEED);
      const pick = <T>(among: readonly T[]): T => among[Math.floor(random() * among.length)]!;
      const count = (below: number): number => Math.floor(random() * below);
      const tally = new Map<string, { visits: number; requests: number }>();
      /** What was asked for beside the bundle at the first visit, and every address's headers. */
      let beside: string[] | undefined;
      const words = new Map<string, string>();

      for (let visits = 0; visits < VISITS; ) {
        const visitor = await arrive();
        const host = pick(["shop", "elsewhere"] as const);
        const had = new Set<string>();
        hosts.manner = pick(["immutable", "revalidated", "stale"] as const);
        let release = count(3);
        for (let nth = 0, stay = 1 + count(6); nth < stay && visits < VISITS; nth++, visits++) {
          if (nth > 0 && random() < 0.3) release++;
          hosts.deploy(release);
          const consent = pick(CONSENTS);
          const plan = { ...planned(random, consent), bundle: hosts.bundleAt(host) };
          const files = filesOf(hosts).filter((file) => !had.has(file));
          const due = [...files, ...Array.from({ length: 1 + plan.updates }, () => "manifest.json")].sort();
          const images = SOLD.length;
          const asked = await visit(hosts, visitor, plan, (asked) => asked.filter(({ path }) => path.startsWith("/images/")).length === images && names(asked).length === due.length);

          const where = `visit ${visits} of seed ${SEED}: ${JSON.stringify(plan)}`;
          equal(names(asked), due, where);
          // By the browser's own log, too, nothing went anywhere else.
          if (visitor instanceof ChromiumVisitor) ok(visitor.requests.every((request) => /^(blob|data):/.test(request.url()) || hosts.origins.includes(new URL(request.url()).origin)), where);
          asked.forEach(isPlain);
          const bundle = asked.filter(({ path }) => path.startsWith("/b/"));
          ok(bundle.every((one) => one.host === host) && bundle[0]?.path === "/b/manifest.json", where);
          const others = asked.filter(({ path }) => !path.startsWith("/b/")).map(({ path }) => path).sort();
          // Another bundle is opened by an engine of its own.
          const again = others.filter((path, n) => path === others[n - 1]);
          ok(again.length <= 2 * plan.updates && again.every((path) => /^\/ingle\/(worker-cpu\.js|cpu\.wasm)$/.test(path)), `${again} again, ${where}`);
          const once = [...new Set(others)];
          equal(once, (beside ??= once), where);
          for (const { host, path, headers } of asked) {
            const { host: _, referer, ...rest } = headers;
            // Which of two scripts was the first to import a third is chance.
            ok(referer === undefined || /^\/(|visits\.js|ingle\/[\w-]+\.js)$/.test(new URL(referer).pathname), `${path} has the referrer ${referer}`);
            // The file's name is its hash: what is asked of one is asked of all.
            const address = `${host} ${path.replace(/^\/b\/(?!manifest).*/, "/b/FILE").replace(/^\/images\/.*/, "/images/IMAGE")}`;
            const said = JSON.stringify(Object.entries(rest).sort());
            equal(said, words.get(address) ?? said, `${path}, ${where}`);
            words.set(address, said);
          }
          const kind = `${nth === 0 ? "first" : files.length > 0 ? "update" : "returning"}, ${consent}, bundle on ${host === "shop" ? "the shop's origin" : "another origin"}`;
          const sum = tally.get(kind) ?? { visits: 0, requests: 0 };
          tally.set(kind, { visits: sum.visits + 1, requests: sum.requests + asked.length });
          for (const file of files) had.add(file);
        }
        await visitor.leave();
      }
      for (const [kind, { visits, requests }] of [...tally].sort()) t.diagnostic(`${kind}: ${visits} visits, ${requests} requests`);
      t.diagnostic(`${VISITS} visits, ${[...tally.values()].reduce((sum, { requests }) => sum + requests, 0)} requests, ${words.size} kinds of address`);
    });
  });
}

test("the GPU engine is asked for once by every device, whatever was clicked, and again only if it won or all is forgotten", { timeout: 10 * VISIT_MS }, async () => {
  const [browser, hosts] = await Promise.all([launch(SWIFTSHADER), Hosts.open()]);
  const plan: Partial<Plan> = { options: { engine: "auto", consent: "granted" }, gpu: true };
  const engines = (asked: Asked[]): string[] => asked.map(({ path }) => path).filter((path) => /(cpu|gpu)\.(js|wasm)$/.test(path)).sort();
  const CPU = ["/ingle/cpu.wasm", "/ingle/worker-cpu.js"];
  const BOTH = [...CPU, "/ingle/gpu.wasm", "/ingle/worker-gpu.js"].sort();
  for (const items of [[], Array.from({ length: 40 }, (_, n) => `sku-${n * 7}`)]) {
    const visitor = await ChromiumVisitor.arrive(browser, { url: hosts.url, requests: [], close: async () => {} });
    const steps: Step[] = [{ does: "record", events: items.map((item) => ({ item })) }, { does: "ask" }];
    const from = hosts.asked.length;
    await open(hosts, visitor, { ...plan, steps });
    const verdict = async (): Promise<string[]> => (await call(visitor, "kept")).filter((entry) => entry.startsWith("ingle-engines"));
    await until(async () => (await verdict()).length > 0, "both are timed", 4 * VISIT_MS);
    const [kept = ""] = await verdict();
    equal(JSON.parse(kept.slice(kept.indexOf("{")).replace(/"[0-9a-f]{64}"/, '"HASH"')), { on: "HASH", faster: (await call(visitor, "status")).gpu.state === "slower" ? "cpu" : "gpu" }, "nothing else lies there");
    equal(engines(hosts.asked.slice(from)), BOTH);
    const { gpu } = await call(visitor, "status");
    const won = gpu.state === "ready";
    const again = await visit(hosts, visitor, { ...plan, steps }, (asked) => engines(asked).length >= (won ? 4 : 2));
    equal(engines(again), won ? BOTH : CPU);
    await open(hosts, visitor, { ...plan, steps: [{ does: "forget" }] });
    equal(await verdict(), [], "forgotten with the history");
    const later = hosts.asked.length;
    await open(hosts, visitor, plan);
    await until(async () => (await verdict()).length > 0, "both are timed anew", 4 * VISIT_MS);
    equal(engines(hosts.asked.slice(later)), BOTH);
    await call(visitor, "act", [{ does: "consent", consent: "session" }]);
    equal(await call(visitor, "kept"), [], "no cache has anything once consent is taken back");
    await visitor.leave();
  }
  await browser.close();
  await hosts.close();
});

/** A visit by chance: what is done, how often and in which order. */
function planned(random: () => number, consent: Consent): Plan {
  const count = (below: number): number => Math.floor(random() * below);
  const item = (): string => (random() < 0.9 ? `sku-${count(300)}` : `unknown ${count(1e9)}`);
  const type = (): string => ["view", "click", "cart", "purchase", "remove"][count(5)]!;
  const step = (): Step => {
    const chance = random();
    if (chance < 0.35) return { does: "record", events: Array.from({ length: 1 + count(30) }, () => ({ item: item(), type: type(), at: Date.now() - count(1e9) })) };
    if (chance < 0.45) return { does: "look", item: item() };
    if (chance < 0.65) return { does: "ask" };
    if (chance < 0.75) return { does: "scroll" };
    if (chance < 0.85) return { does: "forget", ...(random() < 0.5 && { item: item() }) };
    if (chance < 0.92) return { does: "consent", consent: CONSENTS[count(3)]! };
    return { does: (["pause", "resume", "export"] as const)[count(3)]! };
  };
  const steps = Array.from({ length: count(12) }, step);
  return { ...plain, options: { engine: "cpu", consent }, shelf: { k: "40", images: "image" }, waits: random() < 0.5, steps, updates: random() < 0.2 ? 1 : 0 };
}
