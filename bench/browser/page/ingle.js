// The page of one contender. What measure.mjs expects of any: `globalThis.contender`, a promise of
// { coldMs, answer, top }, where coldMs is the time from navigation to the first recommendations for the
// history in the address, answer(item) clicks one more item and resolves to the milliseconds until the new
// recommendations are there, and top() resolves to them, [{ row, score }]. Ingle's has judge() and ask(items) as well.
import { createRecommender } from "ingle";
import { ids, rowOf, wanted } from "./shared.js";

const { engine: build, bundle, worker, k } = wanted();
// What answers come from; the general engine has the same names.
const engine = build.replace("burn-", "");

async function best(recommender) {
  const items = await recommender.recommend({ k });
  if (items.length === 0 || items.some(({ source }) => source !== engine)) return null;
  // Ours are probabilities: what the logits of a ranking are but for one number, the same for all.
  return items.map(({ item, score }) => ({ row: rowOf(item), score: Math.log(score) }));
}

async function start() {
  const storage = { kind: "memory", retain: 50, collapseMs: 0 };
  const recommender = createRecommender(bundle, { engine: build, worker, storage });
  for (const item of ids()) await recommender.record({ item });
  while (!(await best(recommender))) {
    const { rung, [engine]: own } = recommender.status;
    if (rung === engine) continue;
    if (["absent", "refused", "retired"].includes(own.state)) throw new Error(`no ${engine} engine: ${own.reason}`);
    await new Promise((resolve) => recommender.addEventListener("status", resolve, { once: true }));
  }
  return { coldMs: performance.now(), answer: (item) => answer(recommender, item), top: () => best(recommender), judge: () => judge(recommender), ask: (items) => ask(recommender, items) };
}

/** Milliseconds of a recommendation for a history that replaces the one before. */
async function ask(recommender, items) {
  await recommender.forget();
  for (const item of items.slice(0, -1)) await recommender.record({ item });
  return answer(recommender, items.at(-1));
}

async function answer(recommender, item) {
  await recommender.record({ item });
  const started = performance.now();
  if (!(await best(recommender))) throw new Error(`the ${engine} engine did not answer`);
  return performance.now() - started;
}

/** Milliseconds until every click of the history is judged. */
async function judge(recommender) {
  const started = performance.now();
  const clicks = await recommender.explain();
  if (clicks.some(({ known }) => !known)) throw new Error("a click was not judged");
  return performance.now() - started;
}

globalThis.contender = start();
