// onnxruntime-web with the same weights, by the contract that ingle.js states; on which of its engines is for
// the pages to say.
import { ids, rowOf, wanted } from "./shared.js";

const history = ids();
const { model, k } = wanted();

/** Opens the model with one execution provider and answers for the first time. */
export async function start(ort, wasm, provider) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm };
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider], graphOptimizationLevel: "all" });
  const clicks = history.map(rowOf);
  await best(ort, session, clicks);
  const coldMs = performance.now();
  return {
    coldMs,
    answer: async (item) => {
      clicks.push(rowOf(item));
      clicks.shift();
      const started = performance.now();
      await best(ort, session, clicks);
      return performance.now() - started;
    },
    top: () => best(ort, session, clicks),
  };
}

/** The best items that were not clicked. */
async function best(ort, session, clicks) {
  const items = new ort.Tensor("int64", BigInt64Array.from(clicks, BigInt), [clicks.length]);
  const { rows, scores } = await session.run({ items });
  const seen = new Set(clicks);
  const found = Array.from(rows.data, (row, at) => ({ row: Number(row), score: scores.data[at] }));
  return found.filter(({ row }) => !seen.has(row)).slice(0, k);
}
