#!/usr/bin/env node
// Writes the reference from what it is about: `reference.mjs api` from the package's types, `reference.mjs cli PROGRAM...` from
// `--help` of the programs. With --check nothing is written, and a page that is not of today fails.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const [what, ...rest] = process.argv.slice(2);
const check = rest.includes("--check");
const programs = rest.filter((word) => word !== "--check");

/** The package's modules. */
const ENTRIES = {
  ingle: "The API. `ingle/inline` has the same, in one file with the engine inside.",
  "ingle/element": "The elements. `ingle/element/define` defines them.",
  "ingle/react": "For React 18 and 19.",
  "ingle/vue": "For Vue 3.5.",
};

if (what === "api" && programs.length === 0) page("api", await api());
else if (what === "cli" && programs.length > 0) page("cli", cli(programs));
else fail("usage: reference.mjs api [--check] | cli PROGRAM... [--check]");

function page(name, text) {
  const file = join(root, "docs/reference", `${name}.md`);
  const made = `<!-- Made by scripts/reference.mjs ${name}: what is written here by hand is lost. -->\n\n${text.trimEnd()}\n`;
  const before = (() => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  })();
  if (!check) return writeFileSync(file, made);
  if (before === made) return console.log(`${relative(root, file)} is of today`);
  const [is, should] = [before, made].map((text) => text.split("\n"));
  const line = should.findIndex((text, n) => text !== is[n]);
  fail(`${relative(root, file)} is not of today, from line ${line + 1}:\n- ${is[line] ?? ""}\n+ ${should[line] ?? ""}\n./build.sh reference writes it`);
}

// ---- The programs

function cli(programs) {
  const pages = programs.flatMap((program) => commands(program, [basename(program)], []));
  return `# Commands\n\nWhat \`--help\` says of each.\n\n${pages.join("\n")}`;
}

/** A command's help, and that of those below it. */
function commands(program, names, words) {
  // As wide as where nobody looks on, whatever the terminal.
  const help = execFileSync(program, [...words, "--help"], { encoding: "utf8", env: { ...process.env, COLUMNS: "100" } }).trimEnd();
  const lines = help.split("\n").map((line) => line.trimEnd());
  const from = lines.indexOf("Commands:");
  const below = from < 0 ? [] : lines.slice(from + 1, lines.indexOf("", from)).flatMap((line) => /^ {2}([a-z][a-z-]*) /.exec(line)?.slice(1) ?? []);
  const heading = "#".repeat(Math.min(2 + words.length, 4));
  const own = `${heading} ${names.join(" ")}\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\`\n`;
  return [own, ...below.filter((name) => name !== "help").flatMap((name) => commands(program, [...names, name], [...words, name]))];
}

// ---- The package's types

async function api() {
  const { Node, Project } = await import("ts-morph");
  const project = new Project({ tsConfigFilePath: join(root, "tsconfig.json") });
  const seen = new Set();
  const entry = (name) => project.getSourceFileOrThrow(join(root, "js", `${name === "ingle" ? "index" : basename(name)}.ts`));
  const sections = Object.entries(ENTRIES).map(([name, about]) => {
    const exported = [...entry(name).getExportedDeclarations()].filter(([, [first]]) => first && !seen.has(first) && seen.add(first));
    const rank = (node) => [Node.isFunctionDeclaration, Node.isClassDeclaration].findIndex((is) => is(node)) >>> 0;
    exported.sort(([a, [x]], [b, [y]]) => rank(x) - rank(y) || (a < b ? -1 : 1));
    return `## \`${name}\`\n\n${about}\n\n${exported.map(([name, [node]]) => declaration(Node, name, node)).join("\n")}`;
  });
  return `# The package's types\n\nEvery export, its members and what the types say of them; [the overview](../guides/api.md) is shorter.\n\n${sections.join("\n")}`;
}

