// Runs the package's TypeScript tests: `node tests/js/run.mjs unit | browser`.
//
// Bundles each `*.test.ts` for Node, and `page.ts` for the browser, then hands over to `node --test`.
// Needs pkg/dist, which `npm run build` makes; the browser's tests also need a Chromium and a Firefox, those
// that CHROME and FIREFOX name or those on PATH.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const [suite, ...rest] = process.argv.slice(2);
if (suite !== "unit" && suite !== "browser") fail("usage: node tests/js/run.mjs unit | browser [FILE.test.ts] [PATTERN]");
if (!existsSync(join(root, "pkg/dist/index.js"))) fail("pkg/dist is missing: run npm run build first");

const out = join(root, "node_modules/.cache/ingle-tests", suite);
rmSync(out, { recursive: true, force: true });
const [only] = rest.splice(0, rest[0]?.endsWith(".test.ts") ? 1 : 0);
const tests = readdirSync(join(here, suite)).filter((name) => (only ? name === only : name.endsWith(".test.ts")));
// What runs from its source here belongs to the build of pkg/dist.
const [release] = WebAssembly.Module.customSections(new WebAssembly.Module(readFileSync(join(root, "pkg/dist/cpu.wasm"))), "ingle-release");
const named = { INGLE_RELEASE: JSON.stringify(new TextDecoder().decode(release)), INGLE_HAS_MORE: "false" };
const common = { bundle: true, format: "esm", target: "es2022", sourcemap: "inline", outdir: out, logLevel: "warning", define: named };
await build({
  ...common,
  entryPoints: tests.map((name) => join(here, suite, name)),
  platform: "node",
  packages: "external",
});
if (suite === "browser") {
  // The package itself is not bundled: the page loads it as it is published.
  const files = { ingle: "/ingle/index.js", "ingle/element": "/ingle/element.js" };
  const published = (esbuild) => esbuild.onResolve({ filter: /^ingle(\/element)?$/ }, ({ path }) => ({ path: files[path], external: true }));
  const plugins = [{ name: "published", setup: published }];
  await build({ ...common, entryPoints: [join(here, suite, "page.ts"), join(here, suite, "visits.ts")], platform: "browser", plugins });
  // Here it is, as by a shop that bundles with esbuild and copies the engine's files.
  const define = { ...named, "process.env.NODE_ENV": '"production"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" };
  const external = ["./worker-cpu.js", "./worker-gpu.js", "./worker-burn-cpu.js", "./worker-burn-gpu.js"];
  await build({ ...common, entryPoints: [join(here, suite, "widgets.ts")], platform: "browser", define, external });
}
const pattern = rest.length > 0 ? [`--test-name-pattern=${rest.join(" ")}`] : [];
const files = tests.map((name) => join(out, name.replace(/\.ts$/, ".js")));
// On two cores Node runs one file at a time. Browsers need that; tests without one do not.
const concurrency = suite === "unit" ? [`--test-concurrency=${Math.max(2, availableParallelism() - 1)}`] : [];
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...concurrency, ...pattern, ...files], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, INGLE_ROOT: root, INGLE_TESTS: out },
});
process.exit(status ?? 1);

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
