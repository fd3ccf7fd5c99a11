// The backbone of a bundle without a method as an ONNX model: onnx.mjs BUNDLE LENGTH K OUT.
// It takes `items`, int64 [LENGTH], rows of the catalogue, oldest first, and gives the K best rows of the
// catalogue and their scores. The table is in it once, for looking up and for scoring.
import { closeSync, openSync, writeSync } from "node:fs";
import { argv } from "node:process";
import { readBundle } from "./bundle.mjs";
import { bytes, float, int } from "./protobuf.mjs";

const [FLOAT, INT64] = [1, 7];
const [folder, lengthText, kText, out] = argv.slice(2);
const [length, k] = [Number(lengthText), Number(kText)];
const { manifest, weights, table } = readBundle(folder);
const { width, heads, blocks, max_len: maxLen } = manifest.backbone;
const { kind = "sasrec" } = manifest.backbone;
if (!["none", "sasrec"].includes(manifest.method.name) || kind !== "sasrec" || heads !== 1) throw new Error("this writes a sasrec backbone with one head, and no method");

const nodes = [];
const initializers = [];
let fresh = 0;

const raw = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

function constant(name, shape, array) {
  const type = array instanceof BigInt64Array ? INT64 : FLOAT;
  initializers.push(bytes(5, [...shape.map((axis) => int(1, axis)), int(2, type), bytes(8, name), bytes(9, raw(array))]));
  return name;
}

const attribute = {
  int: (name, value) => bytes(5, [bytes(1, name), int(3, value), int(20, 2)]),
  float: (name, value) => bytes(5, [bytes(1, name), float(2, value), int(20, 1)]),
  ints: (name, values) => bytes(5, [bytes(1, name), ...values.map((value) => int(8, value)), int(20, 7)]),
};

function node(type, inputs, attributes = [], outputs = [`v${(fresh += 1)}`]) {
  nodes.push(bytes(1, [...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name)), bytes(4, type), ...attributes]));
  return outputs[0];
}

const scalar = (name, value) => constant(name, [], new Float32Array([value]));
const weight = (name) => {
  const { shape, data } = weights.get(name);
  return constant(name, shape, data);
};
const linear = (x, path) => node("Add", [node("MatMul", [x, weight(`${path}.weight`)]), weight(`${path}.bias`)]);
const norm = (x, path) => node("LayerNormalization", [x, weight(`${path}.gamma`), weight(`${path}.beta`)], [attribute.float("epsilon", 1e-8)]);

function gelu(x) {
  const phi = node("Add", [node("Erf", [node("Div", [x, "sqrt2"])]), "one"]);
  return node("Mul", [node("Mul", [x, phi]), "half"]);
}

function block(x, path) {
  const normed = norm(x, `${path}.attention_norm`);
  const [query, key, value] = ["query", "key", "value"].map((name) => linear(normed, `${path}.attention.${name}`));
  const scores = node("Mul", [node("MatMul", [query, node("Transpose", [key], [attribute.ints("perm", [1, 0])])]), "depth"]);
  const attention = node("Softmax", [node("Add", [scores, "mask"])], [attribute.int("axis", 1)]);
  const attended = node("Add", [x, linear(node("MatMul", [attention, value]), `${path}.attention.output`)]);
  const fed = gelu(linear(norm(attended, `${path}.feed_norm`), `${path}.widen`));
  return node("Add", [attended, linear(fed, `${path}.narrow`)]);
}

constant("table", [table.length / width, width], table);
scalar("sqrt2", Math.SQRT2);
scalar("one", 1);
scalar("half", 0.5);
scalar("depth", 1 / Math.sqrt(width));
scalar("stretch", Math.sqrt(width));
constant("mask", [length, length], Float32Array.from({ length: length ** 2 }, (_, at) => (at % length > Math.floor(at / length) ? -1e9 : 0)));
constant("k", [1], BigInt64Array.of(BigInt(k)));
constant("latest", [1], BigInt64Array.of(BigInt(length - 1)));
constant("positions", [length, width], weights.get("backbone.positions").data.slice((maxLen - length) * width));
let x = node("Add", [node("Mul", [node("Gather", ["table", "items"]), "stretch"]), "positions"]);
for (let at = 0; at < blocks; at += 1) x = block(x, `backbone.blocks.${at}`);
const user = node("Gather", [norm(x, "backbone.norm"), "latest"]);
const scores = node("Gemm", [user, "table"], [attribute.int("transB", 1)]);
node("TopK", [scores, "k"], [attribute.int("axis", 1)], ["scores", "rows"]);

const value = (field, name, type, shape) =>
  bytes(field, [bytes(1, name), bytes(2, bytes(1, [int(1, type), bytes(2, shape.map((axis) => bytes(1, int(1, axis))))]))]);
const graph = [
  ...nodes,
  bytes(2, "sasrec"),
  ...initializers,
  value(11, "items", INT64, [length]),
  value(12, "scores", FLOAT, [1, k]),
  value(12, "rows", INT64, [1, k]),
];
const model = [int(1, 8), bytes(7, graph), bytes(8, [bytes(1, ""), int(2, 17)])].flat(Infinity);
const file = openSync(out, "w");
for (const chunk of model) writeSync(file, chunk);
closeSync(file);
