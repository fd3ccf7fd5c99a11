// Signed releases in a page of each browser: whose release is in use, the self-test, the ratchet, and signatures.

import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { equal, ok } from "../check.js";
import { goldenAgain, goldenAnswers, goldenFiles, goldenNext, root, type Site } from "../golden.js";
import { Shop } from "../signed.js";
import { BROWSERS, type Running, serveShop, type Visitor } from "./harness.js";
import type { Extra } from "./site.js";

const { history, recommend } = goldenAnswers().cases[9]!;
const SELF_TEST = { history, items: recommend.slice(0, 10).map(({ item }) => item) };
const WRONG_TEST = { history, items: [...SELF_TEST.items].reverse() };

const vectors = (JSON.parse(readFileSync(join(root, "tests/data/ed25519.json"), "utf8")) as [string, string, string, boolean][]).flatMap(([key, message, signature, valid]) => {
  const text = Buffer.from(message, "hex").toString();
  // Only texts are signed here.
  return Buffer.from(text).toString("hex") === message ? [[key, text, signature, valid] as [string, string, string, boolean]] : [];
});

for (const [name, start] of Object.entries(BROWSERS)) {
  let running: Running, site: Site, shop: Shop;
  const extra: Extra = {};
  before(async () => ([running, site] = await Promise.all([start(), serveShop(undefined, extra)])));
  after(async () => {
    await running.close();
    await site.close();
  });

  /** Puts what the shop has published where its pages fetch it. */
  const upload = (): void => {
    for (const [file, bytes] of shop.files) extra[`/b/${file}`] = { body: bytes, headers: { "cache-control": file === "channel.json" ? "no-store" : "max-age=31536000, immutable" } };
  };
  const fresh = (): void => {
    shop = new Shop(`shop ${Math.random()}`);
    shop.publish(goldenFiles(), { self_test: SELF_TEST });
    upload();
  };
  const open = (visitor: Visitor, more: object = {}) => visitor.call("open", { trust: shop.trust, engine: "cpu", consent: "granted", ...more });

  test(`${name}: a signed release answers, and the status says whose it is`, { timeout: 120_000 }, async () => {
    fresh();
    const visitor = await running.arrive(site);
    const { status, failure } = await open(visitor);
    equal([failure, status.rung, status.stale], [undefined, "cpu", null]);
    equal(status.bundle?.signed, { shop: shop.name, epoch: 1, release: 1 });
    const unsigned = await visitor.call("open", { engine: "cpu" });
    equal([unsigned.failure, unsigned.status.bundle?.signed], [undefined, null], "and whose it is not");
    await visitor.leave();
  });

  test(`${name}: without Ed25519 of its own a browser loads what checks signatures`, { timeout: 120_000 }, async () => {
    fresh();
    const visitor = await running.arrive(site);
    await visitor.call("knowNoEd25519");
    const { status, failure } = await open(visitor);
    equal([failure, status.bundle?.signed?.shop], [undefined, shop.name]);
    ok(site.requests.some(({ url }) => /^\/ingle\/ed25519-\w+\.js$/.test(url ?? "")), "it was loaded");
    await visitor.leave();
  });

  test(`${name}: a bundle that fails its self-test is not used, and the last good one stays`, { timeout: 120_000 }, async () => {
    fresh();
    const visitor = await running.arrive(site);
    equal((await open(visitor)).status.bundle?.name, "golden");
    shop.publish(goldenAgain(), { self_test: WRONG_TEST });
    upload();
    await visitor.reload();
    const { status } = await open(visitor);
    equal([status.bundle?.name, status.rung, status.stale?.code], ["golden", "cpu", "delivery/self-test"]);
    const stranger = await running.arrive(site);
    const first = await open(stranger);
    equal([first.failure, first.status.bundle], ["delivery/self-test", null], "who has none");
    shop.publish(goldenAgain(), { self_test: SELF_TEST });
    upload();
    await visitor.reload();
    const mended = (await open(visitor)).status;
    equal([mended.bundle?.name, mended.stale], ["golden again", null], "once it is right");
    await stranger.leave();
    await visitor.leave();
  });

  test(`${name}: an older release is refused until the history is forgotten, and nothing is stored without consent`, { timeout: 120_000 }, async () => {
    fresh();
    const old = new Map(shop.files);
    shop.publish(goldenAgain(), { self_test: SELF_TEST });
    upload();
    const visitor = await running.arrive(site);
    await open(visitor, { consent: "session" });
    equal((await visitor.call("stored")).caches, [], "without consent");
    equal((await open(visitor)).status.bundle?.name, "golden again");
    ok((await visitor.call("stored")).caches.includes("ingle-engines"), "the release is kept");
    shop.files = old;
    upload();
    await visitor.reload();
    const { bundle, stale } = (await open(visitor)).status;
    equal([bundle?.name, stale?.code], ["golden again", "delivery/rollback"]);
    await visitor.call("forget");
    ok(!(await visitor.call("stored")).caches.includes("ingle-engines"), "it is erased with the history");
    await visitor.reload();
    const after = (await open(visitor)).status;
    equal([after.bundle?.name, after.stale], ["golden", null]);
    await visitor.leave();
  });

  test(`${name}: a page that stays open moves to the next release, and stays where that is refused`, { timeout: 120_000 }, async () => {
    fresh();
    const visitor = await running.arrive(site);
    equal((await open(visitor)).status.bundle?.signed?.release, 1);
    shop.publish(goldenAgain(), { self_test: SELF_TEST });
    upload();
    equal(await visitor.call("update"), true);
    const second = await visitor.call("status");
    equal([second.bundle?.name, second.bundle?.signed?.release, second.stale], ["golden again", 2, null]);
    equal(await visitor.call("update"), false, "there is no newer one");
    // A bundle that this engine does not answer as it must: the page stays where it is, and says why.
    shop.publish(goldenFiles(), { self_test: WRONG_TEST });
    upload();
    equal(await visitor.call("update"), "delivery/self-test");
    const { bundle, stale, rung } = await visitor.call("status");
    equal([bundle?.name, stale?.code, rung], ["golden again", "delivery/self-test", "cpu"]);
    await visitor.leave();
  });

  test(`${name}: a returning visitor and a page that stays open fetch a delta, and whoever has nothing on the device whole files`, { timeout: 120_000 }, async () => {
    fresh();
    const visitor = await running.arrive(site);
    await open(visitor);
    /** What of the bundle is fetched while something is done. */
    const fetched = async (what: () => Promise<unknown>): Promise<string[]> => {
      const from = site.requests.length;
      await what();
      const names = site.requests.slice(from).map(({ url }) => url?.slice(3) ?? "");
      return names.filter((name) => /^(model|items|ids|delta)-/.test(name)).map((name) => name.split("-")[0]!);
    };
    const follow = (bundle: ReturnType<typeof goldenFiles>): void => {
      shop.follow(bundle, undefined, { self_test: SELF_TEST });
      upload();
    };
    follow(goldenNext());
    await visitor.reload();
    equal(await fetched(async () => equal((await open(visitor)).status.bundle?.name, "golden next")), ["delta"]);
    follow(goldenFiles());
    equal(await fetched(async () => equal(await visitor.call("update"), true)), ["delta"]);
    equal((await visitor.call("status")).bundle?.name, "golden");
    follow(goldenNext());
    const stranger = await running.arrive(site);
    const whole = await fetched(async () => equal((await open(stranger, { consent: "session" })).status.bundle?.name, "golden next"));
    ok(whole.length >= 3 && !whole.includes("delta"), whole.join());
    await stranger.leave();
    await visitor.leave();
  });

  for (const bySelf of [true, false]) {
    test(`${name}: signatures are judged as Wycheproof says, ${bySelf ? "by the browser" : "by the script that it loads"}`, { timeout: 120_000 }, async () => {
      const visitor = await running.arrive(site);
      ok(vectors.length > 50, `${vectors.length} vectors`);
      equal(await visitor.call("misjudged", vectors, bySelf), []);
      await visitor.leave();
    });
  }
}
