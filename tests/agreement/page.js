// A page with the package as it is published, for agree.mjs: open(engine), then answers(histories, k).
import { createRecommender } from "./ingle/index.js";

const storage = { kind: "memory", retain: 10_000, collapseMs: 0, maxAgeMs: Infinity };
let recommender;

/** Starts one engine and waits until it can be asked. */
globalThis.open = async (engine) => {
  recommender = createRecommender("/bundle/", { engine, storage });
  // Rejects if no engine can be had at all.
  await recommender.ready;
  const kind = engine.endsWith("gpu") ? "gpu" : "cpu";
  while (recommender.status[kind].state !== "ready") {
    const { state, reason } = recommender.status[kind];
    if (["absent", "refused", "retired"].includes(state)) throw new Error(`no ${engine} engine: ${reason}`);
    await new Promise((resolve) => recommender.addEventListener("status", resolve, { once: true }));
  }
  const { build } = recommender.status[kind];
  if (build !== engine) throw new Error(`the ${build} engine was started instead of ${engine}`);
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
