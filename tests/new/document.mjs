/** A document's code, as a reader goes through it: files are written, commands run, one block after the other. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The blocks of code: `language`, `text`, `line`, what a comment right before says (`mark`), and the `file` that the sentence
 * before puts it into ("In `vite.config.js`:").
 */
export function blocksOf(markdown) {
  const blocks = [];
  const lines = markdown.split("\n");
  for (let n = 0; n < lines.length; n++) {
    const [, fence, language] = /^(```+|~~~+)(\S*)/.exec(lines[n]) ?? [];
    if (!fence) continue;
    const end = lines.findIndex((line, at) => at > n && line.startsWith(fence));
    const before = lines.slice(0, n).map((line) => line.trim()).filter(Boolean);
    const mark = /^<!-- (.*) -->$/.exec(before.at(-1) ?? "")?.[1];
    const file = /\bIn `([\w./-]+)`:$/.exec(before.at(mark === undefined ? -1 : -2) ?? "")?.[1];
    blocks.push({ language, text: lines.slice(n + 1, end).join("\n"), line: n + 1, mark, file });
    n = end;
  }
  return blocks;
}

/** Runs blocks in a folder, each in the folder that the one before ended in; `change` has commands as they are here. */
export class Reader {
  constructor(folder, env, change = (command) => command) {
    Object.assign(this, { folder, env, change, commands: [] });
  }

  read({ language, text, file, line }) {
    if (file) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      writeFileSync(join(this.folder, file), `${text}\n`);
      return "";
    }
    if (language !== "sh") throw new Error(`line ${line}: a block of ${language || "nothing"} that is neither a file nor commands`);
    const commands = text.split("\n").map((command) => command.replace(/\s+#.*/, "")).filter(Boolean);
    this.commands.push(...commands);
    const script = `${commands.map((command) => this.change(command)).join("\n")}\npwd >&3\n`;
    const { status, stdout, stderr, output } = spawnSync("bash", ["-euo", "pipefail", "-c", script], { cwd: this.folder, env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe", "pipe"], maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`line ${line}: ${commands.join("; ")} ended with ${status}\n${stdout}${stderr}`);
    this.folder = output[3].trim();
    return stdout;
  }
}
