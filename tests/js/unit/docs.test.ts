// The guides name everything there is, and their code is code.

import { test } from "node:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { blocksOf, RUNNERS, unknownIn, whyNot } from "../../documents.mjs";
import { equal, ok } from "../check.js";
import { root } from "../golden.js";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const guides = readdirSync(join(root, "docs/guides")).map((name) => `docs/guides/${name}`);
const all = [...guides, "pkg/README.md"].map(read).join("\n");

/** The public members that an exported interface or class declares. */
function membersOf(file: string, name: string): string[] {
  const body = new RegExp(`^export (?:interface|class) ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, "m").exec(read(file))?.[1];
  ok(body !== undefined, `${file} has ${name}`);
  const shown = body.replace(/^ {2}\/\*\* @internal[\s\S]*?\*\/\n.*$/gm, "");
  return [...shown.matchAll(/^ {2}(?:readonly |async |get )*([a-z]\w*)[?(:]/gm)].flatMap(([, member = ""]) => (member === "constructor" ? [] : [member]));
}

test("every error code has its advice, and no other", () => {
  const codes = [...read("js/errors.ts").matchAll(/^ {2}\| (?:"|`)([a-z]+(?:\/[a-z-]+)?)/gm)].map(([, code = ""]) => code);
  const [, byCode = ""] = read("docs/guides/errors.md").split("## By code");
  // Up to the codes that only the program has.
  const [pages = ""] = byCode.split("\n## ");
  const explained = [...pages.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([a-z]+(?:\/[a-z-]+)?)\/?[^`]*`/g)].map(([, code = ""]) => code));
  ok(codes.length > 25, `${codes.length} codes`);
  equal(codes.map((code) => code.replace(/\/$/, "")).sort(), explained.sort());
});

test("what to look at for a symptom is there: status fields, codes, members", () => {
  const [symptoms = ""] = read("docs/guides/errors.md").split("## By code");
  ok((symptoms.match(/^### /gm) ?? []).length >= 10, "symptoms");
  const types = read("js/types.ts");
  const status = [...symptoms.matchAll(/status\.([a-zA-Z]+)(?:\.([a-zA-Z]+))?/g)];
  ok(status.length > 10, `${status.length} fields`);
  const fields = membersOf("js/types.ts", "Status");
  equal(status.filter(([, field = "", part]) => !fields.includes(field) || (part !== undefined && !new RegExp(`\\b${part}\\??: `).test(types))).map(([all]) => all), []);
  const codes = [...symptoms.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, code = ""]) => code).filter((code) => !code.startsWith("ingle/"));
  const known = read("js/errors.ts");
  equal(codes.filter((code) => !known.includes(`"${code}"`)), []);
});

const written = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: root, encoding: "utf8" }).split("\n").filter((page) => page && !page.startsWith("docs/reference/"));
const blocks = written.flatMap((page) => blocksOf(page, root));

test("every block of code is run by one test, or says why it is not", () => {
  const run = blocks.filter((block) => whyNot(block) === undefined);
  const runners = (block: (typeof blocks)[number]) => Object.entries(RUNNERS).flatMap(([runner, runs]) => (runs(block) ? [runner] : []));
  equal(run.filter((block) => runners(block).length !== 1).map(({ page, line, language }) => `${page}:${line} (${language})`), []);
  equal(blocks.filter(({ mark, text }) => mark !== undefined && !mark.startsWith("not run: ") && text !== "").map(({ page, line, mark }) => `${page}:${line}: ${mark}`), []);
  const code = blocks.filter(({ language }) => language !== "text");
  ok(run.length > 20 && code.length > run.length, `${run.length} of ${code.length}`);
  // Who runs a document reads it.
  for (const runner of new Set(run.flatMap(runners))) {
    const source = read(runner);
    const pages = run.filter((block) => runners(block).includes(runner)).map(({ page }) => page);
    ok(pages.every((page) => source.includes(page) || source.includes(page.slice(page.lastIndexOf("/") + 1)) || source.includes("RUNNERS")), `${runner} reads ${pages.join(", ")}`);
  }
  console.log(`# ${code.length} blocks of code: ${run.length} are run, ${code.length - run.length} say why not`);
});

test("commands of the documents name what there is: commands, options, scripts, configurations", () => {
  equal(blocks.filter(({ language }) => language === "sh").flatMap(({ page, line, text }) => unknownIn(text, root).map((fault) => `${page}:${line}: ${fault}`)), []);
  // And what is not there is found.
  equal(unknownIn("ingle trian --data x", root).length, 1);
  equal(unknownIn("ingle train --dta x && ./build.sh tset", root).length, 2);
  equal(unknownIn('noise="ingle corrupt --data x"\n$noise --rte 0.2', root).length, 1);
  equal(unknownIn("python3 scripts/cold-items.py x --nothing\nscripts/absent.sh\ningle train --config configs/absent.toml", root).length, 3);
});

for (const [file, name] of [["js/recommender.ts", "Recommender"], ["js/types.ts", "RecommenderOptions"], ["js/types.ts", "StorageOptions"], ["js/types.ts", "WeightOptions"], ["js/types.ts", "QueryOptions"], ["js/types.ts", "RecommendOptions"], ["js/types.ts", "Recommendation"], ["js/types.ts", "Explanation"], ["js/types.ts", "RecordInput"], ["js/types.ts", "Offer"], ["js/types.ts", "Status"], ["js/types.ts", "RecommenderEventMap"], ["js/types.ts", "ObserveOptions"]] as const) {
  test(`the guides name every member of ${name}`, () => {
    const members = membersOf(file, name);
    ok(members.length > 0, "there are some");
    equal(members.filter((member) => !new RegExp(`\\b${member}\\b`).test(all)), []);
  });
}

test("the book has every page", () => {
  const pages = (readdirSync(join(root, "docs"), { recursive: true }) as string[]).filter((name) => name.endsWith(".md") && name !== "SUMMARY.md");
  const listed = [...read("docs/SUMMARY.md").matchAll(/\]\((.*?)\)/g)].map(([, page = ""]) => page);
  equal(listed.sort(), pages.sort());
});

test("the policy of the guide is the one that the tests' strict page has", () => {
  const policy = /```text\n(.*)\n```/.exec(read("docs/guides/hosting.md"))?.[1]?.split("; ") ?? [];
  const strict = /"\/strict": "(.*)"/.exec(read("tests/js/browser/site.ts"))?.[1]?.split("; ") ?? [];
  ok(policy.length === 3, policy.join());
  equal(policy.filter((rule) => !strict.includes(rule)), []);
});

test("the README is a first screen: short, and its pictures are light", () => {
  const readme = read("README.md");
  ok(readme.split("\n").length <= 150, "at most 150 lines");
  const pictures = [...readme.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
  ok(pictures.length > 0, "it has a picture, with words for those who do not see it");
  equal(pictures.filter((path) => statSync(join(root, path)).size > 400_000), []);
});
