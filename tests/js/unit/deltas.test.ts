// Many releases in a row, and deltas between them. Whatever is wrong with a delta, the new bundle is used, and nothing
// that was stored is lost.

import { test } from "node:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BundleOptions } from "../../../js/bundle/bundle.js";
import { patch } from "../../../js/bundle/delta.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import { FakeCaches } from "../caches.js";
import { equal, ok } from "../check.js";
import { goldenAgain, goldenFiles, goldenNext, type Handler, root } from "../golden.js";
import { type Files, packed, type Shop } from "../signed.js";
import { open } from "../signed-visits.js";

test("a hundred releases on one returning visitor: always the latest, and storage does not grow", async () => {
  const { shop, later, caches } = await open();
  const sizes: number[] = [];
  const bundles: Files[] = [goldenFiles(), goldenNext(), goldenAgain()];
  for (let n = 0; n < 100; n++) {
    shop.publish(bundles[n % 3]!);
    const { signed } = await later();
    equal(signed?.release, shop.release);
    sizes.push([...caches.stores.values()].reduce((sum, store) => sum + store.size, 0));
  }
  equal(new Set(sizes).size, 1, `entries: ${sizes.join()}`);
});

test("a hundred releases in a row, each with a delta from the one before: nothing is fetched whole, nothing is older, storage does not grow", async () => {
  const { shop, later, asked, site, caches } = await open();
  await later();
  const sizes: number[] = [];
  const bundles: Files[] = [goldenFiles(), goldenNext()];
  for (let n = 1; n <= 100; n++) {
    const before = site.requests.length;
    const delta = shop.follow(bundles[n % 2]!, undefined, { name: `release ${n}` });
    const { name, signed } = await later();
    equal([name, signed?.release], [`release ${n}`, shop.release]);
    const fresh = asked().slice(before);
    equal(fresh.filter((name) => name?.startsWith("delta-")), [delta]);
    equal(fresh.filter((name) => /^(model|items|ids)-/.test(name ?? "")), [], `release ${n}`);
    sizes.push([...caches.stores.values()].reduce((sum, store) => sum + store.size, 0));
  }
  equal(new Set(sizes).size, 1, `entries: ${sizes.join()}`);
});

/** A returning visitor of a release with a delta that something is wrong with: its files are fetched whole. */
async function fetchedWhole(change: (delta: Uint8Array<ArrayBuffer>, shop: Shop) => Uint8Array<ArrayBuffer>, options: { at?: (name: string) => Handler | undefined } = {}, more: BundleOptions = {}) {
  const { shop, visit, later, asked } = await open(options);
  equal((await visit()).name, "golden");
  const delta = shop.follow(goldenNext(), (delta) => change(delta, shop));
  const { name, stale, signed } = await later(more);
  equal([name, stale, signed?.release], ["golden next", undefined, 2]);
  const whole = asked().filter((name) => goldenNext().has(name ?? "") && !goldenFiles().has(name ?? ""));
  ok(whole.length > 0 && new Set(whole).size === [...goldenNext().keys()].filter((name) => !goldenFiles().has(name)).length, `fetched: ${whole.join()}`);
  // It is on the device: without its host it answers.
  for (const name of [...shop.files.keys()]) shop.files.delete(name);
  equal((await later()).name, "golden next");
  return asked().filter((name) => name === delta).length;
}

