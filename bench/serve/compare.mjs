// `ingle serve` beside nginx on the same machine, with the same files and as many workers, by turns; and what it holds
// in memory. The rows of the long tests are read from tests.log.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, quantile, report, row } from "../report.mjs";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, seconds: { type: "string", default: "4" }, short: { type: "boolean" } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const { SCRATCH: scratch, PROGRAMS: programs } = process.env;
const here = dirname(fileURLToPath(import.meta.url));

const CASES = [
  { name: "2 KB", role: "model", connections: 32 },
  { name: "10 MB", role: "items", connections: 8 },
];
const PORT = 18_191;
/** Bytes of the bundle whose memory is measured: so large that what every process needs does not count. */
const LARGE = { items: 200_000, width: 500 };

const running = [];
process.on("exit", () => running.forEach((child) => child.kill()));

/** Writes a bundle; gives its bytes and the name of each role's first file. */
function makeBundle(folder, seed, items, width) {
  const names = execFileSync(join(programs, "examples/bundle"), [folder, seed, items, width], { encoding: "utf8" }).trim().split("\n");
  for (const name of names) chmodSync(join(folder, name), 0o644);
  const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return { bytes, file: (role) => names.find((name) => name.startsWith(`${role}-`)) };
}

/** Starts the server; `prepared` resolves when it has compressed what it will, `address` is where it answers. */
async function startServer(folder) {
  const child = spawn(join(programs, "ingle-serve"), [folder, "--addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const address = await new Promise((resolve, reject) => {
    child.stdout.once("data", (text) => resolve(new URL(String(text).trim()).origin));
    child.once("exit", () => reject(new Error(`ingle-serve ended: ${log}`)));
  });
  const prepared = async (times) => {
    while (log.split("compressed forms are ready").length <= times) await pause(50);
  };
  return { child, address, prepared };
}

/** Files go from nginx's disk cache to the socket, or through buffers of its own: which is faster depends on the machine. */
const WAYS = { sendfile: "sendfile on; tcp_nopush on;", buffers: "sendfile off; output_buffers 2 512k;" };

async function startNginx(folder, way, port) {
  const home = join(scratch, `nginx-${way}`);
  mkdirSync(home);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(" ");
  // As nginx's own guide to serving static files has it.
  writeFileSync(
    join(home, "nginx.conf"),
    `${process.getuid() === 0 ? "user root;" : ""} worker_processes ${availableParallelism()}; daemon off; pid ${home}/pid; error_log ${home}/error.log;
    events { worker_connections 4096; multi_accept on; }
    http { ${temporary} access_log off; ${WAYS[way]} tcp_nodelay on; keepalive_requests 100000000;
      types { application/json json; application/octet-stream safetensors; }
      open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
      server { listen 127.0.0.1:${port} backlog=4096; root ${folder}; etag on;
        add_header Cache-Control "public, max-age=31536000, immutable"; add_header X-Content-Type-Options nosniff;
        add_header Access-Control-Allow-Origin "*"; add_header Cross-Origin-Resource-Policy cross-origin; } }`,
  );
  const child = spawn("nginx", ["-p", home, "-c", join(home, "nginx.conf"), "-e", join(home, "error.log")], { stdio: "inherit" });
  running.push(child);
  const address = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await fetch(`${address}/manifest.json`).then((answer) => answer.ok, () => false)); tries++) {
    if (tries > 100) throw new Error("nginx does not answer");
    await pause(50);
  }
  return { child, address };
}

function wrk(url, connections, time = seconds) {
  const out = execFileSync("wrk", ["-t1", `-c${connections}`, `-d${time}s`, "--timeout", "60s", "-s", join(here, "result.lua"), url], { encoding: "utf8" });
  const found = JSON.parse(/^RESULT (.*)$/m.exec(out)[1]);
  console.error(`${url}: ${found.requests} requests, p99 ${found.p99 / 1000} ms`);
  if (found.failed > 0) throw new Error(`${found.failed} of ${found.requests} requests to ${url} failed`);
  return { rate: found.requests / (found.micros / 1e6), p99: found.p99 / 1000 };
}

const memory = (child, field) => Number(new RegExp(`^${field}:\\s*(\\d+) kB`, "m").exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))[1]) * 1024;

const rows = [];

// Beside nginx, by turns, each first in every other round.
const folder = join(scratch, "bundle");
const bundle = makeBundle(folder, "1", "40000", "254");
if (process.getuid() === 0) for (const path of [scratch, folder]) chmodSync(path, 0o755);
const ours = await startServer(folder);
const peers = {};
for (const [at, way] of Object.keys(WAYS).entries()) peers[way] = await startNginx(folder, way, PORT + at);
await ours.prepared(1);
for (const { name, role, connections } of CASES) {
  const measured = { ours: [], sendfile: [], buffers: [] };
  const turns = Object.entries({ ours, ...peers });
  for (let round = 0; round < rounds; round++) {
    for (const [who, { address }] of turns) measured[who].push(wrk(`${address}/${bundle.file(role)}`, connections));
    turns.push(turns.shift());
  }
  const all = (who, key) => measured[who].map((one) => one[key]);
  for (const way of Object.keys(WAYS)) {
    for (const [metric, key] of [["requests/s", "rate"], ["p99 ms", "p99"]]) {
      const quartiles = { q1: quantile(all("ours", key), 0.25), q3: quantile(all("ours", key), 0.75) };
      rows.push(row(name, metric, median(all("ours", key)), { peer: `nginx, ${way}`, theirs: median(all(way, key)), ...quartiles }));
    }
  }
}
for (const { child } of [ours, ...Object.values(peers)]) child.kill();

// Memory: at rest, under downloads, and while a bundle that shares nothing with it takes its place.
const large = join(scratch, "large");
const { bytes, file } = makeBundle(large, "1", LARGE.items, LARGE.width);
const server = await startServer(large);
await server.prepared(1);
rows.push(row("memory, MB", "at rest", memory(server.child, "VmRSS") / 1e6, { peer: "bundle", theirs: bytes / 1e6 }));
wrk(`${server.address}/${file("items")}`, 16);
makeBundle(large, "2", LARGE.items, LARGE.width);
wrk(`${server.address}/${file("items")}`, 16, seconds * 2);
await server.prepared(2);
wrk(`${server.address}/${file("items")}`, 16);
rows.push(row("memory, MB", "at most, with a deployment", memory(server.child, "VmHWM") / 1e6, { peer: "bundle", theirs: bytes / 1e6 }));
server.child.kill();

const log = join(scratch, "tests.log");
if (existsSync(log)) {
  for (const [, found] of readFileSync(log, "utf8").matchAll(/BENCH (\{.*\})/g)) rows.push(JSON.parse(found));
}
report("serve", rows);
