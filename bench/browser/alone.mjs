// The CPU engine's WebAssembly alone, in Node and without the package around it: alone.mjs. Prints the median and
// the fastest of many calls in milliseconds. Expects what build.sh bench browser leaves: the package and
// the bundles in bench/out.
import { readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { quantile } from "../report.mjs";

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache", "ingle", "target");
const bindings = join(target, "ingle-web", "cpu");
const glue = await import(join(bindings, "cpu.js"));
await glue.default({ module_or_path: new WebAssembly.Module(readFileSync(join(bindings, "cpu_bg.wasm"))) });

const CALLS = 200;

async function time(call) {
  const times = [];
  for (let at = 0; at < CALLS; at += 1) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return `${quantile(times, 0.5).toFixed(2)} (${quantile(times, 0).toFixed(2)})`;
}

async function open(folder) {
  const names = readdirSync(folder).filter((name) => name !== "manifest.json");
  const files = new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
  return glue.Engine.load(new Uint8Array(readFileSync(join(folder, "manifest.json"))), files);
}

const bundles = join(import.meta.dirname, "..", "out", "bundles");
for (const name of readdirSync(bundles)) {
  const engine = await open(join(bundles, name));
  const { items } = engine.info();
  const history = (length) => Array.from({ length }, (_, at) => `item-${(at * 7919 + 13) % items}`);
  const recommend = (length) => () => engine.recommend(history(length), { k: 20, exclude: [], includeSeen: false });
  console.log(`${name}: 50 clicks ${await time(recommend(50))}, 1 click ${await time(recommend(1))}, judging 50 ${await time(() => engine.explain(history(50)))}`);
}
