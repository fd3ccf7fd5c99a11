// Signed releases: the attacks that The Update Framework lists, and bad input. Each time: what the shopper has in use
// afterwards, and what stays on the device.

import { afterEach, test } from "node:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type BundleOptions, BundleSource } from "../../../js/bundle/bundle.js";
import { keptAddress, VERDICTS_NAME } from "../../../js/bundle/cache.js";
import { patch } from "../../../js/bundle/delta.js";
import { isSigned } from "../../../js/bundle/ed25519.js";
import { forgetSeen, highest } from "../../../js/bundle/ratchet.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import type { IngleError } from "../../../js/errors.js";
import { FakeCaches } from "../caches.js";
import { codeOf, equal, ok, until } from "../check.js";
import { goldenAgain, goldenFiles, goldenNext, type Handler, root, serveSite, type Site } from "../golden.js";
import { DAY, envelope, type Files, newKey, NOW, packed, Shop } from "../signed.js";

const sites: Site[] = [];
afterEach(async () => {
  Reflect.deleteProperty(globalThis, "caches");
  forgetSeen();
  await Promise.all(sites.splice(0).map((site) => site.close()));
});

const nameIn = (manifest: Uint8Array): unknown => (JSON.parse(new TextDecoder().decode(manifest)) as { name: unknown }).name;