test("a delta that a host does not have, cuts short, sends another for or redirects is passed over", async () => {
  const at = (answer: Handler) => ({ at: (name: string) => (name.startsWith("delta-") ? answer : undefined) });
  // Once more past the caches, as any file.
  equal(await fetchedWhole((delta) => delta, at((_, response) => response.writeHead(404).end())), 2);
  await fetchedWhole((delta) => delta, at((_, response) => response.writeHead(302, { location: "/b/keys-1.json" }).end()));
  await fetchedWhole((delta) => delta, at((_, response) => response.end("something else")));
  await fetchedWhole((delta) => delta, at((_, response) => void response.writeHead(200, { "content-length": 100 }).write("half", () => response.destroy())));
});
test("a delta that does not end or never comes is given up", async () => {
  const flood: Handler = (_, response) => {
    const timer = setInterval(() => response.write(Buffer.alloc(2 ** 16)), 1);
    response.on("close", () => clearInterval(timer));
  };
  await fetchedWhole((delta) => delta, { at: (name) => (name.startsWith("delta-") ? flood : undefined) });
  await fetchedWhole((delta) => delta, { at: (name) => (name.startsWith("delta-") ? () => {} : undefined) }, { stallMs: 300 });
});
test("a delta that unpacks to more than it is for is not unpacked to its end", async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * 2 ** 20)));
  await fetchedWhole(() => bomb);
});
test("a delta that is damaged, against another base or of another version is passed over", async () => {
  const damaged = (delta: Uint8Array<ArrayBuffer>) => delta.map((byte, n) => (n === delta.length >> 1 ? byte ^ 1 : byte));
  await fetchedWhole(damaged);
  await fetchedWhole((delta) => delta.slice(0, delta.length - 9));
  await fetchedWhole(() => new Uint8Array(0));
  const files = (shop: Shop) => {
    const [from, to] = [...shop.texts.values()].slice(-2).map((text) => (JSON.parse(text) as { files: { name: string; bytes: number }[] }).files);
    return { from: from![0]!, to: to![0]! };
  };
  // What is made by right operations from other bytes is not what the manifest describes.
  await fetchedWhole((_, shop) => packed([{ name: files(shop).to.name, from: files(shop).from.name, ops: [[1, files(shop).from.bytes, 0]] }], Buffer.alloc(files(shop).from.bytes, 1)));
  for (const ops of [[[1, 2 ** 40, 0]], [[1, 8, 2 ** 40]], [[2, 2 ** 40, 0, 1]], [[2, 4, -4, 1]], [[0, -1]], [[0, 1.5]], [[7, 1]], [[1]], [], "ops", [null]]) {
    await fetchedWhole((_, shop) => packed([{ name: files(shop).to.name, from: files(shop).from.name, ops: ops as object }], Buffer.alloc(64)));
  }
  await fetchedWhole((_, shop) => packed([{ name: files(shop).to.name, from: "model-0000000000000000.safetensors", ops: [] }], Buffer.alloc(0)));
  await fetchedWhole(() => packed([{ name: "../channel.json", from: "", ops: [[0, 4]] }], Buffer.alloc(4)));
  await fetchedWhole(() => packed([], Buffer.alloc(0), 2));
});
test("a browser that cannot unpack fetches whole files", async () => {
  const real = globalThis.DecompressionStream;
  Reflect.deleteProperty(globalThis, "DecompressionStream");
  try {
    await fetchedWhole((delta) => delta);
  } finally {
    globalThis.DecompressionStream = real;
  }
});
test("nobody but those who have the release before asks for a delta", async () => {
  const { shop, later, asked } = await open();
  await later();
  shop.publish(goldenNext());
  shop.follow(goldenAgain());
  await later();
  const deltas = () => asked().filter((name) => name?.startsWith("delta-"));
  equal(deltas(), [], "two releases behind");
  await later();
  Object.assign(globalThis, { caches: new FakeCaches() });
  await later();
  equal(deltas(), [], "with this release, and with none");
});
test("a channel with strange deltas is read, and none of them is fetched", async () => {
  const { shop, visit, later, asked } = await open();
  await visit();
  const manifest = shop.put(goldenNext());
  const [from, to] = [...shop.texts.values()].slice(-2).map((text) => createHash("sha256").update(text).digest("hex"));
  const right = { from, to, name: "delta-0123456789abcdef.bin", bytes: 10, sha256: "0".repeat(64) };
  for (const deltas of [[null, 1, "x", {}], [{ ...right, name: "../keys-1.json" }], [{ ...right, bytes: 1e300 }], [{ ...right, sha256: 5 }], { length: 1 }]) {
    shop.say({ manifest, deltas: deltas as unknown[] });
    equal((await later({ cache: new KeptBundles(() => false) })).name, "golden next");
  }
  equal(asked().filter((name) => name?.includes("delta-") || name?.includes("..")), []);
});
test("what the program made is made here too, to the bit", async () => {
  const { old, kept, manifest, delta, made } = JSON.parse(readFileSync(join(root, "tests/data/delta.json"), "utf8")) as { old: Record<string, string>; kept: string; manifest: string; delta: string; made: Record<string, string> };
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
  const hash = (of: string | Uint8Array) => createHash("sha256").update(of).digest("hex");
  const named = { from: hash(kept), to: hash(manifest), name: `delta-${hash(bytes(delta)).slice(0, 16)}.bin`, bytes: delta.length / 2, sha256: hash(bytes(delta)) };
  const before = { kept: new TextEncoder().encode(kept), read: async (name: string) => bytes(old[name]!), take: async () => bytes(delta) };
  const found = await patch([named], new TextEncoder().encode(manifest), before);
  equal([...found].map(([name, of]) => [name, hash(of)]).sort(), Object.entries(made).sort());
  ok(found.size === 3, "the model, a block and the ids");
});
