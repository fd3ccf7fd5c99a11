/**
 * The code in the documents: every block is run by a test, or says right before it why not, in a comment that readers do not see:
 * `<!-- not run: WHY -->`.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * @typedef {object} Block A block of code.
 * @property {string} page The document.
 * @property {number} line Where it begins.
 * @property {string} heading The heading above it.
 * @property {number} nth Which it is under that heading, from 0.
 * @property {string} language What stands behind the fence.
 * @property {string} text
 * @property {string | undefined} mark What a comment right before says.
 * @property {string | undefined} file The file that the sentence before puts it into ("In `vite.config.js`:").
 */

const GUIDE = /^(docs\/guides\/.*|pkg\/README)\.md$/;

/** Which tests run which blocks, of those that have no mark. @type {Record<string, (block: Block) => boolean>} */
export const RUNNERS = {
  "tests/new/tutorial.test.mjs": ({ page }) => page === "docs/tutorials/shop.md" || page === "crates/train/src/commands/new/README.md",
  "crates/train/tests/program/new.rs": ({ page, heading, nth }) => page === "docs/tutorials/ml-engineer.md" && nth === 0 && ["With a log", "How well noise is found"].includes(heading),
  "tests/packaging/packaging.test.mjs": ({ page, heading, language, nth }) =>
    page === "docs/guides/start.md" || (page === "README.md" && heading === "In a shop") || (page === "pkg/README.md" && heading === "ingle" && language === "js" && nth === 1),
  "tests/js/browser/documents.test.ts": ({ page, heading, language, nth }) => GUIDE.test(page) && page !== "docs/guides/start.md" && !(page === "pkg/README.md" && heading === "ingle" && nth === 1) && ["js", "jsx", "vue", "html"].includes(language),
};

/** Pages whose commands no test runs, and why. What the commands name is looked up all the same. */
export const NOT_RUN = {
  "docs/methods/": "hours of training, on data that is no part of the project",
  "docs/research/": "hours of training, on data that is no part of the project",
  "docs/results.md": "hours of training, on data that is no part of the project",
};

/** The blocks of a document. @param {string} page @param {string} root @returns {Block[]} */
export function blocksOf(page, root) {
  /** @type {Block[]} */
  const blocks = [];
  const lines = readFileSync(join(root, page), "utf8").split("\n");
  let [heading, nth] = ["", 0];
  for (let n = 0; n < lines.length; n++) {
    const [, title] = /^#+ (.*)/.exec(lines[n] ?? "") ?? [];
    if (title !== undefined) [heading, nth] = [title, 0];
    const [, fence, language = ""] = /^(```+|~~~+)(\S*)/.exec(lines[n] ?? "") ?? [];
    if (fence === undefined) continue;
    const end = lines.findIndex((line, at) => at > n && line.startsWith(fence));
    const before = lines.slice(0, n).map((line) => line.trim()).filter(Boolean);
    const mark = /^<!-- (.*) -->$/.exec(before.at(-1) ?? "")?.[1];
    const file = /\bIn `([\w./-]+)`:$/.exec(before.at(mark === undefined ? -1 : -2) ?? "")?.[1];
    blocks.push({ page, line: n + 1, heading, nth: nth++, language, text: lines.slice(n + 1, end).join("\n"), mark, file });
    n = end;
  }
  return blocks;
}

/** The blocks of a document that a test is to run. @param {string} runner @param {string} page @param {string} root */
export function blocksFor(runner, page, root) {
  return blocksOf(page, root).filter((block) => block.mark === undefined && block.language !== "text" && RUNNERS[runner]?.(block));
}

/** Why nobody runs a block, if it says so. @param {Block} block @returns {string | undefined} */
export function whyNot({ page, language, mark }) {
  const listed = Object.entries(NOT_RUN).find(([start]) => page.startsWith(start));
  return language === "text" ? "no code" : (/^not run: (.+)/.exec(mark ?? "")?.[1] ?? listed?.[1]);
}

/** What commands name that is not there: commands, options and files. @param {string} text @param {string} root @returns {string[]} */
export function unknownIn(text, root) {
  const commands = new Map(
    readFileSync(join(root, "docs/reference/cli.md"), "utf8")
      .split(/^#+ (?=ingle)/m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section]),
  );
  const help = readFileSync(join(root, "build.sh"), "utf8");
  /** @type {Map<string, string>} */
  const variables = new Map();
  const faults = [];
  for (const line of text.split("\n").map((line) => line.replace(/(^|\s)#.*/, ""))) {
    const [, name, value] = /^(\w+)="([^"]*)"/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) variables.set(name, value);
    const parts = (value ?? line).split(/&&|\||;|>/).map((part) => part.trim().replace(/^\$(\w+)/, (all, variable) => variables.get(variable) ?? all));
    for (const part of parts) {
      const [program = "", ...words] = part.replace(/^python3? /, "").split(/\s+/);
      const options = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/=.*/, ""));
      for (const word of words) if (/^configs\/\S+\.toml$/.test(word) && !existsSync(join(root, word))) faults.push(`${part}: no ${word}`);
      let known;
      if (program === "ingle") known = commands.get([program, words[0], words[1]].join(" ")) ?? commands.get([program, words[0]].join(" "));
      else if (program === "./build.sh") known = new RegExp(`^  ${words[0]}\\b`, "m").test(help) ? undefined : "";
      else if (program.startsWith("scripts/")) known = existsSync(join(root, program)) ? readFileSync(join(root, program), "utf8") : "";
      else continue;
      if (program === "ingle" && known === undefined) faults.push(`${part}: no such command`);
      else if (known === "") faults.push(`${part}: nothing of this name`);
      else if (known !== undefined) faults.push(...options.filter((option) => !known.includes(option)).map((option) => `${part}: no ${option}`));
    }
  }
  return faults;
}

/** Goes through blocks as a reader does: files are written, commands run, each in the folder that the one before ended in. */
export class Reader {
  /** `change` has commands as they are here. @param {string} folder @param {NodeJS.ProcessEnv} env @param {(command: string) => string} change */
  constructor(folder, env, change = (command) => command) {
    this.folder = folder;
    this.env = env;
    this.change = change;
    /** @type {string[]} */
    this.commands = [];
  }

  /** @param {Block} block */
  read({ language, text, file, line }) {
    if (file) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      writeFileSync(join(this.folder, file), `${text}\n`);
      return;
    }
    if (language !== "sh") throw new Error(`line ${line}: a block of ${language || "nothing"} that is neither a file nor commands`);
    const commands = text.split("\n").map((command) => command.replace(/\s+#.*/, "")).filter(Boolean);
    this.commands.push(...commands);
    const script = `${commands.map((command) => this.change(command)).join("\n")}\npwd >&3\n`;
    const { status, stdout, stderr, output } = spawnSync("bash", ["-euo", "pipefail", "-c", script], { cwd: this.folder, env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe", "pipe"], maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`line ${line}: ${commands.join("; ")} ended with ${status}\n${stdout}${stderr}`);
    this.folder = (output[3] ?? "").trim();
  }
}
