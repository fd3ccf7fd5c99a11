import { test } from "node:test";
import { History } from "../../../js/history/history.js";
import { MemoryStore } from "../../../js/history/store.js";
import type { StorageOptions } from "../../../js/types.js";
import { codeOf, equal, ok } from "../check.js";
import { HISTORY_TABLE } from "../history-table.js";

for (const [name, run] of Object.entries(HISTORY_TABLE)) {
  test(`memory store: ${name}`, () => run(async (retention) => new MemoryStore(retention)));
}

const EVER = { kind: "memory", maxAgeMs: Infinity } as const;

test("hands out copies that cannot change what is kept", async () => {
  const store = new MemoryStore({ retain: 5, collapseMs: 0, maxAgeMs: Infinity });
  await store.add([{ item: "a", type: "view", at: 1 }]);
  for (const event of await store.list()) event.item = "changed";
  equal((await store.list())[0]?.item, "a");
});

test("moves to memory and says so where there is no IndexedDB", async () => {
  const losses: string[] = [];
  const history = new History({}, "granted", { onLoss: (error) => losses.push(error.code) });
  equal(await history.record({ item: "a" }), true);
  equal((await history.list()).length, 1);
  equal(losses, ["storage/lost"]);
  equal(history.storage.kind, "memory");
  ok(history.storage.reason?.includes("no IndexedDB"), "the reason is given");
  await history.close();
});

test("memory by choice is no loss", async () => {
  const history = new History(EVER, "granted", {
    onLoss: () => {
      throw new Error("nothing was lost");
    },
  });
  await history.record({ item: "a" });
  equal(history.storage, { kind: "memory" });
});

test("writes in the order they were asked for, without waiting in between", async () => {
  const history = new History(EVER);
  await Promise.all(["a", "b", "c"].map((item) => history.record({ item, at: 5 })));
  equal((await history.list()).map(({ item }) => item), ["a", "b", "c"]);
});

test("takes dates, words of the shop's own, and several events at once", async () => {
  const history = new History(EVER);
  await history.record([{ item: "a", type: "wishlist", at: new Date(5) }, { item: "b", at: 6, dwell: 10 }]);
  equal(await history.list(), [{ item: "a", type: "wishlist", at: 5 }, { item: "b", type: "view", at: 6, dwell: 10 }]);
});

test("records nothing where consent is denied, and forgets what was there when it is withdrawn", async () => {
  const history = new History(EVER, "denied");
  equal(await history.record({ item: "a" }), false);
  await history.allow("session");
  equal(await history.record({ item: "b" }), true);
  await history.allow("denied");
  equal([await history.list(), history.storage.kind], [[], "none"]);
});

test("records nothing while paused", async () => {
  const history = new History(EVER);
  await history.pause(true);
  equal(await history.record({ item: "a" }), false);
  await history.pause(false);
  equal(await history.record({ item: "a" }), true);
  equal((await history.list()).length, 1);
});

test("a time in the future counts as now", async () => {
  const history = new History(EVER);
  await history.record({ item: "a", at: Date.now() + 1e9 });
  ok(((await history.list())[0]?.at ?? Infinity) <= Date.now(), "not in the future");
});

test("a hundred thousand events are kept, and the next one takes no longer than a blink", async () => {
  const history = new History({ ...EVER, retain: 100_000 });
  await history.record(Array.from({ length: 100_000 }, (_, n) => ({ item: `sku-${n}`, at: n })));
  const begun = performance.now();
  await history.record({ item: "one more", at: 200_000 });
  const events = await history.list();
  equal([events.length, events[0]?.item, events.at(-1)?.item], [100_000, "sku-1", "one more"]);
  ok(performance.now() - begun < 1000, `${performance.now() - begun} ms`);
});

for (const item of ["", 7.5, null, undefined, "x".repeat(2000)]) {
  test(`refuses ${JSON.stringify(item)?.slice(0, 20)} as an item id`, async () => {
    equal(await codeOf(new History({ kind: "memory" }).record({ item: item as string })), "input/item");
  });
}

test("refuses times that are none", async () => {
  equal(await codeOf(new History({ kind: "memory" }).record({ item: "a", at: Number.NaN })), "input/item");
  equal(await codeOf(new History({ kind: "memory" }).record({ item: "a", at: new Date("soon") })), "input/item");
});

for (const options of [{ retain: 0 }, { retain: 1.5 }, { collapseMs: -1 }, { maxAgeMs: 0 }] satisfies StorageOptions[]) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    equal(await codeOf((async () => new History({ kind: "memory", ...options }))()), "input/options");
  });
}

for (const dwell of [-1, Number.NaN, Infinity]) {
  test(`refuses a dwell of ${dwell}`, async () => {
    equal(await codeOf(new History({ kind: "memory" }).record({ item: "a", dwell })), "input/item");
  });
}
