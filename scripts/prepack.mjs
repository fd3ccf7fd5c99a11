// Before `npm pack` and `npm publish`: takes the licences along, and refuses a package that has not been built.
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pkg = join(root, "pkg");
const { exports, files } = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));

for (const name of files.filter((name) => name.startsWith("LICENSE-"))) copyFileSync(join(root, name), join(pkg, name));

const named = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
const missing = [...new Set(named)].filter((name) => !existsSync(join(pkg, name)));
if (missing.length > 0) {
  console.error(`error: the package has not been built: ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ` and ${missing.length - 3} more files are` : missing.length > 1 ? " are" : " is"} missing.`);
  console.error("Run ./build.sh pkg first; it writes pkg/dist.");
  process.exit(1);
}
