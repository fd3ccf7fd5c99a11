/** The golden bundle, and a server for it that can misbehave. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = process.env["INGLE_ROOT"] ?? process.cwd();
const folder = join(root, "tests/data/golden");

/** The bundle's files by name, the manifest among them. */
export function goldenFiles(): Map<string, Uint8Array<ArrayBuffer>> {
  const names = readdirSync(folder).filter((name) => /^(manifest\.json|[a-z]+-[0-9a-f]{16}\..*)$/.test(name));
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
}

/** The SHA-256 of each of its files, by its name. */
export function goldenHashes(): Record<string, string> {
  return Object.fromEntries([...goldenFiles()].map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]));
}

/** The same bundle under another name. */
export function goldenAgain(): Map<string, Uint8Array<ArrayBuffer>> {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as object;
  return files.set("manifest.json", new TextEncoder().encode(JSON.stringify({ ...manifest, name: "golden again" })));
}

/** The same bundle with an adapter to learn; another `name` makes it another bundle. */
export function goldenLearning(name = "golden learning", steps = 4): Map<string, Uint8Array<ArrayBuffer>> {
  const learning = { bias_rate: 2, weight_rate: 0, steps, half_life: 10, window: 100, clicks: 3 };
  return goldenWith(name, { popularity: 0, learning, gain: { value: 0.01, error: 0.001 } });
}

/** The same with another adapter. */
export function goldenWith(name: string, adapter: object): Map<string, Uint8Array<ArrayBuffer>> {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as object;
  return files.set("manifest.json", new TextEncoder().encode(JSON.stringify({ ...manifest, name, adapter })));
}

/** The same bundle with item n called 8000 + n, in digits. */
export function goldenNumbered(): Map<string, Uint8Array<ArrayBuffer>> {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as { files: { role: string; name: string; bytes: number; sha256: string }[] };
  const entry = manifest.files.find(({ role }) => role === "ids")!;
  const ids = JSON.parse(new TextDecoder().decode(files.get(entry.name))) as string[];
  const bytes = new TextEncoder().encode(JSON.stringify(ids.map((_, n) => String(8000 + n))));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  files.delete(entry.name);
  Object.assign(entry, { name: `ids-${sha256.slice(0, 16)}.json`, bytes: bytes.length, sha256 });
  return files.set(entry.name, bytes).set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
}

/** A later bundle: every file of it is another one, and it answers as the first but for a bit of a weight and of a popularity. */
export function goldenNext(): Map<string, Uint8Array<ArrayBuffer>> {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as { name: string; files: { name: string; bytes: number; sha256: string; role: string }[] };
  for (const file of manifest.files) {
    let bytes = files.get(file.name)!;
    files.delete(file.name);
    // The lowest bit of the last number of a safetensors file; white space at the end of JSON.
    if (file.name.endsWith(".json")) bytes = new Uint8Array([...bytes, 10]);
    else bytes[bytes.length - 4]! ^= 1;
    file.bytes = bytes.length;
    file.sha256 = createHash("sha256").update(bytes).digest("hex");
    file.name = file.name.replace(/[0-9a-f]{16}/, file.sha256.slice(0, 16));
    files.set(file.name, bytes);
  }
  return files.set("manifest.json", new TextEncoder().encode(JSON.stringify({ ...manifest, name: "golden next" })));
}

export interface Golden {
  bound: number;
  adapter: object;
  cases: {
    learnt: number[];
    history: string[];
    recommend: { item: string; score: number; probability: number; because?: { item: string; share: number } }[];
    explain: { item: string; known: boolean; noise: number; keep: number; prior?: number; posterior?: number }[];
  }[];
}

export function goldenAnswers(): Golden {
  return JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Golden;
}

/** Lets this process pass for a worker of a browser: on a server, which it is, a recommender does nothing. */
export function passForAWorker(): void {
  Object.assign(globalThis, { WorkerGlobalScope: class {}, location: new URL("http://127.0.0.1/") });
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Site {
  url: string;
  /** Method and path of every request so far. */
  requests: IncomingMessage[];
  close(): Promise<void>;
}

/** A server on a port of its own that remembers what it was asked. */
export async function serveSite(handler: Handler): Promise<Site> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const close = () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve())));
  return { url, requests, close };
}

/** Serves files by name under `prefix`. */
export function filesUnder(prefix: string, files: Map<string, Uint8Array>): Handler {
  return ({ url = "" }, response) => {
    const bytes = url.startsWith(prefix) ? files.get(url.slice(prefix.length)) : undefined;
    if (!bytes) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  };
}
