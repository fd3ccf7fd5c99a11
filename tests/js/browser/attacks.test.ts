// What a returning shopper sees, in each browser, under each of the attacks that The Update Framework lists and of bad input:
// which bundle answers, and why it is not the host's. `tests/js/unit/signed.test.ts` has their variants.

import { after, before, test } from "node:test";
import { equal } from "../check.js";
import { goldenAnswers, goldenFiles, goldenNext, type Site } from "../golden.js";
import { DAY, envelope, newKey, NOW, Shop } from "../signed.js";
import { BROWSERS, type Running, serveShop, type Visitor } from "./harness.js";
import type { Extra } from "./site.js";

const { history, recommend } = goldenAnswers().cases[9]!;
const SELF_TEST = { self_test: { history, items: recommend.slice(0, 10).map(({ item }) => item) } };
const YEAR_MS = 365 * DAY * 1000;

interface Attack {
  /** Before the shopper's first visit ends. */
  first?: (shop: Shop) => void;
  happens: (shop: Shop) => unknown;
  /** A file whose sending never ends. */
  hangs?: string;
  /** How far the shopper's clock is ahead at the second visit. */
  ahead?: number;
  /** The bundle that answers, and `status.stale`. */
  sees: [bundle: string, stale: string | null];
}

const next = (shop: Shop): void => shop.publish(goldenNext(), SELF_TEST);
/** A manifest of other keys, which the channel's key names. */
const strangers = (shop: Shop): void => {
  const [own] = [shop.root];
  shop.root = [newKey()];
  next(shop);
  shop.root = own;
};
let old = new Map<string, Uint8Array<ArrayBuffer>>();

const ATTACKS: Record<string, Attack> = {
  "nothing, beside a new release": { happens: next, sees: ["golden next", null] },
  "arbitrary software": { happens: (shop) => shop.say({ manifest: shop.put(goldenNext(), SELF_TEST) }, [newKey()]), sees: ["golden", "delivery/signature"] },
  "a freeze": { happens: (shop) => shop.say({ expires: NOW - DAY }), sees: ["golden", "delivery/expired"] },
  "a rollback": { first: (shop) => ((old = new Map(shop.files)), next(shop)), happens: (shop) => (shop.files = old), sees: ["golden next", "delivery/rollback"] },
  "a release far ahead, after which the shop changes the key": {
    first: (shop) => shop.say({ release: Number.MAX_SAFE_INTEGER }),
    happens: (shop) => {
      shop.rotate({ ci: newKey() });
      shop.say({ release: 3, manifest: shop.put(goldenNext(), SELF_TEST) });
    },
    sees: ["golden next", null],
  },
  "files of two releases, mixed": {
    happens: (shop) => {
      const manifest = shop.files.get(shop.channel.manifest.name)!;
      next(shop);
      shop.files.set(shop.channel.manifest.name, manifest);
    },
    sees: ["golden", "delivery/hash"],
  },
  "a channel that is too long": { happens: (shop) => shop.files.set("channel.json", new Uint8Array(2 ** 14).fill(32)), sees: ["golden", "delivery/format"] },
  "files that no release has": { happens: (shop) => shop.say({ ...({ mirrors: ["https://elsewhere.test/"], files: ["more-0123456789abcdef.json"] } as object) }), sees: ["golden", null] },
  "a release that is signed throughout with other keys": {
    happens: (shop) => {
      const other = new Shop(shop.name);
      next(other);
      shop.files = other.files;
    },
    sees: ["golden", "delivery/signature"],
  },
  "a channel that never comes": { happens: next, hangs: "channel.json", sees: ["golden", "bundle/network"] },
  "the channel's key in other hands": { happens: strangers, sees: ["golden", "delivery/signature"] },
  "a channel of another shop": { happens: (shop) => shop.say({ shop: "hats" }), sees: ["golden", "delivery/shop"] },
  "keys of an unknown algorithm": {
    happens: (shop) => {
      const payload = shop.keysPayload();
      for (const key of payload.keys) key.algorithm = "ml-dsa-65";
      shop.files.set("keys-1.json", envelope("keys", payload, shop.root));
    },
    sees: ["golden", "delivery/algorithm"],
  },
  "a signature that is too short": {
    happens: (shop) => {
      const text = new TextDecoder().decode(shop.files.get("channel.json"));
      shop.files.set("channel.json", new TextEncoder().encode(text.replace(/"signature":"\w\w/, '"signature":"')));
    },
    sees: ["golden", "delivery/signature"],
  },
  "a delta that makes something else": {
    happens: (shop) => shop.follow(goldenNext(), (delta) => delta.map((byte, n) => (n === delta.length >> 1 ? byte ^ 1 : byte)), SELF_TEST),
    sees: ["golden next", null],
  },
  "a clock that is a year ahead": { happens: next, ahead: YEAR_MS, sees: ["golden next", "delivery/expired"] },
  "a clock that is a year behind": { happens: next, ahead: -YEAR_MS, sees: ["golden next", null] },
};

for (const [name, start] of Object.entries(BROWSERS)) {
  let running: Running, site: Site;
  const extra: Extra = {};
  before(async () => ([running, site] = await Promise.all([start(), serveShop(undefined, extra)])));
  after(async () => {
    await running.close();
    await site.close();
  });

  const serve = ({ files }: Shop, hangs?: string): void => {
    for (const file of Object.keys(extra)) delete extra[file];
    for (const [file, body] of files) extra[`/b/${file}`] = { body, headers: { "cache-control": "no-store" }, hangs: file === hangs };
  };

  for (const [what, { first, happens, hangs, ahead = 0, sees }] of Object.entries(ATTACKS)) {
    test(`${name}: under ${what} a shopper has ${sees.filter(Boolean).join(" and is told ")}`, { timeout: 120_000 }, async () => {
      const shop = new Shop(`shop ${Math.random()}`);
      shop.publish(goldenFiles(), SELF_TEST);
      const { trust } = shop;
      first?.(shop);
      serve(shop);
      const visitor: Visitor = await running.arrive(site);
      const open = () => visitor.call("open", { trust, engine: "cpu", consent: "granted" });
      equal((await open()).failure, undefined);
      await visitor.call("visit", ["sku-42"]);
      await visitor.call("stored");
      happens(shop);
      serve(shop, hangs);
      await visitor.reload();
      await visitor.tab.evaluate((ms) => {
        const { now } = Date;
        Date.now = () => now() + ms;
      }, ahead);
      const from = site.requests.length;
      const { failure, status } = await open();
      equal([failure, status.bundle?.name, status.stale?.code ?? null, status.rung], [undefined, ...sees, "cpu"]);
      equal((await visitor.call("recommend", 3)).length, 3, "recommendations go on");
      if (ahead === 0) equal(await visitor.call("history"), ["sku-42"], "nothing that was stored is lost");
      const asked = site.requests.slice(from).map(({ url = "" }) => url.slice(3));
      equal(asked.filter((file) => file.startsWith("more-")), []);
      await visitor.leave();
    });
  }
}
