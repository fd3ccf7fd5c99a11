/** Every call that a shop may make, in Node and in every browser, of the package as it is published. */

import type * as Ingle from "../../js/index.js";
import { codeOf, equal, ok, until } from "./check.js";

/** Where the calls are made. */
export interface Shop {
  /** A new recommender on the golden bundle, that keeps its history in memory. */
  open(options?: Ingle.RecommenderOptions): Ingle.Recommender;
  /** The same one for every case: its shopper has looked at three things. */
  shared: Ingle.Recommender;
  /** The address of the same bundle under the name "golden again". */
  again: string;
  /** The address of the same bundle with its items called "8000", "8001" and so on. */
  numbered: string;
  /** The address of none. */
  nowhere: string;
}

/** What the shopper of `Shop.shared` has looked at, oldest first. */
export const LOOKED_AT = ["sku-63", "sku-192", "sku-273"];

const ids = (answer: Ingle.Recommendation[]) => answer.map(({ item }) => item);
const even = (item: string) => Number(item.slice(4)) % 2 === 0;

/** Random numbers from a seed (Mulberry32). */
function mulberry(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const mixed = [...list];
  for (let n = mixed.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1));
    [mixed[n], mixed[other]] = [mixed[other]!, mixed[n]!];
  }
  return mixed;
}

/** Options that no question takes. */
const WRONG = [{ filter: "sku-1" }, { filter: 8102 }, { exclude: "sku-1" }, { exclude: 8102 }, { exclude: null }, { pin: "sku-1" }, { boost: ["sku-1"] }, { boost: "sku-1" }, { boost: { "sku-227": 0 } }, { boost: () => -1 }, { diversity: 2 }, { minScore: -1 }, { rotate: Number.NaN }, { price: { min: 1 } }, { pin: [{ item: "a", place: -1 }] }, { scenario: 5 }];

/** What is no id, and the options and calls that take ids. */
const NO_IDS = [null, undefined, "", "x".repeat(1025), 1.5, Number.NaN, 2 ** 53, true, {}, ["a"]];
const TAKES_IDS = ["exclude", "filter", "pin"];