/** A shop that has published a first release, its host, and a device with caches. */
async function open(wrong: { at?: (name: string) => Handler | undefined } = {}) {
  const caches = new FakeCaches();
  Object.assign(globalThis, { caches });
  const shop = new Shop();
  shop.publish(goldenFiles());
  const site = await serveSite((request, response) => {
    const name = request.url?.slice(3) ?? "";
    const other = wrong.at?.(name);
    if (other) return other(request, response);
    const bytes = shop.files.get(name);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  sites.push(site);
  const url = `${site.url}b/`;
  /** A visit whose engine works: what is in use then. */
  const visit = async (options: BundleOptions = {}) => {
    const source = new BundleSource(url, { trust: shop.trust, patienceMs: 60_000, ...options });
    const { manifest, signed } = await source.open();
    await source.accept();
    return { source, name: nameIn(manifest), signed, stale: source.stale?.code };
  };
  /** The next page of the same device. */
  const later = (options: BundleOptions = {}) => (forgetSeen(), visit(options));
  const asked = () => site.requests.map(({ url }) => url?.slice(3));
  return { shop, site, url, visit, later, asked, caches };
}

/** Visits once while all is well, then again after something happened: the first bundle stays, and the code says why. */
async function refused(code: string, happens: (shop: Shop) => void | Promise<void>): Promise<void> {
  const { shop, visit, later } = await open();
  equal((await visit()).name, "golden");
  const trust = shop.trust;
  await happens(shop);
  const { name, stale, source } = await later({ trust });
  equal([name, stale], ["golden", code], "the returning visitor");
  equal(nameIn((await source.open()).manifest), "golden");
  // Who has nothing on the device gets nothing of it.
  Object.assign(globalThis, { caches: new FakeCaches() });
  equal(await codeOf(later({ trust })), code, "the new visitor");
}

test("a signed release is used, and the status says whose it is", async () => {
  const { shop, visit, asked } = await open();
  const { name, signed, stale } = await visit();
  equal([name, signed, stale], ["golden", { shop: "shoes", epoch: 1, release: 1 }, undefined]);
  equal(asked().slice(0, 2).sort(), ["channel.json", "keys-1.json"]);
  equal(asked()[2], shop.channel.manifest.name);
  ok(!asked().includes("manifest.json"), "the unsigned manifest is not asked for");
});

test("an unsigned folder keeps working, and is said to be unsigned", async () => {
  const { shop, url, asked } = await open();
  for (const [name, bytes] of goldenFiles()) shop.files.set(name, bytes);
  const source = new BundleSource(url);
  const { signed, manifest } = await source.open();
  equal([nameIn(manifest), signed], ["golden", null]);
  ok(!asked().includes("channel.json"), "no signed file is asked for");
});

// Arbitrary software.
test("a manifest that nobody signed is refused", () =>
  refused("delivery/hash", (shop) => {
    const { name } = shop.channel.manifest;
    shop.files.set(name, new TextEncoder().encode(new TextDecoder().decode(shop.files.get(name)).replace("golden", "forged")));
  }));
test("a channel that was changed after it was signed is refused", () =>
  refused("delivery/signature", (shop) => {
    const text = new TextDecoder().decode(shop.files.get("channel.json"));
    shop.files.set("channel.json", new TextEncoder().encode(text.replace('\\"release\\":1', '\\"release\\":2')));
  }));

// Freeze.
test("a channel that has expired is used, and told", async () => {
  const { shop, visit, later } = await open();
  shop.say({ expires: NOW - DAY });
  const first = await visit();
  equal([first.name, first.stale], ["golden", "delivery/expired"], "a new visitor has recommendations");
  const again = await later();
  equal([again.name, again.stale], ["golden", "delivery/expired"]);
  shop.publish(goldenNext());
  const after = await later();
  equal([after.name, after.stale], ["golden next", undefined], "once the shop has published again");
});

// Rollback.
test("a release older than the one seen before is refused", async () => {
  const { shop, visit, later } = await open();
  const old = new Map(shop.files);
  shop.publish(goldenNext());
  equal((await visit()).name, "golden next");
  shop.files = old;
  const { name, stale } = await later();
  equal([name, stale], ["golden next", "delivery/rollback"]);
});
test("a release older than the page says is refused, on a device that has seen none", async () => {
  const { shop, visit } = await open();
  equal(await codeOf(visit({ trust: { ...shop.trust, atLeast: 2 } })), "delivery/rollback");
  shop.publish(goldenNext());
  equal((await visit({ trust: { ...shop.trust, atLeast: 2 } })).name, "golden next");
});
test("a shop goes back by a higher release that names the older manifest", async () => {
  const { shop, visit, later } = await open();
  const { manifest } = shop.channel;
  shop.publish(goldenNext());
  equal((await visit()).name, "golden next");
  shop.say({ manifest });
  const { name, stale } = await later();
  equal([name, stale], ["golden", undefined]);
});

// Fast-forward.
test("a release far ahead does not outlive the key that signed it", async () => {
  const { shop, visit, later } = await open();
  const trust = shop.trust;
  shop.say({ release: Number.MAX_SAFE_INTEGER });
  equal((await visit({ trust })).signed?.release, Number.MAX_SAFE_INTEGER);
  shop.rotate({ ci: newKey() });
  shop.say({ release: 3, manifest: shop.put(goldenNext()) });
  const { name, signed, stale } = await later({ trust });
  equal([name, signed, stale], ["golden next", { shop: "shoes", epoch: 2, release: 3 }, undefined]);
});

// Mix and match.
test("a manifest of another release under this one's name is refused", () =>
  refused("delivery/hash", (shop) => {
    const old = shop.files.get(shop.channel.manifest.name)!;
    shop.publish(goldenNext());
    shop.files.set(shop.channel.manifest.name, old);
  }));
test("files of another release are refused", () =>
  refused("bundle/hash", (shop) => {
    shop.publish(goldenNext());
    const [name, bytes] = [...goldenNext()].find(([name]) => name.startsWith("model-"))!;
    shop.files.set(name, Uint8Array.from(bytes, (byte, n) => (n === bytes.length - 1 ? byte ^ 1 : byte)));
  }));
test("a signature of one kind of file is none of another", () =>
  refused("delivery/signature", (shop) => {
    shop.files.set("channel.json", envelope("manifest", { ...shop.channel, release: 2 }, [shop.ci]));
  }));

// Endless data.
for (const which of ["channel.json", "keys-1.json", "the manifest"]) {
  test(`${which} without an end is refused, and its connection closed`, async () => {
    const wrong: Parameters<typeof open>[0] = {};
    const { shop, visit, later } = await open(wrong);
    await visit();
    const name = which === "the manifest" ? shop.channel.manifest.name : which;
    let closed = false;
    wrong.at = (asked) =>
      asked !== name
        ? undefined
        : (_, response) => {
            response.on("close", () => (closed = true));
            const more = () => response.destroyed || response.write(" ".repeat(2 ** 16), more);
            more();
          };
    equal((await later()).stale, "delivery/format");
    await until(() => closed, "the connection is closed");
  });
}
test("epochs are not followed without an end", async () => {
  const { shop, visit, asked } = await open();
  shop.files.set("channel.json", envelope("channel", shop.channel, [shop.ci], 1_000_000));
  equal(await codeOf(visit()), "delivery/format");
  equal(asked().sort(), ["channel.json", "keys-1.json"]);
});

// Extraneous files.
test("nothing is fetched that the release does not name", async () => {
  const { shop, visit, asked } = await open();
  shop.say({ ...({ mirrors: ["https://elsewhere.test/"], files: ["more-0123456789abcdef.json"] } as object) });
  await visit();
  const named = [...goldenFiles().keys()].filter((name) => name !== "manifest.json");
  equal(asked().sort(), ["channel.json", "keys-1.json", shop.channel.manifest.name, ...named].sort());
});

// Wrong keys.
test("a channel signed by other keys is refused, and so are their key files", () =>
  refused("delivery/signature", (shop) => {
    const other = new Shop();
    other.publish(goldenNext());
    shop.files = other.files;
  }));
test("the key for manifests signs no channel, and that for the channel no manifest", async () => {
  await refused("delivery/signature", (shop) => shop.say({}, shop.root));
  await refused("delivery/signature", (shop) => {
    const root = shop.root;
    shop.root = [shop.ci];
    shop.publish(goldenNext());
    shop.root = root;
  });
});

// Slow retrieval.
for (const which of ["channel.json", "keys-1.json", "the manifest"]) {
  test(`${which} that comes a byte at a time is given up`, async () => {
    const wrong: Parameters<typeof open>[0] = {};
    const { shop, visit, later } = await open(wrong);
    await visit();
    const name = which === "the manifest" ? shop.channel.manifest.name : which;
    wrong.at = (asked) =>
      asked !== name
        ? undefined
        : (_, response) => {
            const timer = setInterval(() => response.write(" "), 20);
            response.on("close", () => clearInterval(timer));
          };
    const before = Date.now();
    const { name: used, stale } = await later({ stallMs: 400 });
    equal([used, stale], ["golden", "bundle/network"]);
    ok(Date.now() - before < 10_000, "it does not wait for the last byte");
  });
}

// Key compromise.
test("with the channel's key alone, no other bundle than the shop's own can be given", () =>
  refused("delivery/signature", (shop) => {
    const stranger = new Shop();
    stranger.root = [newKey()];
    const manifest = stranger.put(goldenNext());
    for (const [name, bytes] of stranger.files) if (name !== "keys-1.json") shop.files.set(name, bytes);
    shop.say({ manifest });
  }));
test("a revoked key signs nothing any more for those who have seen its successor or know of it", async () => {
  const { shop, visit, later } = await open();
  const [trust, old] = [shop.trust, shop.ci];
  shop.rotate({ ci: newKey() });
  shop.publish(goldenNext());
  equal((await visit({ trust })).name, "golden next");
  const files = new Map(shop.files);
  // In epoch 2 the old key has no say, and epoch 1 is over.
  shop.say({ manifest: shop.put(goldenAgain()) }, [old]);
  equal((await later({ trust })).stale, "delivery/signature");
  shop.files = new Map(files).set("channel.json", envelope("channel", { ...shop.channel, epoch: 1, release: 99 }, [old], 1));
  equal((await later({ trust })).stale, "delivery/rollback");
  Object.assign(globalThis, { caches: new FakeCaches() });
  equal(await codeOf(later({ trust: { ...shop.trust, epoch: 2 } })), "delivery/rollback");
});
test("a page with old keys follows a rotation that old and new ones signed, and no other", async () => {
  const { shop, visit, later } = await open();
  const trust = shop.trust;
  const before = shop.root;
  shop.rotate({ root: [newKey()] });
  shop.publish(goldenNext());
  equal((await visit({ trust })).name, "golden next");
  equal((await later()).name, "golden next", "a page with the new pins");
  for (const signers of [before, shop.root]) {
    Object.assign(globalThis, { caches: new FakeCaches() });
    shop.putKeys(2, signers);
    equal(await codeOf(later({ trust })), "delivery/signature");
  }
});
test("after a leak of the offline key, a page with new pins uses nothing that the old one signed", async () => {
  const { shop, visit, later, caches } = await open();
  await visit();
  const again = new Shop();
  again.epoch = 4;
  again.putKeys(4, again.root);
  for (const name of ["channel.json", "keys-1.json"]) again.files.set(name, shop.files.get(name)!);
  const { trust } = again;
  shop.files = again.files;
  equal(await codeOf(later({ trust })), "delivery/rollback", "what was kept is not used either");
  again.publish(goldenNext());
  const { name, stale } = await later({ trust });
  equal([name, stale], ["golden next", undefined]);
  const manifests = [...caches.stores.get("ingle-bundles")!.keys()].filter((url) => url.endsWith("/manifest.json"));
  equal(manifests.length, 1, "and what the old keys signed is gone");
});
test("as many root keys must sign as the page says", async () => {
  const { shop, visit } = await open();
  shop.root = [newKey(), newKey(), newKey()];
  shop.threshold = 2;
  shop.putKeys(1, shop.root.slice(0, 1));
  shop.publish(goldenFiles());
  equal(await codeOf(visit()), "delivery/signature");
  const [one] = shop.root;
  shop.putKeys(1, [one!, one!]);
  equal(await codeOf(visit()), "delivery/signature", "one key twice is one key");
  shop.putKeys(1, shop.root.slice(1));
  equal((await visit()).name, "golden");
});

// Bad input.
test("a clock that is a year off refuses nothing", async () => {
  const { later } = await open();
  const real = Date.now;
  try {
    for (const days of [-365, 365]) {
      Date.now = () => real() + days * DAY * 1000;
      const { name, stale } = await later();
      equal([name, stale], ["golden", days > 0 ? "delivery/expired" : undefined]);
    }
  } finally {
    Date.now = real;
  }
});
test("a channel of another shop is refused", () => refused("delivery/shop", (shop) => shop.say({ shop: "hats" })));
test("a key file of another shop is refused", () =>
  refused("delivery/shop", (shop) => void shop.files.set("keys-1.json", envelope("keys", { ...shop.keysPayload(), shop: "hats" }, shop.root))));
test("a key file with an unknown algorithm is refused", () =>
  refused("delivery/algorithm", (shop) => {
    const payload = shop.keysPayload();
    payload.keys[0]!.algorithm = "mldsa65";
    shop.files.set("keys-1.json", envelope("keys", payload, shop.root));
  }));
for (const wrong of ["", "00", "zz".repeat(64), "0".repeat(130)]) {
  test(`a signature of ${wrong.length} digits does not count`, () =>
    refused("delivery/signature", (shop) => {
      const text = new TextDecoder().decode(shop.files.get("channel.json"));
      shop.files.set("channel.json", new TextEncoder().encode(text.replace(/"signature":"\w*"/, `"signature":"${wrong}"`)));
    }));
}
for (const page of ["<!doctype html>", "", "null", "[]", "{}", '{"format":2,"epoch":1,"payload":"{}","signatures":[]}', '{"format":1,"epoch":1,"payload":{},"signatures":[]}', '{"format":1,"epoch":0,"payload":"{}","signatures":[]}']) {
  test(`${page || "nothing"} in the channel's place is refused`, () => refused("delivery/format", (shop) => void shop.files.set("channel.json", new TextEncoder().encode(page))));
}
for (const change of [{ rollout: 0 }, { rollout: 2 }, { rollout: 0.5 }, { release: 0 }, { release: 1.5 }, { expires: -1 }, { manifest: { name: "../manifest-0123456789abcdef.json", sha256: "0123456789abcdef".repeat(4) } }, { manifest: { name: "model-0123456789abcdef.json", sha256: "0123456789abcdef".repeat(4) } }]) {
  test(`a channel with ${JSON.stringify(change)} is refused`, () => refused("delivery/format", (shop) => shop.say(change)));
}
test("a host without a channel is an http error, and what is kept answers", () => refused("bundle/http", (shop) => void shop.files.delete("channel.json")));
test("a channel that redirects is refused", async () => {
  const wrong: Parameters<typeof open>[0] = {};
  const { visit, later } = await open(wrong);
  await visit();
  wrong.at = (name) => (name === "channel.json" ? (_, response) => response.writeHead(302, { location: "/b/other.json" }).end() : undefined);
  equal((await later()).stale, "bundle/http");
});
test("trust that is none is the page's own fault", async () => {
  const { shop, visit } = await open();
  for (const change of [{ keys: [] }, { threshold: 2 }, { threshold: 0 }, { epoch: 0 }, { shop: undefined as never }, { keys: "all" as never }]) {
    equal(await codeOf(visit({ trust: { ...shop.trust, ...change } })), "input/options", JSON.stringify(change));
  }
});
test("a damaged copy of an immutable file in the browser's cache is fetched past it", async () => {
  const wrong: Parameters<typeof open>[0] = {};
  const { visit, asked } = await open(wrong);
  const broken = new Set<string>();
  wrong.at = (name) => {
    if (!/^(keys|manifest)-/.test(name) || broken.has(name)) return undefined;
    broken.add(name);
    return (_, response) => response.end("{}");
  };
  equal((await visit()).name, "golden");
  equal(asked().filter((name) => name === "keys-1.json").length, 2);
});

// Rollouts.
test("a release that is being rolled out is for its share of visits", async () => {
  const { shop, later } = await open();
  const { manifest } = shop.channel;
  shop.say({ manifest: shop.put(goldenNext()), rollout: 0.05, previous: { manifest } });
  for (const [lot, name] of [[0, "golden next"], [0.049, "golden next"], [0.05, "golden"], [0.99, "golden"]] as const) equal((await later({ lot })).name, name, String(lot));
});

// What is stored.
test("the highest release is on the device only while that is allowed, and goes with the history", async () => {
  const { shop, url, caches } = await open();
  let may = false;
  const cache = new KeptBundles(() => may);
  const source = new BundleSource(url, { trust: shop.trust, cache });
  await source.open();
  await source.accept();
  equal([...caches.stores.keys()], [], "nothing without consent");
  may = true;
  await cache.settle();
  const stored = [...(caches.stores.get(VERDICTS_NAME) ?? [])];
  equal(stored.map(([, bytes]) => new TextDecoder().decode(bytes)), ["[1,1]"]);
  const place = decodeURIComponent(stored[0]![0].slice("https://ingle.invalid/".length, -"/release".length));
  equal(stored[0]![0], `${keptAddress(place)}/release`);
  forgetSeen();
  equal(await highest(place), [1, 1]);
  caches.stores.delete(VERDICTS_NAME);
  equal(await highest(place), [0, 0], "erased as the history is");
});
test("what was kept before the page knew the keys is not used", async () => {
  const { shop, url, visit, caches } = await open();
  for (const [name, bytes] of goldenAgain()) shop.files.set(name, bytes);
  const source = new BundleSource(url);
  equal(nameIn((await source.open()).manifest), "golden again");
  await source.accept();
  shop.files.delete("channel.json");
  equal(await codeOf(visit()), "bundle/http");
  shop.say({});
  await visit();
  equal([...caches.stores.get("ingle-bundles")!.keys()].filter((url) => url.endsWith("/manifest.json")).length, 1);
});
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

// Deltas. Each time the new bundle is used, and nothing that was stored is lost.

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
  equal(await fetchedWhole((delta) => delta, at((_, response) => response.writeHead(404).end())), 1);
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

// Signatures.
const vectors = JSON.parse(readFileSync(join(root, "tests/data/ed25519.json"), "utf8")) as [string, string, string, boolean][];
for (const by of ["the browser", "the script that is loaded without"]) {
  test(`signatures are judged as Wycheproof says, by ${by}`, async () => {
    const { subtle } = crypto;
    const real = subtle.importKey;
    if (by !== "the browser") subtle.importKey = async () => Promise.reject(new DOMException("no", "NotSupportedError"));
    try {
      let texts = 0;
      for (const [key, message, signature, valid] of vectors) {
        const bytes = Buffer.from(message, "hex");
        // Only texts are signed here.
        if (Buffer.compare(Buffer.from(bytes.toString()), bytes) !== 0) continue;
        texts++;
        equal(await isSigned(bytes.toString(), signature, key), valid, `${message} ${signature}`);
      }
      ok(texts > 50 && vectors.length > 100, `${texts} of ${vectors.length} vectors are of texts`);
      // Small order: such keys, and signatures with such a point, whatever they are of.
      for (const point of SMALL) {
        equal(await isSigned("text", point + "00".repeat(32), point), false, point);
        equal(await isSigned("text", vectors[0]![2], point), false, point);
        equal(await isSigned("text", point + "00".repeat(32), vectors[0]![0]), false, point);
      }
    } finally {
      subtle.importKey = real;
    }
  });
}

/** Every encoding of a point of small order. */
const SMALL = [
  ["00", "00".repeat(30), "00"], ["00", "00".repeat(30), "80"], ["01", "00".repeat(30), "00"], ["01", "00".repeat(30), "80"],
  ["ec", "ff".repeat(30), "7f"], ["ec", "ff".repeat(30), "ff"], ["ed", "ff".repeat(30), "7f"], ["ed", "ff".repeat(30), "ff"], ["ee", "ff".repeat(30), "7f"], ["ee", "ff".repeat(30), "ff"],
  ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"], ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"],
  ["c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"], ["c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"],
].map((parts) => parts.join(""));

test("errors name the file and the reason", async () => {
  const { shop, visit } = await open();
  shop.say({ shop: "hats" });
  const error = (await visit().catch((error: unknown) => error)) as IngleError;
  equal(error.message, "channel.json: it is of the shop hats, not of shoes.");
});
