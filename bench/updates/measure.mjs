// Trains on a log as it grows, from scratch and from the run before, and measures both.
//
// The log is cut by time. The first training sees its first 45 %, and each retraining 5 % more. Every retraining is
// measured on the clicks of the next 5 %, which none of its trainings has seen.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { ingle, lines } from "../ingle.mjs";
import { report, row } from "../report.mjs";

const FIRST_SHARE = 0.45;
/** Latest clicks of a history that the model may read. */
const HISTORY = 50;
const K = 10;
/** Samples of the bootstrap over users. */
const SAMPLES = 2000;

const { data, out, retrainings, seed, sets, warm } = options(process.argv.slice(2));
const share = (1 - FIRST_SHARE) / (retrainings + 1);
const log = readLog(join(data, "interactions.csv"));
const cuts = Array.from({ length: retrainings + 2 }, (_, n) => cut(FIRST_SHARE + n * share));

/** The options of the command line, with the settings of both kinds of trainings. */
function options([data, ...rest]) {
  const found = {
    data: resolve(data),
    out: resolve("bench/out/updates"),
    retrainings: 10,
    seed: 1,
    sets: ["--config", "configs/ml-100k.toml", "--method", "none"],
    // A training that goes on from a trained model takes small steps.
    warm: ["--set", "training.learning_rate=0.0002", "--set", "training.epochs=10", "--set", "training.patience=10"],
  };
  while (rest.length > 0) {
    const [name, value] = rest.splice(0, 2);
    if (name === "--out") found.out = resolve(value);
    else if (name === "--retrainings") found.retrainings = Number(value);
    else if (name === "--seed") found.seed = Number(value);
    else if (name === "--set") found.sets.push("--set", value);
    else if (name === "--warm-set") found.warm.push("--set", value);
    else throw new Error(`bench updates does not take '${name}'`);
  }
  found.sets.push("--set", `seed=${found.seed}`);
  return found;
}

/** The clicks of a log, oldest first; those of one moment by user, then as they were read. */
function readLog(file) {
  const [head, ...rows] = readFileSync(file, "utf8").trim().split("\n");
  const names = head.split(",");
  const [user, item, time] = ["user_id", "item_id", "timestamp"].map((name) => names.indexOf(name));
  const clicks = rows.map((line) => line.split(",")).map((cells) => ({ user: cells[user], item: cells[item], time: Number(cells[time]) }));
  return clicks.sort((a, b) => a.time - b.time || (a.user < b.user ? -1 : a.user > b.user ? 1 : 0));
}

/** Number of clicks before the moment at which this share of the log is over. */
function cut(share) {
  const time = log[Math.min(log.length - 1, Math.round(share * log.length))].time;
  return share >= 1 ? log.length : log.findIndex((click) => click.time >= time);
}

const at = (...parts) => join(out, ...parts);
/** Does a step unless its folder is there; a step that ends early leaves none. */
function once(folder, step) {
  if (!existsSync(join(folder, "manifest.json")) && !existsSync(join(folder, "dataset.json"))) step(folder);
  return folder;
}

/** The dataset of the clicks before a cut. */
function prepare(n) {
  return once(at("data", String(n)), (folder) => {
    const file = at(`log-${n}.csv`);
    const text = log.slice(0, cuts[n]).map(({ user, item, time }) => `${user},${item},${time}\n`);
    writeFileSync(file, `user_id,item_id,timestamp\n${text.join("")}`);
    ingle("prepare", "--ties", "as-read", "--interactions", file, "--items", join(data, "items.csv"), "--out", folder, "--force");
  });
}

function train(name, ...args) {
  const folder = at("runs", name);
  const about = join(folder, "run.json");
  if (!existsSync(about)) ingle("train", "--out", folder, ...args);
  else if (!JSON.parse(readFileSync(about, "utf8")).finished) ingle("train", "--out", folder, "--resume");
  return folder;
}

function exported(name, ...args) {
  return once(at("bundles", name), (folder) => ingle("export", at("runs", name), "--out", folder, "--adapter", "none", ...args));
}

/** Bytes of a bundle's files as a host sends them, compressed with Brotli. */
function served(folder) {
  const { files } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  const names = ["manifest.json", ...new Set(files.map(({ name }) => name))];
  return names.reduce((sum, name) => sum + brotliCompressSync(readFileSync(join(folder, name))).length, 0);
}

