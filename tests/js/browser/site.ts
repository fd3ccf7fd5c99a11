/** A site that serves the package as a shop would. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { goldenAgain, goldenFiles, goldenLearning, goldenNumbered, root, serveSite, type Site } from "../golden.js";

const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".map": "application/json",
};

/** A page per policy: `/` has none, the others are sent with it. */
export const POLICIES: Record<string, string> = {
  "/strict": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
  "/no-wasm": "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'",
  "/no-worker": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'; connect-src 'self'",
};

/** Scripts that take something from a page before anything else runs. */
const WITHOUT: Record<string, string> = {
  "/no-storage": 'for (const name of ["indexedDB", "caches", "BroadcastChannel"]) Object.defineProperty(globalThis, name, { value: undefined });',
  // A browser that keeps a page in the back-forward cache whatever it is told, and tells it nothing.
  "/keeps": `delete Document.prototype.onfreeze; globalThis.BroadcastChannel = class extends BroadcastChannel { constructor(name) { super(name.endsWith(":away") ? name + Math.random() : name); } };`,
  "/private": 'Object.defineProperty(navigator, "globalPrivacyControl", { value: true });',
};

/** A shop's own service worker, as a first one often is: whatever any cache has, else the network. */
const WORKER = `
addEventListener("install", (event) => event.waitUntil(skipWaiting()));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request))));
`;

/** The file that the package's entry loads its core from. */
const core = readdirSync(join(root, "pkg/dist")).find((name) => /^core-\w+\.js$/.test(name)) ?? "";

/** What the golden bundle's shop sells. */
const PRODUCTS = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`sku-${n}`, { title: `Thing ${n}`, url: `/p/sku-${n}`, price: "£5" }]));

/** As strict as a shop's policy can be, styles included. */
const STRICT_STYLE = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'";

/** What a page is sent with and made of. */
function pageAt(address: string): { html: string; policy?: string | undefined } | undefined {
  // What follows a question mark only tells pages apart.
  const url = address.replace(/\?.*/, "");
  if (url === "/widgets") return { html: '<!doctype html><script type="module" src="/widgets.js"></script>', policy: STRICT_STYLE };
  if (url === "/no-core") return { html: `<!doctype html><script type="importmap">{"imports":{"/ingle/${core}":"data:text/javascript,throw new Error('gone')"}}</script><script type="module" src="/page.js"></script>` };
  if (url !== "/" && !(url in POLICIES) && !(url in WITHOUT)) return undefined;
  const before = url in WITHOUT ? `<script>${WITHOUT[url]}</script>` : "";
  return { html: `<!doctype html><title>shop</title>${before}<script type="module" src="/page.js"></script>`, policy: POLICIES[url] };
}

/** The file that a page's address stands for, outside the bundles. */
function fileAt(url: string): string | undefined {
  if (url === "/page.js" || url === "/widgets.js") return join(process.env["INGLE_TESTS"] ?? "", url);
  if (url === "/moved/engine") return join(root, "pkg/dist/cpu.wasm");
  if (/^\/((worker-)?[cg]pu\.(js|wasm))$/.test(url)) return join(root, "pkg/dist", url);
  return /^\/ingle\/[\w.-]+\.(js|wasm)(\.map)?$/.test(url) ? join(root, "pkg/dist", url.slice(7)) : undefined;
}

/** How the bundle's files are sent. */
export interface Line {
  bytesPerSecond: number;
  /** The connection breaks after so many bytes of a file, once each time that this is set. */
  breakAfter?: number;
}

/** Sends a file, or the part of it that is asked for, as fast as the line is. */
function sendOver(line: Line, { headers: { range } }: IncomingMessage, response: ServerResponse, { bytes, headers }: { bytes: Uint8Array; headers: Record<string, string> }): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const part = { ...headers, "content-length": bytes.length - from, ...(from > 0 && { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }) };
  response.writeHead(from > 0 ? 206 : 200, part);
  let sent = from;
  const tick = setInterval(() => {
    if (response.destroyed || sent >= bytes.length) return clearInterval(tick), void response.end();
    response.write(bytes.subarray(sent, (sent += Math.ceil(line.bytesPerSecond / 20))));
    if (line.breakAfter === undefined || sent < line.breakAfter) return;
    delete line.breakAfter;
    response.destroy();
  }, 50);
}

/** What a test adds to the shop, by its address. */
export type Extra = Record<string, { body: string | Uint8Array; type?: string; headers?: Record<string, string>; /** Only the first byte comes. */ hangs?: boolean }>;

export async function serveShop(line?: Line, extra: Extra = {}): Promise<Site> {
  const bundles = { "/b/": goldenFiles(), "/again/": goldenAgain(), "/numbered/": goldenNumbered(), "/learning/": goldenLearning(), "/learning-again/": goldenLearning("golden learning again") };
  return serveSite((request, response) => {
    const { url = "/", headers: { referer } } = request;
    const send = (bytes: Uint8Array | string, type: string, headers = {}): void => void response.writeHead(200, { "content-type": type, ...headers }).end(bytes);
    const withPolicy = (policy: string | undefined) => (policy === undefined ? {} : { "content-security-policy": policy });
    const own = extra[url.replace(/[?#].*/, "")];
    if (own?.hangs) return void response.writeHead(200).write(own.body.slice(0, 1));
    if (own) return send(own.body, own.type ?? TYPES[extname(url)] ?? "text/html", own.headers);
    if (url === "/shops-worker.js") return send(WORKER, "text/javascript");
    if (url === "/products.json") return send(JSON.stringify(PRODUCTS), "application/json");
    const page = pageAt(url);
    if (page) return send(page.html, "text/html", withPolicy(page.policy));
    const type = TYPES[extname(url)] ?? "application/octet-stream";
    for (const [folder, files] of Object.entries(bundles)) {
      const bytes = url.startsWith(folder) ? files.get(url.slice(folder.length)) : undefined;
      const headers = { "content-type": type, "cache-control": url.endsWith("manifest.json") ? "no-cache" : "max-age=31536000, immutable" };
      if (bytes && line) return sendOver(line, request, response, { bytes, headers });
      if (bytes) return send(bytes, type, headers);
    }
    const file = fileAt(url);
    if (file === undefined || !existsSync(file)) return void response.writeHead(404).end();
    // A worker obeys the policy that its own script is sent with.
    send(readFileSync(file), type, withPolicy(url.startsWith("/ingle/") && referer?.endsWith("/no-wasm") ? POLICIES["/no-wasm"] : undefined));
  });
}
