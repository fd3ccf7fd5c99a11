// Builds the npm package into pkg/dist.
//
//   node js/build.mjs               both wasm engines, the JavaScript, the types
//   node js/build.mjs --only cpu    one wasm engine; the other is taken as it was built last
//   node js/build.mjs --skip-wasm   the JavaScript and the types; both engines as they were built last
//
// Needs cargo with the wasm32-unknown-unknown target.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildScripts } from "./scripts.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const dist = join(root, "pkg", "dist");
const engines = ["cpu", "gpu"];

/** What wasm-bindgen writes for an engine; kept with cargo's own output, so that it outlives `dist`. */
const bindings = (kind) => join(target, "ingle-web", kind);

const wasm = parse(process.argv.slice(2));
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const kind of wasm) buildWasm(kind);
const release = nameRelease();
for (const kind of engines) takeWasm(kind);
await buildScripts({ root, dist, bindings, release });
run("tsc", ["--project", "tsconfig.json", "--noEmit", "false"]);
for (const name of readdirSync(dist).sort()) console.log(`${String(statSync(join(dist, name)).size).padStart(9)}  ${name}`);

function parse(args) {
  if (args.length === 0) return engines;
  if (args.length === 1 && args[0] === "--skip-wasm") return [];
  if (args.length === 2 && args[0] === "--only" && engines.includes(args[1])) return [args[1]];
  fail(`usage: node js/build.mjs [--only cpu|gpu | --skip-wasm], not "${args.join(" ")}"`);
}

function buildWasm(kind) {
  const build = ["build", "--package", "ingle", "--profile", "web", "--target", "wasm32-unknown-unknown"];
  // A panic names the file it happened in: by its crate, and not by where this machine keeps crates. Beside what
  // .cargo/config.toml says.
  const kept = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  const named = `target.wasm32-unknown-unknown.rustflags=${JSON.stringify([`--remap-path-prefix=${kept}=crates`])}`;
  run("cargo", [...build, "--config", named, "--no-default-features", "--features", kind], { CARGO_TARGET_DIR: target });
  const linked = join(target, "wasm32-unknown-unknown", "web", "ingle.wasm");
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
  for (const kind of engines) {
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
