// Every question that a shop may ask, of the package as it is published with the real CPU engine.

import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Ingle from "../../../js/index.js";
import { codeOf, equal, ok } from "../check.js";
import { filesUnder, goldenFiles, root, serveSite, type Site } from "../golden.js";

const { createRecommender } = (await import(pathToFileURL(join(root, "pkg/dist/index.js")).href)) as typeof Ingle;
const cpu = readFileSync(join(root, "pkg/dist/cpu.wasm"));

let site: Site, shared: Ingle.Recommender;
before(async () => {
  site = await serveSite(filesUnder("/b/", goldenFiles()));
  shared = open();
  await shared.record(["sku-63", "sku-192", "sku-273"].map((item, at) => ({ item, at })));
});
after(() => (shared.dispose(), site.close()));

function open(options: Ingle.RecommenderOptions = {}): Ingle.Recommender {
  return createRecommender(`${site.url}b/`, { wasm: { cpu }, storage: { kind: "memory", collapseMs: 0, maxAgeMs: Infinity }, ...options });
}

const ids = (answer: Ingle.Recommendation[]) => answer.map(({ item }) => item);
const even = (item: string) => Number(item.slice(4)) % 2 === 0;

test("scores are probabilities, best first, with the click that they are because of", async () => {
  const answer = await shared.recommend();
  ok(answer.every(({ score }, n) => score > 0 && score < 1 && score <= (answer[n - 1]?.score ?? 1)), JSON.stringify(answer));
  const { reason } = answer[0]!;
  ok(reason.kind === "history" && reason.type === "view" && ["sku-63", "sku-192", "sku-273"].includes(reason.item) && reason.share > 0 && reason.share <= 1, JSON.stringify(reason));
});

test("a filter comes before the best are chosen: as many come back as exist", async () => {
  const all = ids(await shared.recommend({ k: 300 }));
  equal(ids(await shared.recommend({ k: 20, filter: even })), all.filter(even).slice(0, 20));
  const rare = all.slice(-5);
  equal(ids(await shared.recommend({ filter: new Set(rare) })), rare);
  equal(await shared.recommend({ filter: () => false }), []);
});

test("boosts multiply the odds between items and leave scores what they are", async () => {
  const plain = await shared.recommend({ k: 300 });
  const [first, second] = plain as [Ingle.Recommendation, Ingle.Recommendation];
  const boosted = await shared.recommend({ k: 300, boost: { [second.item]: (first.score / second.score) * 1.01 } });
  equal(ids(boosted).slice(0, 2), [second.item, first.item]);
  ok(Math.abs((boosted[0]?.score ?? 0) - second.score) < 1e-6, "the score is the model's");
  equal(ids(await shared.recommend({ boost: new Map([["sku-227", 1e9]]), k: 1 })), ["sku-227"]);
  equal(ids(await shared.recommend({ boost: (item) => (item === "sku-154" ? Infinity : 1), k: 1 })), ["sku-154"]);
});

test("pins stand where they are put, unless they may not be shown", async () => {
  const all = ids(await shared.recommend({ k: 10 }));
  const pinned = await shared.recommend({ k: 5, pin: ["sku-5", { item: "sku-6", place: 3 }, "sku-7"], exclude: ["sku-7"] });
  equal(ids(pinned), ["sku-5", all[0], all[1], "sku-6", all[2]].map((item) => item ?? ""));
  equal(pinned.map(({ reason }) => reason.kind), ["pinned", "history", "history", "pinned", "history"]);
  ok(!ids(await shared.recommend({ k: 5, pin: ["sku-5"], filter: even })).includes("sku-5"), "a filter holds for pins");
});

