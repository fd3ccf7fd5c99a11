// A tab that learns from the shopper's own clicks: what it changes, where it is kept, and that it goes with what was forgotten.

import { after, before, describe, test } from "node:test";
import { equal, ok, sleep } from "../check.js";
import { goldenAnswers, goldenLearning, goldenWith, type Site } from "../golden.js";
import { BROWSERS, ChromiumVisitor, launch, type Running, serveShop, SWIFTSHADER } from "./harness.js";

let site: Site;
before(async () => (site = await serveShop()));
after(() => site.close());

const ITEMS = ["sku-42", "sku-7", "sku-63", "sku-9", "sku-42", "sku-7"];
const BUNDLE = "/learning/";
const GRANTED = { consent: "granted", engine: "cpu" } as const;

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, () => {
    let browser: Running;
    before(async () => (browser = await start()));
    after(() => browser.close());

    test("own clicks move items up, and the page says which and from how many", async () => {
      const visitor = await browser.arrive(site);
      const { status } = await visitor.call("open", { engine: "cpu" }, BUNDLE);
      equal([status.learnt, await visitor.call("learnt")], [0, null]);
      await visitor.call("visit", ITEMS);
      const before = await visitor.call("recommend");
      await visitor.call("untilLearnt", ITEMS.length);
      const learnt = await visitor.call("learnt");
      const now = await visitor.call("recommend");
      equal(learnt?.clicks, ITEMS.length);
      ok(learnt!.moved.length > 0, "something moved up");
      for (const { item, place, before: old } of learnt!.moved) {
        equal(now[place - 1]?.item, item);
        if (old !== null && old <= before.length) equal(before[old - 1]?.item, item);
        ok(old === null || old > place, `${old} ${place}`);
      }
      ok(now.some(({ score }, n) => score !== before[n]?.score), "scores changed");
      const exported = await visitor.call("exported");
      equal(exported.learnt, learnt);
      equal((await visitor.call("stored")).databases, [], "without consent nothing is stored");
      await visitor.leave();
    });

    test("a bundle without an adapter teaches nothing, nor do too few clicks", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED);
      await visitor.call("visit", ITEMS);
      await sleep(1500);
      equal([(await visitor.call("status")).learnt, await visitor.call("adapter")], [0, null]);
      await visitor.call("forget");
      await visitor.call("open", GRANTED, BUNDLE);
      for (const history of [["sku-42"], ["sku-7"]]) await visitor.call("visit", history);
      await sleep(1500);
      equal([(await visitor.call("status")).learnt, await visitor.call("adapter"), (await visitor.call("learnt"))], [0, null, null]);
      await visitor.leave();
    });

    test("with consent it is stored beside the history and used by the first answer of the next visit", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED, BUNDLE);
      await visitor.call("visit", ITEMS);
      await visitor.call("untilLearnt", ITEMS.length);
      const due = await visitor.call("recommend");
      const stored = await visitor.call("adapter");
      equal(stored?.items, ITEMS);
      await visitor.reload();
      await visitor.call("open", GRANTED, BUNDLE);
      const found = await visitor.call("recommend");
      equal(found.map(({ item, score }) => [item, score]), due.map(({ item, score }) => [item, score]));
      equal((await visitor.call("status")).learnt, ITEMS.length);
      await visitor.leave();
    });

    test("it goes at once with what was forgotten, one item or all, and with consent", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED, BUNDLE);
      await visitor.call("visit", ITEMS);
      await visitor.call("untilLearnt", ITEMS.length);
      const forgotten = visitor.call("forgetItem", "sku-9");
      await forgotten;
      const now = await visitor.call("status");
      ok(now.learnt === 0 || now.learnt === ITEMS.length - 1, `learnt from ${now.learnt}`);
      await visitor.call("untilLearnt", ITEMS.length - 1);
      equal((await visitor.call("adapter"))?.items, ITEMS.filter((item) => item !== "sku-9"));
      await visitor.call("forget");
      equal([(await visitor.call("status")).learnt, await visitor.call("adapter"), (await visitor.call("stored")).databases], [0, null, []]);
      await visitor.call("visit", ITEMS);
      await visitor.call("untilLearnt", ITEMS.length);
      await visitor.call("consent", "session");
      equal([await visitor.call("adapter"), (await visitor.call("stored")).databases], [null, []]);
      await visitor.call("untilLearnt", ITEMS.length);
      await visitor.call("consent", "denied");
      await sleep(1500);
      equal([(await visitor.call("status")).learnt, await visitor.call("history")], [0, []]);
      await visitor.leave();
    });

    test("what another tab forgets is not learnt here, nor written back", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED, BUNDLE);
      const other = await visitor.another(site);
      await other.call("open", GRANTED, BUNDLE);
      await visitor.call("visit", ITEMS);
      await other.call("visit", ["sku-1", "sku-2"]);
      // Each learns while it is shown, and from the same clicks.
      const learn = async (clicks: number): Promise<void> => {
        for (const visitors of [other, visitor]) await visitors.tab.bringToFront().then(() => visitors.call("untilLearnt", clicks));
      };
      await learn(ITEMS.length + 2);
      const stored = await visitor.call("adapter");
      equal(stored?.items.length, ITEMS.length + 2);
      await other.call("visit", ["sku-3"]);
      await other.call("forgetItem", "sku-42");
      await learn(ITEMS.length + 1);
      ok(!(await visitor.call("adapter"))?.items.includes("sku-42"), "no trace");
      await other.call("forget");
      await sleep(1500);
      equal([(await visitor.call("status")).learnt, (await visitor.call("stored")).databases], [0, []]);
      await visitor.leave();
    });

    test("another bundle's vector is not used, and neither is what is none", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED, BUNDLE);
      await visitor.call("visit", ITEMS);
      await visitor.call("untilLearnt", ITEMS.length);
      const first = await visitor.call("adapter");
      await visitor.reload();
      await visitor.call("open", GRANTED, "/learning-again/");
      await sleep(1500);
      const second = await visitor.call("adapter");
      ok(second !== null && second.bundle !== first?.bundle, "learnt anew with the new bundle");
      await visitor.reload();
      await visitor.call("open", GRANTED);
      await sleep(1500);
      equal(await visitor.call("adapter"), null, "a bundle without an adapter needs no vector");
      for (const bad of [7, { bundle: second?.bundle }, { ...second, vector: [1, 2] }, { ...second, vector: second!.vector.map(() => Infinity) }, { ...second, vector: "no" }, { ...second, items: [5] }]) {
        await visitor.call("putAdapter", bad);
        await visitor.reload();
        await visitor.call("open", GRANTED, "/learning-again/");
        equal((await visitor.call("recommend")).length, 10);
        await visitor.call("untilLearnt", ITEMS.length);
      }
      await visitor.leave();
    });

    test("a full disk and a clock set back cost what was learnt nothing", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED, BUNDLE);
      await visitor.call("fillSettings");
      await visitor.call("visit", ITEMS);
      await visitor.call("untilLearnt", ITEMS.length);
      const { storage } = await visitor.call("status");
      equal([storage, await visitor.call("history"), await visitor.call("adapter")], [{ kind: "indexeddb" }, ITEMS, null]);
      await visitor.reload();
      await visitor.call("open", GRANTED, BUNDLE);
      await visitor.call("untilLearnt", ITEMS.length);
      await visitor.call("clock", -3_600_000);
      await visitor.call("visit", ["sku-5"]);
      await visitor.call("untilLearnt", ITEMS.length + 1);
      equal((await visitor.call("history")).length, ITEMS.length + 1);
      await visitor.leave();
    });

    test("events that are too old take what was learnt from them along", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", GRANTED, BUNDLE);
      await visitor.call("visit", ITEMS);
      await visitor.call("untilLearnt", ITEMS.length);
      await visitor.reload();
      await visitor.call("clock", 181 * 86_400_000);
      await visitor.call("open", GRANTED, BUNDLE);
      equal(await visitor.call("history"), []);
      equal([await visitor.call("adapter"), (await visitor.call("status")).learnt], [null, 0]);
      await visitor.leave();
    });

    test("answers go between the steps of learning", async () => {
      const slow = await serveShop(undefined, Object.fromEntries([...goldenLearning("slow", 64)].map(([file, body]) => [`/slow/${file}`, { body }])));
      const visitor = await browser.arrive(slow);
      await visitor.call("open", { engine: "cpu", storage: { kind: "memory", collapseMs: 0, retain: 10_000 } }, "/slow/");
      await visitor.call("visit", Array.from({ length: 1999 }, (_, n) => `sku-${(n * n) % 90}`));
      await visitor.call("untilLearnt", 1999);
      const { asked, longest, idle } = await visitor.call("askWhileLearning", 2000);
      ok(asked > 3, `asked ${asked} times; longest ${longest} ms, ${idle} ms before`);
      await visitor.leave();
      await slow.close();
    });
  });
}

