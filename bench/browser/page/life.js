// A visit that does not end, and pages that make recommenders and drop them: what life.mjs asks of Ingle.
import { createRecommender } from "ingle";
import { wanted } from "./shared.js";

const { engine, bundle, k } = wanted();

/** Files by address, each fetched once: whatever drives a browser has it keep all that a page was sent. */
const files = new Map();
async function fetched(url, init) {
  const address = String(url);
  if (!files.has(address)) files.set(address, await (await fetch(url, init)).arrayBuffer());
  return new Response(files.get(address));
}

const open = () => createRecommender(bundle, { engine, fetch: fetched, storage: { kind: "memory", retain: 50, collapseMs: 0 } });

let recommender = open();
await recommender.ready;
let clicks = 0;

globalThis.life = {
  /** So many clicks, each followed by recommendations. */
  async answer(count) {
    for (let at = 0; at < count; at += 1) {
      await recommender.record({ item: `item-${(clicks++ * 7919) % 12_000}` });
      const found = await recommender.recommend({ k });
      if (found.length !== k || found[0].source !== engine) throw new Error(`${found[0]?.source} answered, and not the ${engine} engine`);
    }
  },
  /** So many recommenders, each asked once and disposed of. */
  async cycle(count) {
    for (let at = 0; at < count; at += 1) {
      recommender.dispose();
      recommender = open();
      await recommender.ready;
      await this.answer(1);
    }
  },
};