function declaration(Node, name, node) {
  const heading = `### ${name}\n\n${doc(Node, node)}`;
  if (Node.isFunctionDeclaration(node)) return `${heading}${code(signature(name, node))}`;
  if (Node.isTypeAliasDeclaration(node)) return `${heading}${code(`type ${node.getTypeParameters().length > 0 ? `${name}<${node.getTypeParameters().map((one) => one.getText())}>` : name} = ${plain(node.getTypeNodeOrThrow())}`)}`;
  if (Node.isInterfaceDeclaration(node)) return `${heading}${above(node.getExtends())}${table(Node, node.getMembers())}`;
  if (Node.isClassDeclaration(node)) return `${heading}${above([node.getExtends()].filter(Boolean))}${table(Node, node.getMembers().filter(shown))}`;
  return `${heading}${code(`const ${name}: ${node.getTypeNode?.()?.getText() ?? node.getType().getText(node)}`)}`;
}

/** A class's members for those who use it. */
function shown(member) {
  if (member.getName?.()?.startsWith("#") || ["private", "protected"].includes(member.getScope?.())) return false;
  if (!member.getName || member.hasOverrideKeyword?.() || member.isStatic?.()) return false;
  return !(member.getJsDocs?.() ?? []).some((doc) => doc.getTags().some((tag) => tag.getTagName() === "internal"));
}

function table(Node, members) {
  const rows = new Map();
  for (const member of members) {
    const name = member.getName?.();
    if (!name) continue;
    const about = doc(Node, member).replace(/\s*\n\s*/g, " ").trim();
    // A getter and a setter are one member.
    if (!rows.get(name)?.about) rows.set(name, { type: typeOf(Node, member), about });
  }
  if (rows.size === 0) return "";
  const cell = (text) => text.replace(/\|/g, "\\|");
  return `| | |\n|---|---|\n${[...rows].map(([, { type, about }]) => `| \`${cell(type)}\` | ${cell(about)} |`).join("\n")}\n`;
}

function typeOf(Node, member) {
  const name = member.getName();
  if (Node.isMethodDeclaration(member) || Node.isMethodSignature(member)) return signature(name, member);
  if (Node.isSetAccessorDeclaration(member)) return `${name}: ${member.getParameters()[0].getTypeNode()?.getText() ?? ""}`;
  const type = plain(member.getTypeNode?.() ?? member.getReturnTypeNode?.()) || member.getType().getText(member);
  return `${name}${member.hasQuestionToken?.() ? "?" : ""}: ${type}`;
}

function signature(name, node) {
  const parameters = node.getParameters().map((one) => {
    // What is taken apart in the code is one argument to who calls it.
    const named = one.getNameNode().getKindName() === "ObjectBindingPattern" ? "options" : one.getName();
    return `${named}${one.isOptional() ? "?" : ""}: ${plain(one.getTypeNode()) || one.getType().getText(one)}`;
  });
  return `${name}(${parameters.join(", ")}): ${plain(node.getReturnTypeNode()) || node.getReturnType().getText(node)}`;
}

/** A type as it is written, on one line and without its comments. */
function plain(node) {
  return (node?.getText() ?? "").replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/\s+/g, " ").replace(/^\| /, "").replace(/([({]) +| +([)])/g, "$1$2").replace(/\{(?=\S)/g, "{ ").trim();
}

/** What it has from elsewhere, where that is exported or the platform's. */
function above(nodes) {
  const known = nodes.map((node) => node.getText()).filter((text) => text in globalThis || /^(HTMLElement|QueryOptions|IngleElement)$/.test(text));
  return known.length > 0 ? `With what \`${known.join("`, `")}\` has.\n\n` : "";
}

function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\`\n`;
}

function doc(Node, node) {
  const docs = Node.isVariableDeclaration(node) ? (node.getVariableStatement()?.getJsDocs() ?? []) : (node.getJsDocs?.() ?? []);
  const text = docs.map((one) => one.getDescription().trim()).join("\n\n");
  return text ? `${text}\n\n` : "";
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
