/** An example, installed with the package as it is packed, built and served as its own package.json says. */

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/**
 * Where examples are built: kept from one run to the next, so that npm installs only what is new. Outside of node_modules,
 * whose contents bundlers take for other people's.
 */
const work = process.env.EXAMPLES_WORK ?? join(tmpdir(), "ingle-examples");

/** What stays where an example was built before: its packages, and what tools keep to be quicker. */
const KEPT = ["node_modules", ".next"];

/** Waits until no other run works in the folder, as one of another clone may, and keeps it until this one ends. */
export async function claim() {
  mkdirSync(work, { recursive: true });
  const lock = join(work, "lock");
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      process.on("exit", () => rmSync(lock, { force: true }));
      return;
    } catch {
      if (!isRunning(Number(readFileSync(lock, "utf8")))) rmSync(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The package as npm packs it; its name says what is in it, so that npm installs what has changed. */
export function pack() {
  const [{ filename, shasum }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", work], join(root, "pkg")));
  const packed = join(work, `ingle-${shasum.slice(0, 12)}.tgz`);
  cpSync(join(work, filename), packed);
  rmSync(join(work, filename));
  return packed;
}

/** The demo's catalogue, as a shop would write its products file. */
export function products(url) {
  const items = JSON.parse(readFileSync(join(root, "www/demo/items.json"), "utf8"));
  return items.map(({ item_id: id, title, price }) => ({ id, title, price: `£${(price / 100).toFixed(2)}`, url: url(id) }));
}

/** Copies an example, puts the shop's own files into its folder `statics`, installs and builds it; the folder it is in. */
export function build(name, { packed, statics, url }) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) if (!KEPT.includes(entry)) rmSync(join(folder, entry), { recursive: true });
  cpSync(join(root, "examples", name), folder, { recursive: true, filter: (path) => !KEPT.some((kept) => path.endsWith(`/${kept}`)) });
  const own = join(folder, statics);
  cpSync(join(root, "www/demo/bundle"), join(own, "recommender"), { recursive: true });
  writeFileSync(join(own, "products.json"), JSON.stringify(products(url)));

  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  manifest.dependencies.ingle = `file:${packed}`;
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  const stamp = join(folder, "node_modules/.installed-from");
  const wanted = createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    run("npm", ["install", "--no-package-lock", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"], folder);
    writeFileSync(stamp, wanted);
  }
  run("npm", ["run", "--silent", "build"], folder);
  return folder;
}

/** Runs `npm start` on a free port; resolves once the page answers. */
export async function serve(folder) {
  const port = await freePort();
  return start("npm", ["run", "--silent", "start"], { cwd: folder, port });
}

/** Runs a server until `stop`; resolves once it answers on its port with a page. */
export async function start(command, args, { cwd, port, env = {} }) {
  const started = spawn(command, args, { cwd, env: { ...environment(), ...env, PORT: String(port) }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [started.stdout, started.stderr]) stream.on("data", (text) => (said += text));
  const stop = () => {
    try {
      process.kill(-started.pid);
    } catch {
      // It has ended by itself.
    }
  };
  const origin = `http://127.0.0.1:${port}`;
  for (let tried = 0; ; tried++) {
    const response = await fetch(origin).catch(() => undefined);
    if (response?.ok) return { origin, stop, said: () => said };
    if (tried === 240 || started.exitCode !== null) {
      stop();
      const text = (await response?.text())?.slice(0, 2_000);
      throw new Error(`${command} ${args.join(" ")} in ${cwd} did not answer with a page (${response ? `HTTP ${response.status}: ${text}` : "no answer"}):\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Frameworks count their users unless told otherwise, and colour what they say. */
function environment() {
  return { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", NG_CLI_ANALYTICS: "false", NO_COLOR: "1" };
}

export function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", env: environment(), stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")} in ${cwd} failed:\n${error.stdout}\n${error.stderr}`);
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