export const API_TABLE: Record<string, (shop: Shop) => Promise<void>> = {
  "recommendations follow the history, and forgetting goes back to the start": async ({ open }) => {
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
  },

  "honours k, exclude and includeSeen": async ({ open }) => {
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
  },

  "keeps items that the bundle does not know, and says that it does not know them": async ({ open }) => {
    const recommender = open();
    await recommender.record({ item: "new this morning" });
    equal((await recommender.explain()).map(({ known, noise, keep }) => [known, noise, keep]), [[false, 0, 0]]);
    equal((await recommender.recommend()).length, 10);
    recommender.dispose();
  },

  "tells once which ids the bundle does not know and which they may be, and no more once they are forgotten": async ({ open }) => {
    const [told, warn] = [[] as string[], console.warn];
    console.warn = (line: string) => told.push(line);
    try {
      const recommender = open();
      equal(recommender.status.unknown, []);
      await recommender.record([{ item: "sku-42" }, { item: "42" }, { item: "SKU-170-red" }]);
      await recommender.record({ item: "42" });
      await recommender.similar(["sku-7", "sku_250"]);
      await until(() => recommender.status.unknown.length === 3, "what is unknown is told");
      equal(recommender.status.unknown.map(({ item, nearest: [first] }) => [item, first]).sort(), [["42", "sku-42"], ["SKU-170-red", "sku-170"], ["sku_250", "sku-250"]]);
      equal(told.map((line) => /"(.*?)"/.exec(line)?.[1]).sort(), ["42", "SKU-170-red", "sku_250"]);
      // A list of the shop's may have new products.
      await recommender.rank(["sku-42", "new-today"]);
      await recommender.rank(["lamp"]);
      await until(() => recommender.status.unknown.length === 4, "a list of which nothing is known is told");
      equal(recommender.status.unknown.at(-1)?.item, "lamp");
      await recommender.forget("42");
      equal(recommender.status.unknown, []);
      recommender.dispose();
    } finally {
      console.warn = warn;
    }
  },

  "tells every change of history and status": async ({ open }) => {
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
  },

  "what no call reports comes as an error event": async ({ open }) => {
    const recommender = open({ engine: "cpu", wasm: { cpu: new Uint8Array(16) } });
    const told: string[] = [];
    recommender.addEventListener("error", ({ detail }) => told.push(detail.code));
    equal(await codeOf(recommender.ready), "engine/wasm");
    equal((await recommender.recommend({ k: 3 })).map(({ source }) => source), ["popular", "popular", "popular"]);
    equal(told, ["engine/wasm"]);
    recommender.dispose();
  },

  "a disposed recommender rejects every call, those under way too": async ({ open }) => {
    const recommender = open();
    const underWay = recommender.recommend();
    await Promise.resolve();
    recommender.dispose();
    for (const call of [underWay, recommender.recommend(), recommender.explain(), recommender.history(), recommender.record({ item: "a" }), recommender.forget(), recommender.ready]) {
      equal(await codeOf(call), "disposed");
    }
  },

  "an aborted signal disposes of it, with the signal's reason": async ({ open }) => {
    const controller = new AbortController();
    const recommender = open({ signal: controller.signal });
    controller.abort(new Error("left the page"));
    equal(await recommender.ready.catch(({ message }: Error) => message), "left the page");
    equal(await recommender.recommend().catch(({ message }: Error) => message), "left the page");
  },

  "an aborted call rejects alone": async ({ open }) => {
    const recommender = open();
    const controller = new AbortController();
    const call = recommender.recommend({ signal: controller.signal });
    controller.abort(new Error("moved on"));
    equal(await call.catch(({ message }: Error) => message), "moved on");
    equal((await recommender.recommend()).length, 10);
    recommender.dispose();
  },

  "scores are probabilities, best first, with the click that they are because of": async ({ shared }) => {
    const answer = await shared.recommend();
    ok(answer.every(({ score }, n) => score > 0 && score < 1 && score <= (answer[n - 1]?.score ?? 1)), JSON.stringify(answer));
    const { reason } = answer[0]!;
    ok(reason.kind === "history" && reason.type === "view" && LOOKED_AT.includes(reason.item) && reason.share > 0 && reason.share <= 1, JSON.stringify(reason));
  },

  "a filter comes before the best are chosen: as many come back as exist": async ({ shared }) => {
    const all = ids(await shared.recommend({ k: 300 }));
    equal(ids(await shared.recommend({ k: 20, filter: even })), all.filter(even).slice(0, 20));
    const rare = all.slice(-5);
    equal(ids(await shared.recommend({ filter: new Set(rare) })), rare);
    equal(await shared.recommend({ filter: () => false }), []);
  },

  "boosts multiply the odds between items and leave scores what they are": async ({ shared }) => {
    const plain = await shared.recommend({ k: 300 });
    const [first, second] = plain as [Ingle.Recommendation, Ingle.Recommendation];
    const boosted = await shared.recommend({ k: 300, boost: { [second.item]: (first.score / second.score) * 1.01 } });
    equal(ids(boosted).slice(0, 2), [second.item, first.item]);
    ok(Math.abs((boosted[0]?.score ?? 0) - second.score) < 1e-6, "the score is the model's");
    equal(ids(await shared.recommend({ boost: new Map([["sku-227", 1e9]]), k: 1 })), ["sku-227"]);
    equal(ids(await shared.recommend({ boost: (item) => (item === "sku-154" ? Infinity : 1), k: 1 })), ["sku-154"]);
  },

  "pins stand where they are put, unless they may not be shown": async ({ shared }) => {
    const all = ids(await shared.recommend({ k: 10 }));
    const pinned = await shared.recommend({ k: 5, pin: ["sku-5", { item: "sku-6", place: 3 }, "sku-7"], exclude: ["sku-7"] });
    equal(ids(pinned), ["sku-5", all[0], all[1], "sku-6", all[2]].map((item) => item ?? ""));
    equal(pinned.map(({ reason }) => reason.kind), ["pinned", "history", "history", "pinned", "history"]);
    ok(!ids(await shared.recommend({ k: 5, pin: ["sku-5"], filter: even })).includes("sku-5"), "a filter holds for pins");
  },

  "items that are out of stock, free or no longer sold are held back": async ({ open, shared }) => {
    const offers = (item: string): Ingle.Offer | null => ({ "sku-134": { stock: 0 }, "sku-116": { stock: false }, "sku-286": { price: 0 }, "sku-109": null })[item] ?? (["sku-109"].includes(item) ? null : { stock: 3, price: even(item) ? 20 : 5 });
    const all = ids(await shared.recommend({ k: 8 }));
    const gone = ["sku-134", "sku-116", "sku-286", "sku-109"];
    equal(ids(await shared.recommend({ k: 4, offers })), all.filter((item) => !gone.includes(item)).slice(0, 4));
    const dear = ids(await shared.recommend({ k: 300, offers, price: { min: 10, max: 30 } }));
    ok(dear.length > 100 && dear.every(even), "bounds on the price");
    const own = open({ offers });
    ok(!ids(await own.recommend({ k: 300 })).some((item) => gone.includes(item)), "for every call of a recommender");
    own.dispose();
  },

  "the least score, and a k beyond what there is": async ({ shared }) => {
    const all = await shared.recommend({ k: 300 });
    const least = all[4]?.score ?? 0;
    equal(ids(await shared.recommend({ k: 300, minScore: least })), ids(all.slice(0, 5)));
  },

  "diversity keeps the best and spreads the rest": async ({ shared }) => {
    const plain = await shared.recommend({ k: 8 });
    const varied = await shared.recommend({ k: 8, diversity: 0.7 });
    equal([varied.length, varied[0]?.item], [8, plain[0]?.item]);
    ok(ids(varied).join() !== ids(plain).join(), "others come in");
    const similarity = async (answer: string[]) => {
      let sum = 0;
      for (const item of answer) sum += (await shared.similar(item, { filter: answer, k: 8 })).reduce((all, { score }) => all + score, 0);
      return sum;
    };
    ok((await similarity(ids(varied))) < (await similarity(ids(plain))), "less alike than the best alone");
  },

  "what a scenario has shown steps back, there alone": async ({ shared }) => {
    const once = ids(await shared.recommend({ k: 3, scenario: "home", rotate: 1 }));
    const twice = ids(await shared.recommend({ k: 3, scenario: "home", rotate: 1 }));
    ok(!twice.some((item) => once.includes(item)), "none is shown again at once");
    equal(ids(await shared.recommend({ k: 3, scenario: "basket", rotate: 1 })), once);
    equal(ids(await shared.recommend({ k: 3 })), once);
  },

  "what was shown is forgotten with the history, with any item of it, and with consent": async ({ open }) => {
    const recommender = open();
    const best = async (): Promise<string> => ids(await recommender.recommend({ k: 3, scenario: "home", rotate: 1 })).join();
    const first = await best();
    for (const forget of [() => recommender.forget("sku-unknown"), () => recommender.forget(), () => recommender.consent("session"), () => recommender.consent("denied")]) {
      ok((await best()) !== first, "what was shown steps back");
      await forget();
      equal(await best(), first);
    }
    recommender.dispose();
  },

  "an event type called like a member of every object counts like any other word": async ({ open }) => {
    const recommender = open();
    for (const type of ["constructor", "__proto__", "toString"]) await recommender.record({ item: "sku-63", type });
    ok((await recommender.explain()).every(({ weight }) => Number.isFinite(weight)), "weights are numbers");
    equal((await recommender.recommend({ k: 5, scenario: "constructor" })).length, 5);
    recommender.dispose();
  },

  "scenarios have their own defaults, which a call may change": async ({ open }) => {
    const recommender = open({ scenarios: { home: { k: 3, exclude: ["sku-227"] } } });
    equal((await recommender.recommend({ scenario: "home" })).length, 3);
    equal((await recommender.recommend({ scenario: "home", k: 4 })).length, 4);
    ok(!ids(await recommender.recommend({ scenario: "home" })).includes("sku-227"), "the excluded one");
    recommender.dispose();
  },

  "attribution names scenario and place, and differs from answer to answer": async ({ shared }) => {
    const [one, other] = [await shared.recommend({ k: 2, scenario: "home" }), await shared.recommend({ k: 2, scenario: "home" })];
    ok(one.every(({ attribution }, n) => new RegExp(`^home\\.[0-9a-z]{10}\\.${n}$`).test(attribution)), JSON.stringify(one));
    ok(one[0]?.attribution !== other[0]?.attribution, "another answer, another mark");
  },

  "similar items are near, without those asked about": async ({ shared }) => {
    const answer = await shared.similar("sku-42", { k: 5 });
    equal(answer.length, 5);
    ok(answer.every(({ item, score, reason }) => item !== "sku-42" && score > 0 && score <= 1 && reason.kind === "similar" && reason.item === "sku-42"), JSON.stringify(answer));
    const both = await shared.similar(["sku-42", "sku-7"], { k: 300 });
    equal(both.length, 298);
    equal((await shared.similar("not ours", { k: 5 })).length, 0);
  },

  "a basket is completed by what goes with it, whatever was viewed before": async ({ open, shared }) => {
    const answer = await shared.complete(["sku-42", "sku-7"], { k: 5 });
    equal(answer.length, 5);
    ok(answer.every(({ item, reason }) => !["sku-42", "sku-7"].includes(item) && (reason.kind === "complete" || reason.kind === "popular")), JSON.stringify(answer));
    const stranger = open();
    equal(ids(await stranger.complete(["sku-42", "sku-7"], { k: 5 })), ids(answer));
    stranger.dispose();
  },

  "a list comes in the order of recommendations, what was seen included, and nothing else changes": async ({ shared }) => {
    const all = await shared.recommend({ k: 300, includeSeen: true });
    const random = mulberry(20);
    for (const size of [1, 2, 7, 60, 300]) {
      const list = shuffled(ids(all), random).slice(0, size);
      const ranked = await shared.rank(list);
      const due = all.filter(({ item }) => list.includes(item));
      equal(ids(ranked), ids(due), `${size} items`);
      equal(ranked.map(({ score, source }) => [score, source]), due.map(({ score, source }) => [score, source]));
    }
    const [first] = await shared.rank(LOOKED_AT);
    ok(first?.reason.kind === "history" && LOOKED_AT.includes(first.reason.item), JSON.stringify(first));
  },

  "items of a list that the bundle does not know keep their places": async ({ shared }) => {
    const best = ids(await shared.recommend({ k: 300, includeSeen: true }));
    const random = mulberry(21);
    for (let n = 0; n < 20; n++) {
      const list = shuffled(best, random).slice(0, Math.floor(random() * 30));
      for (let more = random() * 8; more > 0; more--) list.splice(Math.floor(random() * (list.length + 1)), 0, `new ${Math.floor(random() * 5)}`);
      const ranked = await shared.rank(list);
      const known = list.filter((item) => best.includes(item));
      equal(ids(ranked).filter((item) => best.includes(item)), best.filter((item) => known.includes(item)));
      list.forEach((item, place) => best.includes(item) || equal([ranked[place]?.item, ranked[place]?.source, ranked[place]?.score, ranked[place]?.reason.kind], [item, "given", 0, "given"]));
      equal(ranked.length, list.length);
    }
  },

  "a list may have an item twice, be empty, be cut and name items by numbers": async ({ open, numbered, shared }) => {
    const [a = "", b = ""] = ids(await shared.recommend({ k: 2 }));
    equal(ids(await shared.rank([b, "?", b, a])), [a, "?", b, b]);
    equal(await shared.rank([]), []);
    equal(ids(await shared.rank([b, a], { k: 1 })), [a]);
    equal(await shared.rank([b, a], { k: 0 }), []);
    equal(ids(await shared.rank(new Set(["?"]))), ["?"]);
    const recommender = open();
    await recommender.update(numbered);
    await recommender.record({ item: 8101 });
    const list = [8105, 8102, 8104];
    equal(ids(await recommender.rank(list)), ids(await recommender.recommend({ k: 3, filter: list })));
    recommender.dispose();
  },

  "nothing is left out of a list, whatever stock and scenarios say; only boosts count": async ({ open, shared }) => {
    const list = ["sku-41", "sku-52", "sku-63"];
    const due = ids(await shared.rank(list));
    const recommender = open({ offers: () => null, scenarios: { page: { k: 1, exclude: list, filter: [], boost: { [due[2]!]: 1e9 } } } });
    await recommender.record(LOOKED_AT.map((item, at) => ({ item, at })));
    equal(ids(await recommender.rank(list)), due);
    equal(ids(await recommender.rank(list, { scenario: "page" })), [due[2]!, due[0]!, due[1]!]);
    equal(ids(await recommender.rank(list, { boost: { [due[1]!]: 1e9 } })), [due[1]!, due[0]!, due[2]!]);
    for (const options of [{ filter: list }, { exclude: [] }, { minScore: 0 }, { includeSeen: true }, { k: -1 }, { boost: { [list[0]!]: 0 } }]) equal(await codeOf(recommender.rank(list, options as Ingle.RankOptions)), "input/options", JSON.stringify(options));
    for (const wrong of [null, [""], [{}]]) equal(await codeOf(recommender.rank(wrong as unknown as string[])), "input/item", JSON.stringify(wrong));
    ok((await recommender.rank(list)).every(({ attribution }, n) => new RegExp(`^default\\.[0-9a-z]{10}\\.${n}$`).test(attribution)), "attribution");
    recommender.dispose();
  },

  "without a click that the bundle knows a list is in the order of popularity, and says so": async ({ open }) => {
    const recommender = open();
    const list = ["sku-41", "sku-52", "sku-154", "sku-227", "?"];
    const [first, second, , , last] = await recommender.rank(list);
    equal([first?.item, second?.item, last?.item, first?.source, last?.source], ["sku-227", "sku-154", "?", "popular", "given"]);
    await recommender.record({ item: "sku-42" });
    equal((await recommender.rank(list)).map(({ source }) => source), ["cpu", "cpu", "cpu", "cpu", "given"]);
    await recommender.forget();
    equal((await recommender.rank(list))[0]?.source, "popular");
    recommender.dispose();
  },

  "affinities are the groups of the clicks that count, with their shares": async ({ open, shared }) => {
    const judged = await shared.explain();
    const all = judged.reduce((sum, { weight }) => sum + weight, 0);
    ok(all > 0, "some click counts");
    // Each is in a group of its own and in one with all others.
    const found = await shared.affinities((item) => [item, "all"]);
    for (const { item, weight } of judged) {
      const share = found.find(({ value }) => value === item)?.share ?? 0;
      ok(Math.abs(share - weight / all / 2) < 1e-6, `${item}: ${share}, and it weighs ${weight} of ${all}`);
    }
    const counts = judged.filter(({ weight }) => weight > 0).map(({ item }) => item);
    equal([found[0]?.value, found[0]?.share.toFixed(6), found[0]?.items], [counts.length === 1 ? counts[0] : "all", "0.500000", counts.length === 1 ? counts : counts.reverse()]);
    ok(Math.abs(found.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-6 && found.every(({ share }, n) => n === 0 || share <= found[n - 1]!.share), JSON.stringify(found));

    const recommender = open();
    equal(await recommender.affinities(() => "all"), []);
    // Looked at and put into the basket, it is one click; what is taken out again is none; what the bundle does not know neither.
    await recommender.record([{ item: "sku-42", at: 1 }, { item: "sku-42", at: 2, type: "cart" }, { item: "sku-7", at: 3, type: "cart" }, { item: "sku-7", at: 4, type: "remove" }, { item: "new", at: 5 }]);
    equal((await recommender.affinities((item) => [item, "all"])).map(({ value, share }) => [value, share]), [["sku-42", 0.5], ["all", 0.5]]);
    equal(await recommender.affinities(() => null), []);
    equal(await recommender.affinities(() => []), []);
    for (const wrong of [() => "", () => 5, () => [null]]) equal(await codeOf(recommender.affinities(wrong as unknown as Ingle.Grouping)), "input/options");
    equal(await codeOf(recommender.affinities("category" as unknown as Ingle.Grouping)), "input/options");
    recommender.dispose();
  },

  "what was viewed last, and what everybody likes": async ({ shared }) => {
    equal(ids(await shared.recentlyViewed()), ["sku-273", "sku-192", "sku-63"]);
    equal(ids(await shared.recentlyViewed({ k: 1, exclude: ["sku-273"] })), ["sku-192"]);
    const popular = await shared.popular({ k: 3 });
    equal(popular.map(({ item, reason }) => [item, reason.kind])[0], ["sku-227", "popular"]);
    ok(popular.every(({ score }) => score > 0 && score < 1), "shares of all clicks");
  },

  "events of more weight change what is recommended, and bounces less": async ({ open, shared }) => {
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
  },

  "exports all that is kept, and nothing else": async ({ shared }) => {
    const { exportedAt, ...rest } = await shared.export();
    ok(!Number.isNaN(Date.parse(exportedAt)), exportedAt);
    equal(rest, { version: 1, consent: "session", paused: false, events: await shared.history(), stored: [], learnt: null });
  },

  "update stays where there is nothing new, and refuses what cannot be used": async ({ open, nowhere }) => {
    const recommender = open();
    await recommender.ready;
    equal(await recommender.update(), false);
    equal(await codeOf(recommender.update(nowhere)), "bundle/http");
    equal((await recommender.recommend()).length, 10);
    recommender.dispose();
  },

  "update moves to another bundle and keeps the history, unknown items too": async ({ open, again }) => {
    const recommender = open();
    const told: string[] = [];
    recommender.addEventListener("ready", ({ detail }) => told.push(`ready ${detail.bundle?.name}`));
    recommender.addEventListener("engine", ({ detail }) => told.push(`engine ${detail.rung}`));
    recommender.addEventListener("updated", ({ detail }) => told.push(`updated ${detail.name}`));
    await recommender.record([{ item: "not yet sold", at: 1 }, { item: "sku-7", at: 2 }]);
    const before = ids(await recommender.recommend());
    equal(await recommender.update(again), true);
    equal([recommender.status.bundle?.name, (await recommender.history()).length], ["golden again", 2]);
    equal(ids(await recommender.recommend()), before);
    equal(told, ["engine cpu", "ready golden", "updated golden again"]);
    recommender.dispose();
  },

  "wrong weights and consent are refused": async ({ open, shared }) => {
    equal(await codeOf(open({ weights: { bounceWeight: 3 } }).ready), "input/options");
    equal(await codeOf(shared.consent("maybe" as "granted")), "input/options");
  },

  "wrong options are refused": async ({ shared }) => {
    for (const options of WRONG) equal(await codeOf(shared.recommend(options as unknown as Ingle.RecommendOptions)), "input/options", JSON.stringify(options));
  },

  "whole numbers are ids in every call and option, and mean their digits": async ({ open, numbered }) => {
    const recommender = open();
    await recommender.update(numbered);
    equal(await recommender.record([{ item: 8101 }, { item: "8101", type: "cart" }, { item: 8110 }]), true);
    equal((await recommender.history()).map(({ item }) => item), ["8101", "8101", "8110"]);
    await recommender.forget(8110);
    equal((await recommender.history()).map(({ item }) => item), ["8101", "8101"]);
    const all = ids(await recommender.recommend({ k: 300 }));
    ok(all.includes("8102") && !all.includes("8101"), "what was recorded is seen");
    const cart = [8102, 8103];
    const options: [string, Ingle.RecommendOptions, Ingle.RecommendOptions][] = [
      ["exclude", { exclude: cart }, { exclude: ["8102", "8103"] }],
      ["filter", { filter: cart }, { filter: ["8102", "8103"] }],
      ["pin", { pin: [8102, { item: 8103, place: 4 }] }, { pin: ["8102", { item: "8103", place: 4 }] }],
      ["boost", { boost: new Map([[8104, 1e6]]) }, { boost: { 8104: 1e6 } }],
    ];
    for (const [what, numbers, strings] of options) {
      for (const ask of ["recommend", "popular"] as const) equal(ids(await recommender[ask]({ k: 300, ...numbers })), ids(await recommender[ask]({ k: 300, ...strings })), `${what} of ${ask}`);
      equal(ids(await recommender.similar(8105, { k: 300, ...numbers })), ids(await recommender.similar(["8105"], { k: 300, ...strings })), `${what} of similar`);
      equal(ids(await recommender.complete([8105, "8106"], { k: 300, ...numbers })), ids(await recommender.complete(["8105", 8106], { k: 300, ...strings })), `${what} of complete`);
    }
    equal(ids(await recommender.recommend({ k: 300, exclude: cart })), all.filter((item) => !["8102", "8103"].includes(item)));
    equal(ids(await recommender.recommend({ filter: cart })).sort(), ["8102", "8103"]);
    equal(ids(await recommender.recommend({ k: 1, boost: new Map([[8104, 1e9]]) })), ["8104"]);
    equal(ids(await recommender.recommend({ k: 2, pin: cart })), ["8102", "8103"]);
    ok(!ids(await recommender.recentlyViewed({ exclude: [8101] })).includes("8101"), "the items viewed last too");
    recommender.dispose();
  },

  "what is no id is refused with the name of the option or call that has it": async ({ shared }) => {
    const messageOf = (work: Promise<unknown>): Promise<string> => work.then(() => "accepted", (error: Ingle.IngleError) => `${error.code} ${error.message}`);
    for (const wrong of NO_IDS as never[]) {
      const refusals: [string, Promise<unknown>][] = TAKES_IDS.flatMap((option) => (["recommend", "popular", "recentlyViewed"] as const).map((call): [string, Promise<unknown>] => [option, shared[call]({ [option]: [wrong] })]));
      refusals.push(["record", shared.record({ item: wrong })], ["similar", shared.similar([wrong])], ["complete", shared.complete([wrong])], ["pin", shared.recommend({ pin: [{ item: wrong, place: 0 }] })]);
      if (wrong !== undefined) refusals.push(["forget", shared.forget(wrong)]);
      for (const [option, work] of refusals) {
        const told = await messageOf(work);
        ok(told.startsWith("input/") && told.includes(option), `${option} of ${JSON.stringify(wrong)}: ${told}`);
        if (typeof wrong !== "object" || wrong === null) ok(told.startsWith(`input/item ${option} takes an item id`), told);
      }
    }
    for (const call of [shared.record(null as never), shared.record("sku-1" as never), shared.record([8101] as never), shared.similar({} as never), shared.similar(null as never), shared.complete(undefined as never)]) equal(await codeOf(call), "input/item");
    equal(await shared.history().then((events) => events.length), LOOKED_AT.length);
  },
};
