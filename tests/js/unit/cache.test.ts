import { afterEach, test } from "node:test";
import { alone, CACHE_NAME, eraseBundles } from "../../../js/bundle/cache.js";
import { codeOf, equal } from "../check.js";

/** Gives the page something that browsers have, until the test ends. */
function have(name: "caches" | "navigator", value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

const { navigator } = globalThis;
afterEach(() => {
  Reflect.deleteProperty(globalThis, "caches");
  have("navigator", navigator);
});

test("erasing deletes the one cache there is of ours, and is done where there are none", async () => {
  await eraseBundles();
  const deleted: string[] = [];
  have("caches", { delete: async (name: string) => deleted.push(name) });
  await eraseBundles();
  equal(deleted, [CACHE_NAME]);
});

test("an erasure that fails rejects", async () => {
  have("caches", { delete: () => Promise.reject(new Error("the disk is gone")) });
  equal(await codeOf(eraseBundles()), "storage/erase");
});

test("work is done alone where there are locks, and its failure is its own", async () => {
  const asked: string[] = [];
  have("navigator", { locks: { request: async (name: string, _: unknown, work: () => Promise<unknown>) => (asked.push(name), work()) } });
  equal([await alone(async () => 7), asked], [7, [CACHE_NAME]]);
  let done = 0;
  equal(await codeOf(alone(() => (done++, Promise.reject({ code: "mine" })))), "mine");
  equal(done, 1, "it is not tried again without the lock");
});

test("work is done without a lock where there are none, and where they may not be asked for", async () => {
  have("navigator", {});
  equal(await alone(async () => 7), 7);
  have("navigator", { locks: { request: () => Promise.reject(new DOMException("no", "SecurityError")) } });
  equal(await alone(async () => 8), 8);
});
