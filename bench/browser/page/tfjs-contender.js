// TensorFlow.js with the same weights, by the contract that ingle.js states. Only the core and one backend
// are taken, which is the least it can be; which backend is for the pages to say.
import * as tf from "@tensorflow/tfjs-core";
import { ids, rowOf, wanted } from "./shared.js";

const history = ids();
const { model, k } = wanted();

/** Weights by name, and the sizes of the backbone. */
async function load(url) {
  const base = url.replace(/\.onnx$/, "");
  const [layout, bytes] = await Promise.all([fetch(`${base}.json`).then((r) => r.json()), fetch(`${base}.bin`).then((r) => r.arrayBuffer())]);
  const weights = {};
  for (const [name, { shape, from, count }] of Object.entries(layout.tensors)) {
    weights[name] = tf.tensor(new Float32Array(bytes, from, count), shape);
  }
  return { weights, ...layout.backbone };
}

const linear = (x, weights, path) => tf.add(tf.matMul(x, weights[`${path}.weight`]), weights[`${path}.bias`]);

function norm(x, weights, path) {
  const { mean, variance } = tf.moments(x, -1, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-8)));
  return tf.add(tf.mul(normal, weights[`${path}.gamma`]), weights[`${path}.beta`]);
}

function gelu(x) {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1));
}

function block(x, weights, path, mask, width) {
  const normed = norm(x, weights, `${path}.attention_norm`);
  const [query, key, value] = ["query", "key", "value"].map((name) => linear(normed, weights, `${path}.attention.${name}`));
  const scores = tf.add(tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(width)), mask);
  const attended = tf.add(x, linear(tf.matMul(tf.softmax(scores), value), weights, `${path}.attention.output`));
  const fed = gelu(linear(norm(attended, weights, `${path}.feed_norm`), weights, `${path}.widen`));
  return tf.add(attended, linear(fed, weights, `${path}.narrow`));
}

/** The rows of the best items and their scores, more than are wanted: those clicked are among them. */
function forward({ weights, width, blocks, max_len: maxLen }, mask, clicks) {
  return tf.tidy(() => {
    const len = clicks.length;
    const positions = tf.slice(weights["backbone.positions"], [maxLen - len, 0], [len, width]);
    let x = tf.add(tf.mul(tf.gather(weights.table, tf.tensor1d(clicks, "int32")), Math.sqrt(width)), positions);
    for (let at = 0; at < blocks; at += 1) x = block(x, weights, `backbone.blocks.${at}`, mask, width);
    const user = tf.slice(norm(x, weights, "backbone.norm"), [len - 1, 0], [1, width]);
    const scores = tf.reshape(tf.matMul(user, weights.table, false, true), [-1]);
    const { values, indices } = tf.topk(scores, k + len);
    return [values, indices];
  });
}

async function best(backbone, mask, clicks) {
  const found = forward(backbone, mask, clicks);
  const [scores, rows] = await Promise.all(found.map((tensor) => tensor.data()));
  found.forEach((tensor) => tensor.dispose());
  const seen = new Set(clicks);
  return Array.from(rows, (row, at) => ({ row, score: scores[at] })).filter(({ row }) => !seen.has(row)).slice(0, k);
}

/** Opens the weights on a backend and answers for the first time. */
export async function start(backend) {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
  const backbone = await load(model);
  const clicks = history.map(rowOf);
  const len = clicks.length;
  const mask = tf.tensor2d(Float32Array.from({ length: len * len }, (_, at) => (at % len > Math.floor(at / len) ? -1e9 : 0)), [len, len]);
  await best(backbone, mask, clicks);
  const coldMs = performance.now();
  const answer = async (item) => {
    clicks.push(rowOf(item));
    clicks.shift();
    const started = performance.now();
    await best(backbone, mask, clicks);
    return performance.now() - started;
  };
  return { coldMs, answer, top: () => best(backbone, mask, clicks) };
}