test("items that are out of stock, free or no longer sold are held back", async () => {
  const offers = (item: string): Ingle.Offer | null => ({ "sku-134": { stock: 0 }, "sku-116": { stock: false }, "sku-286": { price: 0 }, "sku-109": null })[item] ?? (["sku-109"].includes(item) ? null : { stock: 3, price: even(item) ? 20 : 5 });
  const all = ids(await shared.recommend({ k: 8 }));
  const gone = ["sku-134", "sku-116", "sku-286", "sku-109"];
  equal(ids(await shared.recommend({ k: 4, offers })), all.filter((item) => !gone.includes(item)).slice(0, 4));
  const dear = ids(await shared.recommend({ k: 300, offers, price: { min: 10, max: 30 } }));
  ok(dear.length > 100 && dear.every(even), "bounds on the price");
  const own = open({ offers });
  ok(!ids(await own.recommend({ k: 300 })).some((item) => gone.includes(item)), "for every call of a recommender");
  own.dispose();
});

test("the least score, and a k beyond what there is", async () => {
  const all = await shared.recommend({ k: 300 });
  const least = all[4]?.score ?? 0;
  equal(ids(await shared.recommend({ k: 300, minScore: least })), ids(all.slice(0, 5)));
});

test("diversity keeps the best and spreads the rest", async () => {
  const plain = await shared.recommend({ k: 8 });
  const varied = await shared.recommend({ k: 8, diversity: 0.7 });
  equal([varied.length, varied[0]?.item], [8, plain[0]?.item]);
  ok(ids(varied).join() !== ids(plain).join(), "others come in");
  const likeness = async (answer: string[]) => {
    let sum = 0;
    for (const item of answer) sum += (await shared.similar(item, { filter: answer, k: 8 })).reduce((all, { score }) => all + score, 0);
    return sum;
  };
  ok((await likeness(ids(varied))) < (await likeness(ids(plain))), "less alike than the best alone");
});

test("what a scenario has shown steps back, there alone", async () => {
  const once = ids(await shared.recommend({ k: 3, scenario: "home", rotate: 1 }));
  const twice = ids(await shared.recommend({ k: 3, scenario: "home", rotate: 1 }));
  ok(!twice.some((item) => once.includes(item)), "none is shown again at once");
  equal(ids(await shared.recommend({ k: 3, scenario: "basket", rotate: 1 })), once);
  equal(ids(await shared.recommend({ k: 3 })), once);
});

test("scenarios have their own defaults, which a call may change", async () => {
  const recommender = open({ scenarios: { home: { k: 3, exclude: ["sku-227"] } } });
  equal((await recommender.recommend({ scenario: "home" })).length, 3);
  equal((await recommender.recommend({ scenario: "home", k: 4 })).length, 4);
  ok(!ids(await recommender.recommend({ scenario: "home" })).includes("sku-227"), "the excluded one");
  recommender.dispose();
});

test("attribution names scenario and place, and differs from answer to answer", async () => {
  const [one, other] = [await shared.recommend({ k: 2, scenario: "home" }), await shared.recommend({ k: 2, scenario: "home" })];
  ok(one.every(({ attribution }, n) => new RegExp(`^home\\.[0-9a-z]{10}\\.${n}$`).test(attribution)), JSON.stringify(one));
  ok(one[0]?.attribution !== other[0]?.attribution, "another answer, another mark");
});

test("similar items are near, without those asked about", async () => {
  const answer = await shared.similar("sku-42", { k: 5 });
  equal(answer.length, 5);
  ok(answer.every(({ item, score, reason }) => item !== "sku-42" && score > 0 && score <= 1 && reason.kind === "similar" && reason.item === "sku-42"), JSON.stringify(answer));
  const both = await shared.similar(["sku-42", "sku-7"], { k: 300 });
  equal(both.length, 298);
  equal((await shared.similar("not ours", { k: 5 })).length, 0);
});

test("a basket is completed by what goes with it, whatever was viewed before", async () => {
  const answer = await shared.complete(["sku-42", "sku-7"], { k: 5 });
  equal(answer.length, 5);
  ok(answer.every(({ item, reason }) => !["sku-42", "sku-7"].includes(item) && (reason.kind === "complete" || reason.kind === "popular")), JSON.stringify(answer));
  const stranger = open();
  equal(ids(await stranger.complete(["sku-42", "sku-7"], { k: 5 })), ids(answer));
  stranger.dispose();
});

