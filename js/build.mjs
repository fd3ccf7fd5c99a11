// Builds the npm package into pkg/dist.
//
//   node js/build.mjs               all wasm engines, the JavaScript, the types
//   node js/build.mjs --only cpu    one wasm engine; the others are taken as they were built last
//   node js/build.mjs --skip-wasm   the JavaScript and the types; all engines as they were built last
//   node js/build.mjs --small       without the general engine, which takes minutes: enough for pages that do not ask for it
//   node js/build.mjs --general NAME --out DIR
//                                   the general engine from another package of the workspace, which registers backbones
//                                   of its own; the small engines as they were built last; the whole package into DIR
//
// Needs cargo with the wasm32-unknown-unknown target.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildScripts } from "./scripts.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const small = ["cpu", "gpu"];
const general = ["burn-cpu", "burn-gpu"];
const engines = [...small, ...general];
const { wasm, of, dist, has = engines } = parse(process.argv.slice(2));

/** The package that an engine is built from. */
const packageOf = (kind) => (general.includes(kind) ? of : "ingle");

/** What wasm-bindgen writes for an engine; kept with cargo's own output, so that it outlives `dist`. */
const bindings = (kind) => join(target, packageOf(kind) === "ingle" ? "ingle-web" : `ingle-web-${of}`, kind);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const kind of wasm) buildWasm(kind);
const release = nameRelease();
for (const kind of has) takeWasm(kind);
await buildScripts({ root, dist, bindings, engines: has, release, hasMore: of !== "ingle" });
run("tsc", ["--project", "tsconfig.json", "--noEmit", "false", "--outDir", dist]);
for (const name of readdirSync(dist).sort()) console.log(`${String(statSync(join(dist, name)).size).padStart(9)}  ${name}`);

function parse(args) {
  const usual = { of: "ingle", dist: join(root, "pkg", "dist") };
  if (args.length === 0) return { ...usual, wasm: engines };
  if (args.length === 1 && args[0] === "--skip-wasm") return { ...usual, wasm: [] };
  if (args.length === 1 && args[0] === "--small") return { ...usual, wasm: small, has: small };
  if (args.length === 2 && args[0] === "--only" && engines.includes(args[1])) return { ...usual, wasm: [args[1]] };
  if (args.length === 4 && args[0] === "--general" && args[2] === "--out") return { of: args[1], dist: resolve(args[3]), wasm: general };
  fail(`usage: node js/build.mjs [--only ${engines.join("|")} | --skip-wasm | --small | --general NAME --out DIR], not "${args.join(" ")}"`);
}

function buildWasm(kind) {
  const build = ["build", "--package", packageOf(kind), "--profile", "web", "--target", "wasm32-unknown-unknown"];
  // A panic names the file it happened in: by its crate, and not by where this machine keeps crates. Beside what
  // .cargo/config.toml says.
  const kept = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  const named = `target.wasm32-unknown-unknown.rustflags=${JSON.stringify([`--remap-path-prefix=${kept}=crates`])}`;
  run("cargo", [...build, "--config", named, "--no-default-features", "--features", kind], { CARGO_TARGET_DIR: target });
  const linked = join(target, "wasm32-unknown-unknown", "web", `${packageOf(kind).replaceAll("-", "_")}.wasm`);
  run("cargo", ["run", "--quiet", "--package", "ingle-bindgen", "--", linked, kind, bindings(kind)], { CARGO_TARGET_DIR: target });
  // A tenth of the bytes less, at the same speed. What has one caller stays a function of its own: a browser takes
  // 300 ms of a core to compile all of loading for speed, if it is one function and a loop in it was hot.
  const bound = join(bindings(kind), `${kind}_bg.wasm`);
  run("wasm-opt", ["-O2", "--one-caller-inline-max-function-size=100", bound, "-o", bound]);
}

function takeWasm(kind) {
  const built = join(bindings(kind), `${kind}_bg.wasm`);
  // A custom section at the end names the build: id 0, lengths, its name, what it holds.
  const [name, value] = [Buffer.from("ingle-release"), Buffer.from(release)];
  const section = Buffer.concat([Buffer.of(0, 1 + name.length + value.length, name.length), name, value]);
  writeFileSync(join(dist, `${kind}.wasm`), Buffer.concat([readFileSync(built), section]));
}

/** A hash of all that the scripts and the engines are made of: equal only where all of it is. */
function nameRelease() {
  const hash = createHash("sha256");
  const scripts = readdirSync(join(root, "js"), { recursive: true }).filter((name) => /\.(ts|mjs)$/.test(name));
  for (const name of scripts.sort()) hash.update(readFileSync(join(root, "js", name)));
  for (const kind of has) {
    if (!existsSync(join(bindings(kind), `${kind}_bg.wasm`))) fail(`the ${kind} engine has not been built yet: run node js/build.mjs --only ${kind}`);
    for (const name of readdirSync(bindings(kind)).sort()) hash.update(readFileSync(join(bindings(kind), name)));
  }
  return hash.digest("hex").slice(0, 16);
}

function run(command, args, env = {}) {
  const tools = [join(root, "node_modules", ".bin"), process.env.PATH];
  const options = { cwd: root, stdio: "inherit", env: { ...process.env, ...env, PATH: tools.join(delimiter) } };
  const { error, status } = spawnSync(command, args, options);
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) fail(`${command} failed`);
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
