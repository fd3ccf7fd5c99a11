import { test } from "node:test";
import { BundleVerdicts } from "../../../js/engine/verdict.js";
import { verdictsOnDevice } from "../../../js/engine/verdict-store.js";
import { FakeCaches } from "../caches.js";
import { equal } from "../check.js";

const BASE = "https://shop.example/bundle/";

type Kept = Map<string, string>;

/** Verdicts over a bundle whose manifest is this text. */
function verdicts(kept: Kept, manifest = "{}", base = BASE): BundleVerdicts {
  const store = { get: async (base: string) => kept.get(base), put: async (base: string, text: string) => void kept.set(base, text) };
  return new BundleVerdicts({ base: new URL(base), manifest: async () => new TextEncoder().encode(manifest) }, store);
}

test("a verdict is recalled on the same GPU and bundle, and on no other", async () => {
  const kept: Kept = new Map();
  equal(await verdicts(kept).recall("a GPU"), undefined);
  await verdicts(kept).keep("a GPU", "gpu");
  equal(await verdicts(kept).recall("a GPU"), "gpu");
  equal(await verdicts(kept).recall("another GPU"), undefined);
  equal(await verdicts(kept, "{ }").recall("a GPU"), undefined);
  equal(await verdicts(kept, "{}", `${BASE}deeper/`).recall("a GPU"), undefined);
  await verdicts(kept).keep("another GPU", "cpu");
  equal([await verdicts(kept).recall("another GPU"), await verdicts(kept).recall("a GPU")], ["cpu", undefined]);
});

test("what is kept names neither the GPU nor the browser", async () => {
  const kept: Kept = new Map();
  await verdicts(kept).keep("a GPU", "gpu");
  equal([...kept.values()].map((text) => text.replace(/"[0-9a-f]{64}"/, "HASH")), ['{"on":HASH,"faster":"gpu"}']);
});

test("a verdict that is on its way to the device when it may not be kept any more does not stay there", async (t) => {
  let may = true;
  const caches = new FakeCaches(async (step) => void (may &&= !step.startsWith("put")));
  Object.defineProperty(globalThis, "caches", { value: caches, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, "caches"));
  await verdictsOnDevice(() => may).put("https://shop.example/b/", "cpu");
  equal([may, caches.stores.size], [false, 0]);
});

test("what is no verdict of ours is passed over", async () => {
  for (const text of ["", "null", "{}", '{"on":1,"faster":"tpu"}', "\u0000"]) {
    equal(await verdicts(new Map([[BASE, text]])).recall("a GPU"), undefined);
  }
});