test("what was viewed last, and what everybody likes", async () => {
  equal(ids(await shared.recentlyViewed()), ["sku-273", "sku-192", "sku-63"]);
  equal(ids(await shared.recentlyViewed({ k: 1, exclude: ["sku-273"] })), ["sku-192"]);
  const popular = await shared.popular({ k: 3 });
  equal(popular.map(({ item, reason }) => [item, reason.kind])[0], ["sku-227", "popular"]);
  ok(popular.every(({ score }) => score > 0 && score < 1), "shares of all clicks");
});

test("events of more weight change what is recommended, and bounces less", async () => {
  const recommender = open();
  await recommender.record([{ item: "sku-63", at: 1 }, { item: "sku-192", at: 2 }, { item: "sku-273", at: 3 }]);
  const plain = await recommender.recommend();
  equal(ids(plain), ids(await shared.recommend()));
  await recommender.forget();
  await recommender.record([{ item: "sku-63", at: 1, type: "purchase" }, { item: "sku-192", at: 2 }, { item: "sku-273", at: 3, dwell: 100 }]);
  ok(ids(await recommender.recommend()).join() !== ids(plain).join(), "weights count");
  const told = await recommender.explain();
  ok(told.every(({ keep, weight, verdict }) => weight <= keep + 1e-6 && typeof verdict === "string"), JSON.stringify(told));
  equal(told[2] && told[2].weight <= 0.21, true);
  recommender.dispose();
});

test("exports all that is kept, and nothing else", async () => {
  const { exportedAt, ...rest } = await shared.export();
  ok(!Number.isNaN(Date.parse(exportedAt)), exportedAt);
  equal(rest, { version: 1, consent: "session", paused: false, events: await shared.history() });
});

test("update stays where there is nothing new, and refuses what cannot be used", async () => {
  const recommender = open();
  await recommender.ready;
  equal(await recommender.update(), false);
  equal(await codeOf(recommender.update(`${site.url}nowhere/`)), "bundle/http");
  equal((await recommender.recommend()).length, 10);
  recommender.dispose();
});

test("update moves to another bundle and keeps the history, unknown items too", async () => {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as { name: string };
  const changed = new Map([...files, ["manifest.json", new TextEncoder().encode(JSON.stringify({ ...manifest, name: "golden again" }))]]);
  const other = await serveSite(filesUnder("/b/", changed));
  const recommender = open();
  const told: string[] = [];
  recommender.addEventListener("ready", ({ detail }) => told.push(`ready ${detail.bundle?.name}`));
  recommender.addEventListener("engine", ({ detail }) => told.push(`engine ${detail.rung}`));
  recommender.addEventListener("updated", ({ detail }) => told.push(`updated ${detail.name}`));
  await recommender.record([{ item: "not yet sold", at: 1 }, { item: "sku-7", at: 2 }]);
  const before = ids(await recommender.recommend());
  equal(await recommender.update(`${other.url}b/`), true);
  equal([recommender.status.bundle?.name, (await recommender.history()).length], ["golden again", 2]);
  equal(ids(await recommender.recommend()), before);
  equal(told, ["engine cpu", "ready golden", "updated golden again"]);
  recommender.dispose();
  await other.close();
});

for (const options of [{ filter: "sku-1" }, { boost: { "sku-227": 0 } }, { boost: () => -1 }, { diversity: 2 }, { minScore: -1 }, { rotate: Number.NaN }, { price: { min: 1 } }, { pin: [{ item: "a", place: -1 }] }, { scenario: 5 }]) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    equal(await codeOf(shared.recommend(options as unknown as Ingle.RecommendOptions)), "input/options");
  });
}

test("wrong weights and consent are refused", async () => {
  equal(await codeOf(open({ weights: { bounceWeight: 3 } }).ready), "input/options");
  equal(await codeOf(shared.consent("maybe" as "granted")), "input/options");
});
