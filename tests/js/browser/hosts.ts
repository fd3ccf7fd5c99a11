/**
 * A shop and a bundle's host that write down everything they are asked, and do what a host can to know a visitor again:
 * every answer of the bundle's has an ETag, a date and a cookie of its own.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { goldenFiles, root } from "../golden.js";

/** What a host says of its files' life in the browser's cache. */
export const MANNERS = {
  immutable: "public, max-age=31536000, immutable",
  revalidated: "no-cache",
  stale: "public, max-age=0, must-revalidate",
  forbidden: "no-store",
} as const;
export type Manner = keyof typeof MANNERS;

export interface Asked {
  /** Whose origin it was: the page's, or the one of a host that is only the bundle's. */
  host: "shop" | "elsewhere";
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: number;
}

/** Products that have images; others are not in the shop. */
export const SOLD = Array.from({ length: 30 }, (_, n) => `sku-${n * 10}`);
const GIF = Buffer.from("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=", "base64");
/** The shop's own cookie, which its page has. */
export const COOKIE = "shop=1";

type Files = Map<string, Uint8Array>;

/** The golden bundle as it was exported for the nth time: another item came in, so one file is another. */
export function releaseOf(n: number): Files {
  const files: Files = goldenFiles();
  if (n === 0) return files;
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as { name: string; files: { role: string; name: string; bytes: number; sha256: string }[] };
  const entry = manifest.files.find(({ role }) => role === "ids")!;
  const ids = JSON.parse(new TextDecoder().decode(files.get(entry.name))) as string[];
  files.delete(entry.name);
  const bytes = new TextEncoder().encode(JSON.stringify([...ids.slice(0, -1), `new-${n}`]));
  entry.sha256 = createHash("sha256").update(bytes).digest("hex");
  entry.name = `ids-${entry.sha256.slice(0, 16)}.json`;
  entry.bytes = bytes.length;
  files.set(entry.name, bytes);
  return files.set("manifest.json", new TextEncoder().encode(JSON.stringify({ ...manifest, name: `golden ${n}` })));
}

export class Hosts {
  readonly asked: Asked[] = [];
  manner: Manner = "immutable";
  /** Whether bundle files are offered as dictionaries for compressing what is fetched later. */
  dictionaries = false;
  /** Whose origin the products' images are on. */
  imagesOn: Asked["host"] = "shop";
  /** Whether the shop's products file is there. */
  products = true;
  /** What the bundle's host answers for its manifest, if not 200. */
  failing: number | undefined;
  /** After so many bytes of the model's file the connection breaks, once. */
  breakAfter: number | undefined;
  files: Files = releaseOf(0);
  #answers = 0;
  #servers: Server[] = [];
  readonly origins: string[] = [];

  static async open(): Promise<Hosts> {
    const hosts = new Hosts();
    for (const host of ["shop", "elsewhere"] as const) {
      const server = createServer((request, response) => hosts.#hear(host, request, response));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      hosts.#servers.push(server);
      hosts.origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    return hosts;
  }

  /** The shop's address. */
  get url(): string {
    return `${this.origins[0]}/`;
  }

  /** The bundle's address on the shop's own origin, or on another one. */
  bundleAt(host: Asked["host"]): string {
    return `${this.origins[host === "shop" ? 0 : 1]}/b/`;
  }

  deploy(release: number): void {
    this.files = releaseOf(release);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve())))));
  }

  #hear(host: Asked["host"], request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url: path = "", headers } = request;
    const asked: Asked = { host, method, path, headers, body: 0 };
    this.asked.push(asked);
    request.on("data", (chunk: Uint8Array) => (asked.body += chunk.length));
    const send = (bytes: Uint8Array | string, type: string, more: Record<string, string> = {}): void => void response.writeHead(200, { "content-type": type, "cache-control": "no-store", ...more }).end(bytes);
    if (path.startsWith("/b/")) return this.#sendBundle(path.slice(3), headers, response);
    if (path.startsWith("/images/")) return send(GIF, "image/gif", { "access-control-allow-origin": "*" });
    if (host === "elsewhere") return void response.writeHead(404).end();
    if (path === "/") return send('<!doctype html><title>shop</title><link rel="icon" href="data:,"><script type="module" src="/visits.js"></script>', "text/html", { "content-security-policy": this.#policy, "set-cookie": COOKIE });
    if (path === "/products.json" && this.products) return send(JSON.stringify(this.#catalogue), "application/json");
    const file = path === "/visits.js" ? join(process.env["INGLE_TESTS"] ?? "", path) : /^\/ingle\/[\w.-]+\.(js|wasm)$/.test(path) ? join(root, "pkg/dist", path.slice(7)) : "";
    if (!existsSync(file)) return void response.writeHead(404).end();
    send(readFileSync(file), path.endsWith(".wasm") ? "application/wasm" : "text/javascript", { "content-security-policy": this.#policy });
  }

  get #catalogue(): object {
    const folder = this.imagesOn === "shop" ? "/images/" : `${this.origins[1]}/images/`;
    return Object.fromEntries(SOLD.map((item) => [item, { title: `Thing ${item}`, url: `/p/${item}`, image: `${folder}${item}.gif` }]));
  }

  /** Nothing that a page or its worker asks for can go anywhere but to these two hosts. */
  get #policy(): string {
    return `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' ${this.origins[1]} blob:; connect-src 'self' ${this.origins[1]}`;
  }

  #sendBundle(name: string, headers: IncomingMessage["headers"], response: ServerResponse): void {
    const n = ++this.#answers;
    const marks = {
      etag: `"visitor-${n}"`,
      "last-modified": new Date(1_600_000_000_000 + n * 1_000).toUTCString(),
      "set-cookie": `visitor=${n}; Path=/; Max-Age=31536000`,
      ...(this.dictionaries && { "use-as-dictionary": 'match="/b/*"' }),
      "access-control-allow-origin": "*",
      "cache-control": name === "manifest.json" ? "no-cache" : MANNERS[this.manner],
    };
    // A host that tracks says that nothing has changed, so that the mark stays.
    if (headers["if-none-match"] ?? headers["if-modified-since"]) return void response.writeHead(304, marks).end();
    const bytes = this.files.get(name);
    const status = name === "manifest.json" ? (this.failing ?? 200) : 200;
    if (!bytes || status !== 200) return void response.writeHead(bytes ? status : 404, marks).end();
    const type = name.endsWith(".json") ? "application/json" : "application/octet-stream";
    response.writeHead(200, { ...marks, "content-type": type, "content-length": bytes.length, "accept-ranges": "bytes" });
    if (this.breakAfter === undefined || !name.startsWith("model-")) return void response.end(bytes);
    const part = bytes.subarray(0, this.breakAfter);
    this.breakAfter = undefined;
    response.write(part, () => setTimeout(() => response.destroy(), 100));
  }
}
