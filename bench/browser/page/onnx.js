// onnxruntime-web with the same weights, by the contract that ingle.js states.
import * as ort from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { ids, rowOf, wanted } from "./shared.js";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm };

const history = ids();
const { model, k } = wanted();

async function start() {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  const clicks = history.map(rowOf);
  await best(session, clicks);
  const coldMs = performance.now();
  return {
    coldMs,
    answer: async (item) => {
      clicks.push(rowOf(item));
      clicks.shift();
      const started = performance.now();
      await best(session, clicks);
      return performance.now() - started;
    },
    top: () => best(session, clicks),
  };
}

/** The best items that were not clicked. */
async function best(session, clicks) {
  const items = new ort.Tensor("int64", BigInt64Array.from(clicks, BigInt), [clicks.length]);
  const { rows, scores } = await session.run({ items });
  const seen = new Set(clicks);
  const found = Array.from(rows.data, (row, at) => ({ row: Number(row), score: scores.data[at] }));
  return found.filter(({ row }) => !seen.has(row)).slice(0, k);
}

globalThis.contender = start();
