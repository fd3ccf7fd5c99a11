// Signed releases: the attacks that The Update Framework lists, and bad input. Each time: what the shopper has in use
// afterwards, and what stays on the device.

import { test } from "node:test";
import { BundleSource } from "../../../js/bundle/bundle.js";
import { keptAddress, VERDICTS_NAME } from "../../../js/bundle/cache.js";
import { forgetSeen, highest } from "../../../js/bundle/ratchet.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import type { IngleError } from "../../../js/errors.js";
import { FakeCaches } from "../caches.js";
import { codeOf, equal, ok, until } from "../check.js";
import { goldenAgain, goldenFiles, goldenNext } from "../golden.js";
import { DAY, envelope, newKey, NOW, Shop } from "../signed.js";
import { nameIn, open, refused } from "../signed-visits.js";

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

test("errors name the file and the reason", async () => {
  const { shop, visit } = await open();
  shop.say({ shop: "hats" });
  const error = (await visit().catch((error: unknown) => error)) as IngleError;
  equal(error.message, "channel.json: it is of the shop hats, not of shoes.");
});
