import { test } from "node:test";
import { History, MemoryStore } from "../../../js/history.js";
import type { StorageOptions } from "../../../js/types.js";
import { codeOf, equal, ok } from "../check.js";
import { HISTORY_TABLE } from "../history-table.js";

for (const [name, run] of Object.entries(HISTORY_TABLE)) {
  test(`memory store: ${name}`, () => run(async (retention) => new MemoryStore(retention)));
}

test("hands out copies that cannot change what is kept", async () => {
  const store = new MemoryStore({ retain: 5, collapseMs: 0 });
  await store.add({ item: "a", type: "view", at: 1 });
  for (const event of await store.list()) event.item = "changed";
  equal((await store.list())[0]?.item, "a");
});

test("moves to memory and says so where there is no IndexedDB", async () => {
  const losses: string[] = [];
  const history = new History({}, (error) => losses.push(error.code));
  equal((await history.record({ item: "a", at: 1 })).length, 1);
  equal(losses, ["storage/lost"]);
  equal(history.storage.kind, "memory");
  ok(history.storage.reason?.includes("no IndexedDB"), "the reason is given");
});

test("memory by choice is no loss", async () => {
  const history = new History({ kind: "memory" }, () => {
    throw new Error("nothing was lost");
  });
  await history.record({ item: "a" });
  equal(history.storage, { kind: "memory" });
});

test("writes in the order they were asked for, without waiting in between", async () => {
  const history = new History({ kind: "memory" });
  await Promise.all(["a", "b", "c"].map((item) => history.record({ item, at: 5 })));
  equal((await history.list()).map(({ item }) => item), ["a", "b", "c"]);
});

test("takes dates and words of the shop's own", async () => {
  const history = new History({ kind: "memory" });
  equal(await history.record({ item: "a", type: "wishlist", at: new Date(5) }), [{ item: "a", type: "wishlist", at: 5 }]);
});

for (const item of ["", 7, null, undefined, "x".repeat(2000)]) {
  test(`refuses ${JSON.stringify(item)?.slice(0, 20)} as an item id`, async () => {
    equal(await codeOf(new History({ kind: "memory" }).record({ item: item as string })), "input/item");
  });
}

test("refuses times that are none", async () => {
  equal(await codeOf(new History({ kind: "memory" }).record({ item: "a", at: Number.NaN })), "input/item");
  equal(await codeOf(new History({ kind: "memory" }).record({ item: "a", at: new Date("soon") })), "input/item");
});

for (const options of [{ retain: 0 }, { retain: 1.5 }, { collapseMs: -1 }] satisfies StorageOptions[]) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    equal(await codeOf((async () => new History({ kind: "memory", ...options }))()), "input/options");
  });
}