/** The clicks of the period after a cut that have a click before them: who, what, and the clicks before. */
function cases(n) {
  const histories = new Map();
  const found = [];
  for (const [at, { user, item }] of log.slice(0, cuts[n + 1]).entries()) {
    const history = histories.get(user) ?? [];
    if (at >= cuts[n] && history.length > 0 && !history.includes(item)) found.push({ user, item, history: history.slice(-HISTORY) });
    histories.set(user, [...history, item]);
  }
  return found;
}

/** NDCG@10 of each case. */
function ndcg(bundle, cases) {
  const file = `${bundle}-figures.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const asked = `${bundle}-histories.jsonl`;
  writeFileSync(asked, cases.map(({ history }) => `${JSON.stringify({ history })}\n`).join(""));
  const answers = lines(ingle("recommend", bundle, "--histories", asked, "--k", String(K)));
  const figures = answers.map(({ items }, n) => {
    const place = items.findIndex(({ item }) => item === cases[n].item);
    return place < 0 ? 0 : 1 / Math.log2(place + 2);
  });
  writeFileSync(file, JSON.stringify(figures));
  return figures;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** By how much the second kind of answers differs from the first, with the standard error over samples of users. */
function gain(first, second, users) {
  const of = new Map();
  for (const [n, user] of users.entries()) {
    const sums = of.get(user) ?? [0, 0];
    of.set(user, [sums[0] + first[n], sums[1] + second[n]]);
  }
  const sums = [...of.values()];
  const ratio = (sums) => sums.reduce((sum, one) => sum + one[1], 0) / sums.reduce((sum, one) => sum + one[0], 0) - 1;
  const random = generator(1);
  const samples = Array.from({ length: SAMPLES }, () => ratio(sums.map(() => sums[Math.floor(random() * sums.length)])));
  const middle = mean(samples);
  return { value: ratio(sums), error: Math.sqrt(mean(samples.map((one) => (one - middle) ** 2))) };
}

/** Numbers from 0 to 1 (mulberry32). */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const folder of ["data", "runs", "bundles"]) mkdirSync(at(folder), { recursive: true });
for (let n = 0; n <= retrainings; n++) {
  const dataset = ["--data", prepare(n)];
  train(`scratch-${n}`, ...dataset, ...sets);
  exported(`scratch-${n}`);
  if (n === 0) continue;
  const before = n === 1 ? "scratch-0" : `warm-${n - 1}`;
  train(`warm-${n}`, ...dataset, "--warm-start", at("runs", before), ...sets, ...warm);
  exported(`warm-${n}`, "--after", at("bundles", before));
}

const rows = [];
const totals = { delta: 0, whole: 0, scratch: [], warm: [], users: [] };
for (let n = 1; n <= retrainings; n++) {
  const before = at("bundles", n === 1 ? "scratch-0" : `warm-${n - 1}`);
  const [scratch, warm] = ["scratch", "warm"].map((kind) => at("bundles", `${kind}-${n}`));
  // Both are fetched with the manifest.
  const manifest = brotliCompressSync(readFileSync(join(warm, "manifest.json"))).length;
  const delta = manifest + JSON.parse(ingle("diff", before, warm, "--json")).delta_bytes;
  const whole = served(scratch);
  const asked = cases(n);
  const users = asked.map(({ user }) => `${n} ${user}`);
  const [ours, theirs] = [warm, scratch].map((bundle) => ndcg(bundle, asked));
  rows.push(row(`retraining ${n}, ${cuts[n]} clicks`, "bytes", delta, { peer: "the whole bundle", theirs: whole }));
  rows.push(row(`retraining ${n}, ${asked.length} targets`, "NDCG@10", mean(ours), { peer: "trained from scratch", theirs: mean(theirs) }));
  totals.delta += delta;
  totals.whole += whole;
  totals.scratch.push(...theirs);
  totals.warm.push(...ours);
  totals.users.push(...users);
}
rows.push(row("all retrainings", "bytes", totals.delta, { peer: "the whole bundle", theirs: totals.whole }));
rows.push(row(`all retrainings, ${totals.users.length} targets`, "NDCG@10", mean(totals.warm), { peer: "trained from scratch", theirs: mean(totals.scratch) }));
report("updates", rows);
const { value, error } = gain(totals.scratch, totals.warm, totals.users);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
console.log(`\nbytes: ${percent(totals.delta / totals.whole)} of the whole bundle (goal: at most 25 %)`);
console.log(`NDCG@10 against training from scratch: ${value < 0 ? "" : "+"}${percent(value)}, standard error ${percent(error)} over users (goal: at least -0.5 %)`);
