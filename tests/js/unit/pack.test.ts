// `npm pack` in a clone: refused until the package is built, and then with its licences.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { equal, ok } from "../check.js";
import { root } from "../golden.js";

test("npm pack in a fresh clone says what to run first, and in a built one takes the licences along", (t) => {
  const clone = mkdtempSync(join(tmpdir(), "ingle-pack-"));
  t.after(() => rmSync(clone, { recursive: true }));
  for (const name of ["pkg/package.json", "pkg/README.md", "scripts/prepack.mjs", "LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(root, name), join(clone, name));
  const pack = () => spawnSync("npm", ["pack", "--dry-run", "--json"], { cwd: join(clone, "pkg"), encoding: "utf8" });

  const refused = pack();
  ok(refused.status !== 0, "it is refused");
  ok(/the package has not been built: .*dist\/.* missing\.\nRun \.\/build\.sh pkg first/.test(refused.stderr), refused.stderr);

  const { exports } = JSON.parse(readFileSync(join(clone, "pkg/package.json"), "utf8")) as { exports: Record<string, string | Record<string, string>> };
  for (const name of Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))) {
    if (!name.startsWith("./dist/")) continue;
    mkdirSync(dirname(join(clone, "pkg", name)), { recursive: true });
    writeFileSync(join(clone, "pkg", name), "");
  }
  const { stdout, stderr } = pack();
  const start = stdout.indexOf("[");
  ok(start >= 0, stderr);
  const [{ files }] = JSON.parse(stdout.slice(start)) as [{ files: { path: string }[] }];
  equal(files.map(({ path }) => path).filter((path) => !path.startsWith("dist/")).sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"]);
});
