// How the package's modules hang together.

import { test } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { equal, ok } from "../check.js";
import { root } from "../golden.js";

const files = (readdirSync(join(root, "js"), { recursive: true }) as string[]).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));

/** What a module imports when it runs: types are gone by then. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, "js", file), "utf8");
  const written = [...source.matchAll(/^(?:import|export) (?!type )([^;"]*?)from "(\.[^"]+)"/gm)].filter(([, names = ""]) => !/^\{(?:\s*type [^,}]+,?)+\s*\}/.test(names.trim()));
  const asked = [...source.matchAll(/(?<!typeof )\bimport\("(\.[^"]+)"\)/g)];
  return [...written.map(([, , path = ""]) => path), ...asked.map(([, path = ""]) => path)].map((path) => normalize(join(dirname(file), path)).replace(/\.js$/, ".ts"));
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));

test("no module is imported by what it imports", () => {
  ok([...imports.values()].flat().length > 100, "imports are found");
  const [done, circles]: [Set<string>, string[]] = [new Set(), []];
  const follow = (file: string, way: string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" > "));
    if (way.includes(file) || done.has(file)) return;
    for (const next of imports.get(file) ?? []) follow(next, [...way, file]);
    done.add(file);
  };
  for (const file of files) follow(file, []);
  equal(circles, []);
});

/** Each folder, and those that it may import from. What lies in none is the package's surface, and the files beside it. */
const MAY: Record<string, string[]> = {
  common: [],
  bundle: ["common"],
  engine: ["bundle", "common"],
  answers: ["bundle", "common", "engine"],
  history: ["bundle", "common"],
  elements: ["common"],
};

test("folders depend one way", () => {
  const folder = (file: string): string => (file.includes("/") ? dirname(file) : "");
  equal([...new Set(files.map(folder))].filter((name) => name !== "").sort(), Object.keys(MAY).sort());
  const wrong = [...imports].flatMap(([file, found]) => {
    const may = MAY[folder(file)];
    return may ? found.filter((other) => ![folder(file), "", ...may].includes(folder(other))).map((other) => `${file} > ${other}`) : [];
  });
  equal(wrong, []);
});
