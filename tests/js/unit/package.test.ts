// The package as it is published, imported in Node: as a server that renders pages would, and with the
// real CPU engine on the main thread, since Node has no `Worker` global.

import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Ingle from "../../../js/index.js";
import { codeOf, equal, ok } from "../check.js";
import { filesUnder, goldenAnswers, goldenFiles, root, serveSite, type Site } from "../golden.js";

const before_import = new Set(Object.getOwnPropertyNames(globalThis));
const { createRecommender, IngleError } = (await import(pathToFileURL(join(root, "pkg/dist/index.js")).href)) as typeof Ingle;
const cpu = readFileSync(join(root, "pkg/dist/cpu.wasm"));

let site: Site;
before(async () => (site = await serveSite(filesUnder("/b/", goldenFiles()))));
after(() => site.close());

function open(options: Ingle.RecommenderOptions = {}, address = "b/"): Ingle.Recommender {
  return createRecommender(site.url + address, { wasm: { cpu }, storage: { kind: "memory", collapseMs: 0, maxAgeMs: Infinity }, ...options });
}

const close = (a: number, b: number) => Math.abs(a - b) <= goldenAnswers().bound;

test("importing it changes nothing", () => {
  const now = Object.getOwnPropertyNames(globalThis).filter((name) => !before_import.has(name));
  equal(now, []);
});

test("gives the native engine's answers", async () => {
  const recommender = open();
  const status = await recommender.ready;
  equal([status.rung, status.bundle?.name, status.bundle?.items], ["cpu", "golden", 300]);
  const { history, recommend, explain } = goldenAnswers().cases[9] ?? goldenAnswers().cases[0]!;
  for (const [at, item] of history.entries()) await recommender.record({ item, at });
  const got = await recommender.recommend();
  equal(got.map(({ item }) => item), recommend.map(({ item }) => item));
  ok(got.every(({ score, source }, n) => close(score, recommend[n]?.probability ?? NaN) && source === "cpu"), "scores and source");
  const clicks = await recommender.explain();
  equal(clicks.map(({ item, type, known }) => [item, type, known]), explain.map(({ item, known }) => [item, "view", known]));
  ok(clicks.every(({ noise, keep }, n) => close(noise, explain[n]?.noise ?? NaN) && close(keep, explain[n]?.keep ?? NaN)), "verdicts");
  recommender.dispose();
});

test("recommendations follow the history, and forgetting goes back to the start", async () => {
  const recommender = open();
  const popular = await recommender.recommend({ k: 5 });
  ok(popular.every(({ source }) => source === "popular"), "a stranger gets what is popular");
  await recommender.record({ item: "sku-42" });
  const personal = await recommender.recommend({ k: 5 });
  ok(JSON.stringify(personal) !== JSON.stringify(popular), "they changed");
  await recommender.forget();
  equal(await recommender.history(), []);
  equal((await recommender.recommend({ k: 5 })).map(({ item }) => item), popular.map(({ item }) => item));
  recommender.dispose();
});

test("honours k, exclude and includeSeen", async () => {
  const recommender = open();
  await recommender.record({ item: "sku-42" });
  const all = await recommender.recommend({ k: 1e6 });
  equal(all.length, 299);
  equal((await recommender.recommend({ k: 1e6, includeSeen: true })).length, 300);
  equal(await recommender.recommend({ exclude: new Set(all.map(({ item }) => item)) }), []);
  equal(await recommender.recommend({ k: 0 }), []);
  equal(await codeOf(recommender.recommend({ k: -1 })), "input/options");
  equal(await codeOf(recommender.recommend({ k: 1.5 })), "input/options");
  recommender.dispose();
});

test("keeps items that the bundle does not know, and says that it does not know them", async () => {
  const recommender = open();
  await recommender.record({ item: "new this morning" });
  equal((await recommender.explain()).map(({ known, noise, keep }) => [known, noise, keep]), [[false, 0, 0]]);
  equal((await recommender.recommend()).length, 10);
  recommender.dispose();
});

