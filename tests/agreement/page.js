// A page with the package as it is published, for agree.mjs: open(engine, scorer), then answers(histories, k).
import { createRecommender } from "./ingle/index.js";

const storage = { kind: "memory", retain: 10_000, collapseMs: 0, maxAgeMs: Infinity };
let recommender;

/** Starts one engine and waits until it can be asked; says what judges clicks. */
globalThis.open = async (engine, scorer) => {
  recommender = createRecommender("/bundle/", { engine, scorer, storage });
  // Rejects if no engine can be had at all.
  await recommender.ready;
  const kind = engine.endsWith("gpu") ? "gpu" : "cpu";
  while (recommender.status[kind].state !== "ready") {
    const { state, reason } = recommender.status[kind];
    if (["absent", "refused", "retired"].includes(state)) throw new Error(`no ${engine} engine: ${reason}`);
    await new Promise((resolve) => recommender.addEventListener("status", resolve, { once: true }));
  }
  const { build, scorer: judges } = recommender.status[kind];
  if (build !== engine) throw new Error(`the ${build} engine was started instead of ${engine}`);
  return judges;
};

/** What the opened engine, and no other, recommends for each history. */
globalThis.answers = async (engine, histories, k) => {
  const found = [];
  for (const history of histories) {
    await recommender.forget();
    await recommender.record(history.map((item, at) => ({ item, at })));
    const items = await recommender.recommend({ k });
    if (items.some(({ source }) => source !== (engine.endsWith("gpu") ? "gpu" : "cpu"))) throw new Error(`not the ${engine} engine's answer: ${recommender.status.why}`);
    found.push(items);
  }
  return found;
};
