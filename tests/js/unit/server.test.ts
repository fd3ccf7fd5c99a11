// What a server that renders a shop's pages for many shoppers sees of the package: real processes, the published files.

import { test } from "node:test";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { equal, ok } from "../check.js";
import { root } from "../golden.js";

/** Runs code in a process of its own and returns what it prints as JSON; a process that does not end by itself fails. */
async function serve(code: string, before = ""): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", `${before}\n${WATCH}\n${code}`], { cwd: root, timeout: 60_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/** Counts everything by which a module could reach out of itself. */
const WATCH = `
const used = [];
for (const name of ["fetch", "BroadcastChannel", "Worker", "setTimeout", "setInterval", "addEventListener"]) {
  const real = globalThis[name];
  if (real === undefined && name !== "Worker") continue;
  globalThis[name] = new Proxy(real ?? class {}, {
    apply: (target, self, given) => (used.push(name), Reflect.apply(target, self, given)),
    construct: (target, given) => (used.push(name), Reflect.construct(target, given)),
  });
}
const globals = new Set(Object.getOwnPropertyNames(globalThis));
const found = () => ({ used, globals: Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name)), open: process.getActiveResourcesInfo().filter((kind) => /Timeout|MessagePort|TCP|TLS/.test(kind)) });
`;

const NOTHING = { used: [], globals: [], open: [] };

/** Servers by what they have that a page has as well. */
const SERVERS: Record<string, string> = {
  Node: "",
  "an edge worker, which is called a worker scope": "globalThis.WorkerGlobalScope = class {}; globalThis.self = globalThis; globalThis.caches = { open() { throw new Error('touched'); } };",
  "Deno with an address": "globalThis.location = new URL('https://shop.example/'); globalThis.Deno = {};",
};

for (const [name, before] of Object.entries(SERVERS)) {
  test(`two shoppers of one process never meet, and nothing is asked for (${name})`, async () => {
    const code = `
      const { createRecommender } = await import("ingle");
      const one = createRecommender("/recommender/", { consent: "granted" });
      const other = createRecommender("https://shop.example/recommender/");
      const kept = await one.record({ item: "sku-42", type: "cart" });
      await one.consent("granted");
      await one.record([{ item: 8102 }]);
      const answers = [];
      for (const shopper of [one, other]) {
        const stop = shopper.observe();
        stop();
        await shopper.pause();
        await shopper.resume();
        answers.push(await shopper.history(), await shopper.recommend({ k: 3 }), await shopper.similar("a"), await shopper.complete([1]), await shopper.popular(), await shopper.recentlyViewed(), await shopper.explain(), (await shopper.export()).events, await shopper.update());
        await shopper.forget();
      }
      answers.push((await one.rank(["b", 7])).map(({ item, source }) => [item, source]));
      answers.push(await one.affinities(() => "all"));
      const ready = await one.ready.catch(({ code }) => code);
      const wrong = await one.record({ item: null }).catch(({ code }) => code);
      const { rung, bundle, storage, cpu, why } = one.status;
      one.dispose();
      const after = await one.history().catch(({ code }) => code);
      console.log(JSON.stringify({ kept, answers, ready, wrong, status: [rung, bundle, storage.kind, cpu.state], why, after, found: found() }));`;
    const { why, ...told } = (await serve(code, before)) as { why: string };
    const none = [[], [], [], [], [], [], [], [], false];
    equal(told, { kept: false, answers: [...none, ...none, [["b", "given"], ["7", "given"]], []], ready: "engine/server", wrong: "input/item", status: ["recent", null, "none", "off"], after: "disposed", found: NOTHING });
    ok(why.includes("server"), why);
  });
}

test("every module can be imported and the elements' classes used, without a document", async () => {
  const code = `
    for (const name of ["ingle", "ingle/element", "ingle/element/define", "ingle/inline", "ingle/worker", "ingle/react", "ingle/vue"]) await import(name);
    const { define, IngleShelf, InglePrivacy } = await import("ingle/element");
    define();
    console.log(JSON.stringify({ names: [new IngleShelf(), new InglePrivacy()].length, attributes: IngleShelf.observedAttributes.includes("kind"), found: found() }));`;
  const told = (await serve(code)) as { found: { used: string[]; open: string[] } };
  // React schedules by itself; what Ingle does must not be among it.
  equal({ ...told, found: told.found.open }, { names: 2, attributes: true, found: [] });
  ok(!told.found.used.some((name) => ["fetch", "BroadcastChannel", "Worker", "setInterval"].includes(name)), told.found.used.join());
});

test("React renders a page with the hooks on a server, empty and the same for every shopper", async () => {
  const code = `
    const { createElement: h } = await import("react");
    const { renderToString } = await import("react-dom/server");
    const { IngleProvider, useRecommendations, useView, useStatus, useExplanations } = await import("ingle/react");
    function Shelf({ id }) {
      useView(id);
      const { data, loading } = useRecommendations({ kind: "similar", items: id });
      return h("p", { "data-loading": String(loading), "data-status": String(useStatus()) }, String(data.length + useExplanations().data.length));
    }
    const page = (id) => renderToString(h(IngleProvider, { src: "/recommender/" }, h(Shelf, { id })));
    console.log(JSON.stringify({ pages: [page("sku-42"), page(8102)], used: used.filter((name) => /fetch|Channel|Worker/.test(name)) }));`;
  const page = '<p data-loading="true" data-status="null">0</p>';
  equal(await serve(code), { pages: [page, page], used: [] });
});

test("Vue renders a page with the composables on a server, and a recommender of its setup keeps nothing", async () => {
  const code = `
    const { createSSRApp, h } = await import("vue");
    const { renderToString } = await import("vue/server-renderer");
    const { createIngle, useRecommendations, useView, useStatus } = await import("ingle/vue");
    const { createRecommender } = await import("ingle");
    const page = async (id) => {
      const app = createSSRApp({
        async setup() {
          useView(id);
          const { data, loading } = useRecommendations({ kind: "similar", items: id });
          const own = createRecommender("/recommender/");
          await own.record({ item: id, type: "cart" });
          const history = await own.history();
          return () => h("p", { "data-loading": String(loading.value) }, String(data.value.length + history.length));
        },
      });
      app.use(createIngle("/recommender/"));
      return renderToString(app);
    };
    console.log(JSON.stringify({ pages: [await page("sku-42"), await page(8102)], used: used.filter((name) => /fetch|Channel|Worker/.test(name)) }));`;
  const page = '<p data-loading="true">0</p>';
  equal(await serve(code), { pages: [page, page], used: [] });
});