test("every build learns in the tab what the native engine learns", { timeout: 300_000 }, async (t) => {
  const { adapter, bound, cases } = goldenAnswers();
  const bundle = Object.fromEntries([...goldenWith("golden taught", adapter)].map(([file, body]) => [`/taught/${file}`, { body }]));
  const [shop, browser] = await Promise.all([serveShop(undefined, bundle), launch(SWIFTSHADER)]);
  for (const engine of ["cpu", "gpu", "burn-cpu", "burn-gpu"] as const) {
    let apart = 0;
    // Shorter and longer than what the model reads at once, which is 20 clicks.
    for (const { history, learnt } of [cases[6]!, cases[23]!]) {
      const visitor = await ChromiumVisitor.arriveIn(await browser.newContext(), shop);
      const { status } = await visitor.call("open", { consent: "granted", engine, worker: false }, "/taught/");
      const slot = status[engine.endsWith("gpu") ? "gpu" : "cpu"];
      equal([slot.state, "build" in slot && slot.build], ["ready", engine], JSON.stringify(status));
      await visitor.call("visit", history);
      await visitor.call("untilLearnt", history.length);
      const found = await visitor.call("adapter");
      equal(found?.items, history);
      equal(found?.vector.length, learnt.length);
      const size = Math.max(...learnt.map(Math.abs));
      apart = Math.max(apart, ...learnt.map((value, at) => Math.abs(value - found!.vector[at]!) / size));
      await visitor.leave();
    }
    t.diagnostic(`${engine}: ${apart.toExponential(1)} of the largest number apart`);
    ok(apart <= bound, `${engine}: ${apart}`);
  }
  await browser.close();
  await shop.close();
});
