// Both engines on both threads against the native answers, and what happens when one cannot run.

import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RELEASE } from "../../../js/engine/release.js";
import { equal, ok } from "../check.js";
import { goldenAnswers, root, type Site } from "../golden.js";
import { BROWSERS, ChromiumVisitor, launch, type Running, serveShop, SWIFTSHADER, type Visitor } from "./harness.js";
import type { Extra } from "./site.js";

let site: Site, plain: Browser, gpu: Browser;
before(async () => ([site, plain, gpu] = await Promise.all([serveShop(), launch(), launch(SWIFTSHADER)])));
after(async () => {
  await Promise.all([plain.close(), gpu.close()]);
  await site.close();
});

const { bound, cases } = goldenAnswers();

const dist = join(root, "pkg/dist");

/** These files of the package as another build of it has them. */
function ofAnotherBuild(names: string[]): Extra {
  const other = [...RELEASE].reverse().join("");
  const latin = (name: string): string => readFileSync(join(dist, name), "latin1");
  const files = names.map((name) => [`/ingle/${name}`, latin(name)] as const).filter(([, text]) => text.includes(RELEASE));
  return Object.fromEntries(files.map(([url, text]) => [url, { body: Buffer.from(text.replaceAll(RELEASE, other), "latin1"), type: url.endsWith(".wasm") ? "application/wasm" : "text/javascript", headers: { "cache-control": "max-age=31536000" } }]));
}

const scripts = readdirSync(dist).filter((name) => name.endsWith(".js"));
const engines = scripts.filter((name) => name.startsWith("worker-"));

/** Files of one build beside those of another, and what is told of it. */
const BUILDS: Record<string, [string[], string]> = {
  "a wasm": [["cpu.wasm"], `The engine's wasm is of build ${[...RELEASE].reverse().join("")} of the package, and its script of build ${RELEASE}`],
  "every script": [scripts, `The engine's wasm is of build ${RELEASE} of the package, and its script of build`],
  "the engine's script": [engines, "The engine's script is of build"],
  "the page's scripts": [scripts.filter((name) => !engines.includes(name)), `The engine's script is of build ${RELEASE} of the package, and the page's of build`],
};

async function givesTheNativeAnswers(visitor: Visitor, engine: "cpu" | "gpu", thread: "worker" | "main", scorer: "cpu" | "gpu" = "cpu"): Promise<void> {
  const storage = { kind: "memory", collapseMs: 0, retain: 1000 } as const;
  const { status, failure } = await visitor.call("open", { engine, scorer, worker: thread === "worker", storage });
  equal([failure, status.rung, status[engine].state], [undefined, engine, "ready"], JSON.stringify(status));
  const state = status[engine];
  equal("thread" in state && [state.thread, state.scorer], [thread, scorer]);
  // The odd ones at the end, and some of each length.
  for (const { history, recommend, explain } of [...cases.slice(0, 21).filter((_, n) => n % 4 === 1), ...cases.slice(-3)]) {
    await visitor.call("forget");
    await visitor.call("visit", history);
    const got = await visitor.call("recommend");
    equal(got.map(({ item }) => item), recommend.map(({ item }) => item));
    // A history of unknown items is as good as none.
    const by = explain.some(({ known }) => known) ? engine : "popular";
    ok(got.every(({ score, source }, n) => Math.abs(score - recommend[n]!.probability) <= bound && source === by), `${JSON.stringify(got)} within ${bound}`);
    // The same as a list that has them backwards, with one that the bundle does not know in the middle.
    const list = recommend.map(({ item }) => item).reverse();
    const ranked = await visitor.call("rank", [...list.slice(0, 3), "?", ...list.slice(3)]);
    const due = [...recommend.slice(0, 3), undefined, ...recommend.slice(3)];
    ok(ranked.every(({ item, score, source }, n) => item === (due[n]?.item ?? "?") && Math.abs(score - (due[n]?.probability ?? 0)) <= bound && source === (due[n] ? by : "given")), JSON.stringify(ranked));
    const clicks = await visitor.call("explain");
    equal(clicks.map(({ item, known }) => [item, known]), explain.map(({ item, known }) => [item, known]));
    const near = (name: "noise" | "keep" | "prior" | "posterior"): boolean => clicks.every((click, n) => Math.abs((click[name] ?? 0) - (explain[n]![name] ?? 0)) <= bound);
    ok(near("noise") && near("keep") && near("prior") && near("posterior"), `verdicts: ${JSON.stringify(clicks)}`);
  }
  await visitor.leave();
}

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, () => {
    let browser: Running;
    before(async () => (browser = await start()));
    after(() => browser.close());

    for (const thread of ["worker", "main"] as const) {
      test(`the cpu engine on the ${thread} thread gives the native answers`, { timeout: 240_000 }, async () => givesTheNativeAnswers(await browser.arrive(site), "cpu", thread));
    }

    for (const [what, [files, told]] of Object.entries(BUILDS)) {
      test(`${what} of another build is told, and what is popular answers`, async (t) => {
        const mixed = await serveShop(undefined, ofAnotherBuild(files));
        t.after(() => mixed.close());
        const visitor = await browser.arrive(mixed);
        const { status, failure } = await visitor.call("open", { engine: "cpu" });
        equal([failure, "code" in status.cpu && status.cpu.code], ["engine/release", "engine/release"]);
        ok(JSON.stringify(status.cpu).includes(told), JSON.stringify(status.cpu));
        equal((await visitor.call("recommend", 3)).map(({ source }) => source), ["popular", "popular", "popular"]);
        await visitor.leave();
      });
    }

    test("a wasm of an earlier build that the browser has kept is asked for again", async (t) => {
      const extra = ofAnotherBuild(["cpu.wasm"]);
      const deployed = await serveShop(undefined, extra);
      t.after(() => deployed.close());
      const visitor = await browser.arrive(deployed);
      equal((await visitor.call("open", { engine: "cpu" })).failure, "engine/release");
      for (const url of Object.keys(extra)) delete extra[url];
      await visitor.reload();
      const { status, failure } = await visitor.call("open", { engine: "cpu" });
      equal([failure, status.rung], [undefined, "cpu"]);
      await visitor.leave();
    });

    test("every call of the API", { timeout: 240_000 }, async (t) => {
      const visitor = await browser.arrive(site);
      for (const call of await visitor.call("cases", "api")) await t.test(call, () => visitor.call("run", "api", call));
      await visitor.leave();
    });

    test("the engine's wasm may be", async (t) => {
      const visitor = await browser.arrive(site);
      for (const form of await visitor.call("cases", "wasm")) await t.test(form, () => visitor.call("run", "wasm", form));
      await visitor.leave();
    });
  });
}

