#!/usr/bin/env node
// Every relative link in the project's Markdown leads to a file, and every #fragment to a heading of it. Pages of docs/ link to
// docs/ alone: they are a book as well.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const listing = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"];
const pages = execFileSync("git", listing, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);

/** The text without code, where brackets are not links. Lines keep their numbers. */
function prose(text) {
  const blank = (code) => code.replace(/[^\n]/g, " ");
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank);
}

/** The anchors that code hosts give to a page's headings. */
function anchors(text) {
  const seen = new Map();
  return new Set(
    [...text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map(([, title]) => {
      const slug = title
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replace(/\s/g, "-");
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count ? `${slug}-${count}` : slug;
    }),
  );
}

/** What is wrong with a link from a page, or null. */
function fault(page, target) {
  const [path, fragment] = decodeURI(target).split("#");
  const file = path ? join(root, path.startsWith("/") ? path : join(dirname(page), path)) : join(root, page);
  if (relative(root, file).startsWith("..")) return "leads out of the project";
  if (!existsSync(file)) return "leads to no file";
  if (page.startsWith("docs/") && relative(join(root, "docs"), file).startsWith("..")) return "leads out of the book";
  if (!fragment || statSync(file).isDirectory() || !file.endsWith(".md")) return null;
  return anchors(readFileSync(file, "utf8")).has(fragment) ? null : "leads to no heading";
}

let links = 0;
let broken = 0;
for (const page of pages.filter((name) => existsSync(join(root, name)))) {
  const text = prose(readFileSync(join(root, page), "utf8"));
  const inline = /\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)/g;
  const reference = /^\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm;
  for (const match of [...text.matchAll(inline), ...text.matchAll(reference)]) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(match[1])) continue;
    links += 1;
    const problem = fault(page, match[1]);
    if (!problem) continue;
    broken += 1;
    console.error(`${page}:${text.slice(0, match.index).split("\n").length}: ${match[1]} ${problem}`);
  }
}
console.log(`${pages.length} pages, ${links} relative links, ${broken} broken`);
process.exitCode = broken ? 1 : 0;
