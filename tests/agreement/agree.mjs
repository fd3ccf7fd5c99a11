// The engines of the published package in headless Chromium against the native program's answers,
// which come as JSON lines on standard input. Started by scripts/agree.sh, which serves page and bundle.
import { readFileSync } from "node:fs";
import { launch } from "../e2e/visit.mjs";

/** Largest difference of two log-probabilities that counts as the same. */
const BOUND = 1e-4;
/** Histories asked for in one call, so that there is progress to show. */
const CHUNK = 20;

const native = readFileSync(0, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));

async function answersOf(engine, scorer) {
  const browser = await launch({ gpu: engine.endsWith("gpu") });
  try {
    const page = await browser.newPage();
    await page.goto(process.env.INGLE_URL);
    await page.waitForFunction(() => globalThis.open);
    const judges = await page.evaluate(({ engine, scorer }) => globalThis.open(engine, scorer), { engine, scorer });
    // A method without a scorer, or one that the GPU has no kernels for.
    if (scorer === "gpu" && judges !== "gpu") return undefined;
    const answers = [];
    for (let at = 0; at < native.length; at += CHUNK) {
      const asked = native.slice(at, at + CHUNK);
      const argument = { engine, histories: asked.map(({ history }) => history), k: asked[0].items.length };
      answers.push(...(await page.evaluate(({ engine, histories, k }) => globalThis.answers(engine, histories, k), argument)));
      if (process.stderr.isTTY) process.stderr.write(`\r${engine}: ${answers.length} of ${native.length}`);
    }
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    return answers;
  } finally {
    await browser.close();
  }
}

/** How two lists compare: the same items in the same order, the same up to swaps of equal scores, or not. */
function compare(ours, theirs) {
  // What the page calls a score is the probability.
  const off = Math.max(...ours.map(({ probability }, at) => Math.abs(Math.log(probability / (theirs[at]?.score ?? NaN)))), 0);
  if (ours.length !== theirs.length || !(off <= BOUND)) return { verdict: "different", off };
  return { verdict: ours.every(({ item }, at) => item === theirs[at].item) ? "equal" : "swapped", off };
}

let failed = false;
console.log(`\nagainst the native answers for ${native.length} histories, top ${native[0].items.length}:`);
// The GPU engine is asked twice: the processor judges the clicks, then the GPU does.
const runs = process.env.INGLE_ENGINES.split(",").flatMap((engine) => (engine === "gpu" ? [[engine, "cpu"], [engine, "gpu"]] : [[engine, "cpu"]]));
for (const [engine, scorer] of runs) {
  const answers = await answersOf(engine, scorer);
  if (answers === undefined) continue;
  const compared = answers.map((answer, at) => compare(native[at].items, answer));
  const count = (wanted) => compared.filter(({ verdict }) => verdict === wanted).length;
  const largest = Math.max(...compared.map(({ off }) => off));
  console.log(
    `${engine.padEnd(8)}${scorer === "gpu" ? ", which judges clicks too" : ""}  ${count("equal")} equal, ${count("swapped")} equal but for items whose log-probabilities differ by less than ${BOUND}, ` +
      `${count("different")} different; largest difference ${largest.toExponential(1)}`,
  );
  failed ||= count("different") > 0;
}
process.exit(failed ? 1 : 0);
