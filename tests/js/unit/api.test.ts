// Every call of the API, of the package as it is published with the real CPU engine.

import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Ingle from "../../../js/index.js";
import { API_TABLE, LOOKED_AT, type Shop } from "../api-table.js";
import { filesUnder, goldenAgain, goldenFiles, goldenNumbered, passForAWorker, root, serveSite, type Site } from "../golden.js";

const { createRecommender } = (await import(pathToFileURL(join(root, "pkg/dist/index.js")).href)) as typeof Ingle;
const cpu = readFileSync(join(root, "pkg/dist/cpu.wasm"));

passForAWorker();
let sites: Site[], shop: Shop;
before(async () => {
  const [site, again, numbered] = (sites = await Promise.all([goldenFiles(), goldenAgain(), goldenNumbered()].map((files) => serveSite(filesUnder("/b/", files)))));
  const open = (options: Ingle.RecommenderOptions = {}): Ingle.Recommender =>
    createRecommender(`${site!.url}b/`, { wasm: { cpu }, storage: { kind: "memory", collapseMs: 0, maxAgeMs: Infinity }, ...options });
  const shared = open();
  await shared.record(LOOKED_AT.map((item, at) => ({ item, at })));
  shop = { open, shared, again: `${again!.url}b/`, numbered: `${numbered!.url}b/`, nowhere: `${site!.url}nowhere/` };
});
after(async () => {
  shop.shared.dispose();
  await Promise.all(sites.map((site) => site.close()));
});

for (const [name, run] of Object.entries(API_TABLE)) test(name, () => run(shop));