test("tells every change of history and status", async () => {
  const recommender = open();
  const told: string[] = [];
  recommender.addEventListener("change", ({ detail }) => told.push(`change ${detail.length}`));
  recommender.addEventListener("status", ({ detail }) => told.push(`cpu ${detail.cpu.state}`));
  await recommender.ready;
  await recommender.record({ item: "a", at: 1 });
  await recommender.record({ item: "b", at: 2 });
  await recommender.forget("a");
  ok(told.includes("cpu ready"), "the engine came up");
  equal(told.filter((line) => line.startsWith("change")), ["change 1", "change 2", "change 1"]);
  recommender.dispose();
});

test("without an engine the popular items answer, and status says why", async () => {
  const notWasm = new Uint8Array(16);
  const recommender = open({ wasm: { cpu: notWasm } });
  equal(await codeOf(recommender.ready), "engine/wasm");
  const native = goldenAnswers().cases[0]!.recommend;
  const got = await recommender.recommend();
  equal(got.map(({ item }) => item), native.map(({ item }) => item));
  ok(got.every(({ source, score }, n) => source === "popular" && close(score, native[n]?.probability ?? NaN)), "as the engine ranks them");
  equal([recommender.status.rung, recommender.status.cpu.state], ["popular", "retired"]);
  await recommender.record({ item: got[0]!.item });
  equal((await recommender.recommend({ k: 1 }))[0]?.item, got[1]!.item, "seen items are held back");
  equal(await codeOf(recommender.explain()), "engine/wasm");
  recommender.dispose();
});

test("without a bundle the items viewed last answer, latest first", async () => {
  const recommender = open({}, "nowhere/");
  equal(await codeOf(recommender.ready), "bundle/http");
  for (const [at, item] of ["a", "b", "a", "c"].entries()) await recommender.record({ item, at });
  const got = await recommender.recommend({ exclude: ["b"] });
  equal(got.map(({ item, source }) => [item, source]), [["c", "recent"], ["a", "recent"]]);
  equal(recommender.status.rung, "recent");
  ok(recommender.status.why.includes("404"), recommender.status.why);
  recommender.dispose();
});

test("a changed byte in the bundle is refused by its code", async () => {
  const files = goldenFiles();
  for (const [name, bytes] of files) if (name.startsWith("items")) bytes[bytes.length - 1]! ^= 1;
  const bad = await serveSite(filesUnder("/b/", files));
  const recommender = createRecommender(`${bad.url}b/`, { wasm: { cpu }, storage: { kind: "memory" } });
  equal(await codeOf(recommender.ready), "bundle/hash");
  recommender.dispose();
  await bad.close();
});

test("the same requests are made whatever the history holds", async () => {
  const visits: string[][] = [];
  for (const items of [["sku-1", "sku-2"], ["sku-299", "gone", "🧦"]]) {
    const from = site.requests.length;
    const recommender = open();
    for (const item of items) await recommender.record({ item });
    await recommender.recommend();
    await recommender.explain();
    await recommender.forget();
    recommender.dispose();
    visits.push(site.requests.slice(from).map(({ method, url }) => `${method} ${url}`).sort());
  }
  equal(visits[0], visits[1]);
});

test("a disposed recommender rejects every call, those under way too", async () => {
  const recommender = open();
  const underWay = recommender.recommend();
  await Promise.resolve();
  recommender.dispose();
  for (const call of [underWay, recommender.recommend(), recommender.explain(), recommender.history(), recommender.record({ item: "a" }), recommender.forget(), recommender.ready]) {
    equal(await codeOf(call), "disposed");
  }
});

test("an aborted signal disposes of it, with the signal's reason", async () => {
  const controller = new AbortController();
  const recommender = open({ signal: controller.signal });
  controller.abort(new Error("left the page"));
  equal(await recommender.ready.catch(({ message }: Error) => message), "left the page");
  equal(await recommender.recommend().catch(({ message }: Error) => message), "left the page");
});

test("an aborted call rejects alone", async () => {
  const recommender = open();
  const controller = new AbortController();
  const call = recommender.recommend({ signal: controller.signal });
  controller.abort(new Error("moved on"));
  equal(await call.catch(({ message }: Error) => message), "moved on");
  equal((await recommender.recommend()).length, 10);
  recommender.dispose();
});

test("wrong options are refused at once", () => {
  for (const make of [() => open({ engine: "tpu" as "gpu" }), () => createRecommender("relative/")]) {
    try {
      make();
    } catch (error) {
      ok(error instanceof IngleError && error.code === "input/options", "it has a code");
      continue;
    }
    throw new Error("nothing was thrown");
  }
});
