// The page of one contender. What measure.mjs expects of any: `globalThis.contender`, a promise of
// { coldMs, answer }, where coldMs is the time from navigation to the first recommendations of the
// engine in the address (#engine=cpu&history=ID&history=ID), and answer(item) clicks one more item
// and resolves to the milliseconds until the new recommendations are there.
import { createRecommender } from "ingle";

const asked = new URLSearchParams(location.hash.slice(1));
const engine = asked.get("engine");

async function answeredBy(recommender) {
  const items = await recommender.recommend({ k: 10 });
  return items.length > 0 && items.every(({ source }) => source === engine);
}

async function start() {
  const recommender = createRecommender(asked.get("bundle"), { engine, storage: { kind: "memory" } });
  for (const item of asked.getAll("history")) await recommender.record({ item });
  while (!(await answeredBy(recommender))) {
    const { rung, [engine]: own } = recommender.status;
    if (rung === engine) continue;
    if (["absent", "refused", "retired"].includes(own.state)) throw new Error(`no ${engine} engine: ${own.reason}`);
    await new Promise((resolve) => recommender.addEventListener("status", resolve, { once: true }));
  }
  return { coldMs: performance.now(), answer: (item) => answer(recommender, item) };
}

async function answer(recommender, item) {
  await recommender.record({ item });
  const started = performance.now();
  if (!(await answeredBy(recommender))) throw new Error(`the ${engine} engine did not answer`);
  return performance.now() - started;
}

globalThis.contender = start();
