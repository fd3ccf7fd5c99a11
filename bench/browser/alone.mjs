// The CPU engine's WebAssembly alone, in Node and without the package around it: alone.mjs [BUNDLE...]. Prints the median and
// the fastest of many calls in milliseconds, and of learning an adapter from 100 clicks in 16 steps also its longest piece: what
// a question may have to wait for. Expects what build.sh bench browser leaves: the package and
// the bundles in bench/out.
import { readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { quantile } from "../report.mjs";

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache", "ingle", "target");
const bindings = join(target, "ingle-web", "cpu");
const glue = await import(join(bindings, "cpu.js"));
await glue.default({ module_or_path: new WebAssembly.Module(readFileSync(join(bindings, "cpu_bg.wasm"))) });

const CALLS = 200;
/** Learning takes longer. */
const LESSONS = 20;
/** What a bundle learns that has no adapter of its own: as an export writes it. */
const LEARNING = { bias_rate: 2, weight_rate: 0, steps: 16, half_life: 5, window: 100, clicks: 2 };

async function time(call) {
  const times = [];
  for (let at = 0; at < CALLS; at += 1) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return `${quantile(times, 0.5).toFixed(2)} (${quantile(times, 0).toFixed(2)})`;
}

/** The times of learning, and of its longest piece. */
async function learn(engine, history) {
  const [times, pieces] = [[], []];
  for (let at = 0; at < LESSONS; at += 1) {
    let [longest, since] = [0, performance.now()];
    const begun = since;
    const rest = async () => {
      const now = performance.now();
      [longest, since] = [Math.max(longest, now - since), now];
    };
    await engine.adapt(history, undefined, rest);
    await rest();
    times.push(performance.now() - begun);
    pieces.push(longest);
  }
  return `${quantile(times, 0.5).toFixed(1)} (${quantile(times, 0).toFixed(1)}), longest piece ${quantile(pieces, 0.5).toFixed(1)}`;
}

async function open(folder) {
  const names = readdirSync(folder).filter((name) => name !== "manifest.json");
  const files = new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  manifest.adapter ??= { popularity: 0, gain: { value: 0, error: 0 } };
  manifest.adapter.learning ??= LEARNING;
  return glue.Engine.load(new TextEncoder().encode(JSON.stringify(manifest)), files, new Map(), false);
}

// The bundles named on the command line, or those of the benchmark.
const made = join(import.meta.dirname, "..", "out", "bundles");
const folders = process.argv.length > 2 ? process.argv.slice(2) : readdirSync(made).map((name) => join(made, name));
for (const folder of folders) {
  const [name, engine] = [basename(folder), await open(folder)];
  const ids = engine.items();
  const history = (length) => Array.from({ length }, (_, at) => ids[(at * 7919 + 13) % ids.length]);
  const recommend = (length) => () => engine.recommend(history(length), { k: 20, exclude: [], includeSeen: false });
  console.log(`${name}: 50 clicks ${await time(recommend(50))}, 1 click ${await time(recommend(1))}, judging 50 ${await time(() => engine.explain(history(50)))}, learning from 100 ${await learn(engine, history(100))}`);
}
