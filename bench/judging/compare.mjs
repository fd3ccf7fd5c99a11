// Recommendations for which the GPU judges the clicks, beside those for which the processor judges first.
import { execFileSync } from "node:child_process";
import { median, quantile, report, row } from "../report.mjs";

const [program, ...args] = process.argv.slice(2);
const printed = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const cases = printed.trim().split("\n").map((line) => JSON.parse(line));
report(
  "judging",
  cases.flatMap(({ items, clicks, histories, gpu, cpu, judging, busy: [ours, theirs] }) => {
    const name = `${items} items, ${clicks} clicks, ${histories} kept ${histories === 1 ? "history" : "histories"}`;
    const peer = "judged on the processor";
    const quartiles = { q1: quantile(gpu, 0.25), q3: quantile(gpu, 0.75) };
    return [
      row(name, "recommendation, ms", median(gpu), { peer, theirs: median(cpu), ...quartiles }),
      ...(ours === null ? [] : [row(name, "recommendation, ms of processors", ours, { peer, theirs })]),
      row(name, "judging alone on the processor, ms", median(judging)),
    ];
  }),
);
