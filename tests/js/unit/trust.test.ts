// The keys that a page trusts: what is none is told, before anything is asked for.

import { test } from "node:test";
import { trustOf } from "../../../js/bundle/trust.js";
import type { Trust } from "../../../js/types.js";
import { equal, ok } from "../check.js";

const KEY = "ab".repeat(32);
const OTHER = "cd".repeat(32);

test("keys as the program prints them are taken, and none where none are given", async () => {
  equal([await trustOf(undefined), await trustOf("any")], [undefined, undefined]);
  for (const trust of [{ shop: "shoes", keys: [KEY] }, { shop: "shoes", epoch: 3, threshold: 2, keys: [KEY, OTHER], atLeast: 7 }]) equal(await trustOf(trust), trust);
});

/** What is wrong with a value, and a word that the message must have. */
const WRONG: [unknown, string][] = [
  [null, "shop"],
  ["shoes", "shop"],
  [[], "shop"],
  [{ keys: [KEY] }, "shop"],
  [{ shop: "", keys: [KEY] }, "shop"],
  [{ shop: 7, keys: [KEY] }, "shop"],
  [{ shop: "shoes" }, "keys"],
  [{ shop: "shoes", keys: KEY }, "keys"],
  [{ shop: "shoes", keys: [KEY.toUpperCase()] }, "lower case"],
  [{ shop: "shoes", keys: [KEY.slice(1)] }, "64 hex digits"],
  [{ shop: "shoes", keys: [KEY, 5] }, "keys"],
  [{ shop: "shoes", keys: [] }, "1 keys must sign, and there are 0"],
  [{ shop: "shoes", keys: [KEY, KEY], threshold: 2 }, "2 keys must sign, and there are 1"],
  [{ shop: "shoes", keys: [KEY], threshold: 0 }, "threshold"],
  [{ shop: "shoes", keys: [KEY], epoch: "1" }, "epoch"],
  [{ shop: "shoes", keys: [KEY], epoch: 1.5 }, "epoch"],
  [{ shop: "shoes", keys: [KEY], atLeast: -1 }, "atLeast"],
  // HTML has no capitals in names: a slip here must not lower what is asked for.
  [{ shop: "shoes", keys: [KEY], atleast: 7 }, "atleast"],
];

for (const [value, word] of WRONG) {
  test(`${JSON.stringify(value)?.replaceAll(KEY, "KEY")} is refused`, async () => {
    const error = await trustOf(value as Trust).then(
      () => undefined,
      (error: { code: string; message: string }) => error,
    );
    equal(error?.code, "input/options");
    ok(error?.message.includes(word) && error.message.includes("ingle keys show"), error?.message ?? "");
  });
}
