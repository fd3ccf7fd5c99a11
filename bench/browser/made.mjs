// What the benchmarks in the browser make once and keep in bench/out: bundles of invented catalogues.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export const out = join(import.meta.dirname, "..", "out");

/** The folder of the bundle of an invented catalogue; made by the program that CATALOGUE names. */
export function bundleOf(items, method = "sasrec") {
  const folder = join(out, "bundles", method === "sasrec" ? String(items) : method);
  if (!existsSync(join(folder, "manifest.json"))) execFileSync(process.env.CATALOGUE, [String(items), folder, method], { stdio: "inherit" });
  return folder;
}
