// The package as it is published, imported in Node: as a server that renders pages would, and and as a
// page would, with the real CPU engine on the main thread, since Node has no `Worker` global.

import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Ingle from "../../../js/index.js";
import { codeOf, equal, ok } from "../check.js";
import { filesUnder, goldenAnswers, goldenFiles, passForAWorker, root, serveSite, type Site } from "../golden.js";

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
  passForAWorker();
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

test("without an engine the popular items answer, and status says why", async () => {
  const notWasm = new Uint8Array(16);
  const recommender = open({ wasm: { cpu: notWasm } });
  equal(await codeOf(recommender.ready), "engine/wasm");
  const native = goldenAnswers().cases[0]!.recommend;
  const got = await recommender.recommend();
  equal(got.map(({ item }) => item), native.map(({ item }) => item));
  ok(got.every(({ source, score }, n) => source === "popular" && close(score, native[n]?.probability ?? NaN)), "as the engine ranks them");
  equal([recommender.status.rung, recommender.status.cpu.state], ["popular", "retired"]);
  equal((await recommender.affinities((item) => item)).length, 0);
  const list = got.map(({ item }) => item).reverse();
  equal((await recommender.rank([...list, 7])).map(({ item, source, score }) => [item, source, score]), [...list, "7"].map((item) => [item, "given", 0]));
  await recommender.record({ item: got[0]!.item });
  equal((await recommender.recommend({ k: 1 }))[0]?.item, got[1]!.item, "seen items are held back");
  equal(await recommender.affinities(() => "all"), [{ value: "all", share: 1, items: [got[0]!.item] }]);
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