test("the gpu engine gives the native answers where the GPU judges the clicks too", { timeout: 240_000 }, async () => givesTheNativeAnswers(await ChromiumVisitor.arrive(gpu, site), "gpu", "worker", "gpu"));

for (const thread of ["worker", "main"] as const) {
  test(`the gpu engine on the ${thread} thread gives the native answers`, { timeout: 240_000 }, async () => givesTheNativeAnswers(await ChromiumVisitor.arrive(gpu, site), "gpu", thread));
}

test("without an adapter the CPU answers, and status says why", async () => {
  for (const engine of ["auto", "gpu"] as const) {
    const visitor = await ChromiumVisitor.arrive(plain, site);
    await visitor.call("open", { engine });
    const status = await visitor.call("untilGpu", "absent");
    equal([status.rung, "code" in status.gpu && status.gpu.code], ["cpu", "gpu/no-adapter"]);
    ok(status.why.includes("no GPU"), status.why);
    equal((await visitor.call("recommend")).length, 10);
    ok(!visitor.requests.some((request) => request.url().includes("gpu")), "nothing of the GPU engine was downloaded");
    await visitor.leave();
  }
});

test("auto leaves one of two timed engines answering, or refuses a software adapter", { timeout: 120_000 }, async () => {
  const visitor = await ChromiumVisitor.arrive(gpu, site);
  await visitor.call("open", { engine: "auto" });
  const status = await visitor.call("untilGpu", "refused", "slower", "ready");
  if (status.gpu.state === "refused") equal(status.gpu.code, "gpu/software");
  equal((await visitor.call("recommend")).length, 10);
  await visitor.leave();
});

test("a GPU engine that cannot be loaded is retired, and the CPU answers", { timeout: 120_000 }, async () => {
  const visitor = await ChromiumVisitor.arrive(gpu, site);
  const { status, failure } = await visitor.call("open", { engine: "gpu", wasm: { gpu: "/ingle/nowhere.wasm" } });
  equal([failure, status.rung, status.gpu.state], [undefined, "cpu", "retired"]);
  equal("code" in status.gpu && status.gpu.code, "engine/wasm");
  ok((await visitor.call("recommend")).every(({ source }) => source === "popular"), "a stranger gets what is popular");
  await visitor.leave();
});

test("a browser without SIMD is told so before anything of an engine is downloaded, and shows what is popular", async () => {
  const context = await gpu.newContext();
  await context.addInitScript(() => (WebAssembly.validate = () => false));
  const visitor = await ChromiumVisitor.arriveIn(context, site);
  for (const engine of ["auto", "gpu"] as const) {
    const { failure } = await visitor.call("open", { engine });
    equal(failure, "engine/simd");
    equal((await visitor.call("recommend", 3)).map(({ source }) => source), ["popular", "popular", "popular"]);
    const { rung, why } = await visitor.call("status");
    equal([rung, why.includes("SIMD")], ["popular", true], why);
  }
  ok(!visitor.requests.some((request) => /worker|wasm/.test(request.url())), "no engine was downloaded");
  await visitor.leave();
});

test("a GPU process that crashes leaves the CPU answering the next call", { timeout: 240_000 }, async (t) => {
  const browser = await launch(SWIFTSHADER);
  t.after(() => browser.close());
  const visitor = await ChromiumVisitor.arrive(browser, site);
  const { status } = await visitor.call("open", { engine: "gpu" });
  equal(status.rung, "gpu");
  await visitor.call("visit", ["sku-42", "sku-7"]);
  const before = await visitor.call("recommend");
  equal(before[0]?.source, "gpu");
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  const after = await visitor.call("recommend");
  equal(after.map(({ item }) => item), before.map(({ item }) => item));
  const state = await visitor.call("status");
  ok(after[0]?.source === "cpu" || state.gpu.state === "ready", JSON.stringify(state));
});
