import { test } from "node:test";
import { BundleSource } from "../../../js/bundle.js";
import { MemoryCache } from "../../../js/cache.js";
import { BundleVerdicts, VERDICT } from "../../../js/verdict.js";
import { equal } from "../check.js";

const BASE = "https://shop.example/bundle/";

/** Verdicts over a bundle whose manifest is this text. */
function verdicts(cache: MemoryCache, manifest = "{}"): BundleVerdicts {
  const fetch = async () => new Response(manifest);
  return new BundleVerdicts(new BundleSource(BASE, { cache, fetch }));
}

test("a verdict is recalled on the same GPU and bundle, and on no other", async () => {
  const cache = new MemoryCache();
  equal(await verdicts(cache).recall("a GPU"), undefined);
  await verdicts(cache).keep("a GPU", "gpu");
  equal(await verdicts(cache).recall("a GPU"), "gpu");
  equal(await verdicts(cache).recall("another GPU"), undefined);
  equal(await verdicts(cache, "{ }").recall("a GPU"), undefined);
  await verdicts(cache).keep("another GPU", "cpu");
  equal([await verdicts(cache).recall("another GPU"), await verdicts(cache).recall("a GPU")], ["cpu", undefined]);
});

test("what is kept names neither the GPU nor the browser", async () => {
  const cache = new MemoryCache();
  await verdicts(cache).keep("a GPU", "gpu");
  const kept = new TextDecoder().decode(await cache.get(BASE + VERDICT));
  equal(kept.replace(/"[0-9a-f]{64}"/, "HASH"), '{"on":HASH,"faster":"gpu"}');
});

test("what is no verdict of ours is passed over", async () => {
  for (const text of ["", "null", "{}", '{"on":1,"faster":"tpu"}', "\u0000"]) {
    const cache = new MemoryCache();
    await cache.put(BASE + VERDICT, new TextEncoder().encode(text));
    equal(await verdicts(cache).recall("a GPU"), undefined);
  }
});

test("opening the bundle keeps the verdict, and damage in it drops it with the files", async () => {
  const cache = new MemoryCache();
  const bundle = new BundleSource(BASE, { cache, fetch: async () => new Response('{"files":[]}') });
  const kept = new BundleVerdicts(bundle);
  await kept.keep("a GPU", "gpu");
  await bundle.open();
  equal(await kept.recall("a GPU"), "gpu");
  await bundle.evict();
  equal(await kept.recall("a GPU"), undefined);
});
