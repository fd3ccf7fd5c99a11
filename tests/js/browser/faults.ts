/** What can be wrong with the host of a bundle, and a host that has it. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { goldenFiles, goldenNext } from "../golden.js";

type Files = Map<string, Uint8Array>;

/** How a fault answers for a file; whatever it passes over is sent as it should be. */
interface Fault {
  /** In the words of the guide. */
  name: string;
  answer(file: string, request: IncomingMessage, response: ServerResponse, files: Files): boolean | void;
}

const manifestIs = (name: string, send: (response: ServerResponse, manifest: Uint8Array) => void): Fault => ({
  name,
  answer: (file, _, response, files) => (file === "manifest.json" ? (send(response, files.get(file)!), true) : false),
});

const modelIs = (name: string, send: (response: ServerResponse, model: Uint8Array) => void): Fault => ({
  name,
  answer: (file, _, response, files) => (file.startsWith("model-") ? (send(response, files.get(file)!), true) : false),
});

const allIs = (name: string, send: (response: ServerResponse) => void): Fault => ({ name, answer: (_, __, response) => (send(response), true) });

function changed(manifest: Uint8Array, change: (manifest: { format: number; method: { name: string }; files: { name: string; bytes: number }[] }) => void): string {
  const parsed = JSON.parse(new TextDecoder().decode(manifest)) as Parameters<typeof change>[0];
  change(parsed);
  return JSON.stringify(parsed);
}

/** Sends bytes until nobody listens. */
function sendForEver(response: ServerResponse, bytes: Uint8Array, everyMs: number): void {
  const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write(bytes)), everyMs);
}

const PORTAL = "<!doctype html><title>Welcome to our Wi-Fi</title><p>Please accept the terms.";

export const FAULTS: readonly Fault[] = [
  manifestIs("the manifest is missing (404)", (response) => response.writeHead(404).end()),
  manifestIs("the manifest is not to be had now (503)", (response) => response.writeHead(503).end()),
  manifestIs("the manifest's connection breaks", (response, manifest) => {
    response.writeHead(200, { "content-length": manifest.length });
    response.write(manifest.subarray(0, 500), () => response.destroy());
  }),
  manifestIs("the manifest is cut short", (response, manifest) => response.end(manifest.subarray(0, 500))),
  manifestIs("the manifest does not end", (response) => sendForEver(response, new Uint8Array(2 ** 16).fill(32), 1)),
  manifestIs("the manifest is of another format", (response) => response.end('{"format":2,"layout":"of later days"}')),
  manifestIs("the manifest names a file outside its folder", (response, manifest) => response.end(changed(manifest, ({ files }) => (files[0]!.name = "../secrets-0123456789abcdef.json")))),
  manifestIs("the manifest claims 16 GiB", (response, manifest) => response.end(changed(manifest, ({ files }) => files.forEach((file) => (file.bytes = 2 ** 34 / files.length))))),
  manifestIs("no engine of this release knows the method", (response, manifest) => response.end(changed(manifest, ({ method }) => (method.name = "of-later-days")))),
  modelIs("a file is missing (404)", (response) => response.writeHead(404).end()),
  modelIs("a file has one wrong byte", (response, model) => {
    const bytes = model.slice();
    bytes[bytes.length - 3]! ^= 1;
    response.writeHead(200, { "cache-control": "max-age=31536000, immutable" }).end(bytes);
  }),
  modelIs("a file is too short", (response, model) => response.end(model.subarray(1))),
  modelIs("a file does not end", (response) => sendForEver(response, new Uint8Array(2 ** 16), 1)),
  modelIs("a file's connection always breaks at one place", (response, model) => {
    response.writeHead(200, { "content-length": model.length });
    response.write(model.subarray(0, 1000), () => response.destroy());
  }),
  modelIs("a file stops coming halfway", (response, model) => response.writeHead(200, { "content-length": model.length }).write(model.subarray(0, model.length / 2))),
  allIs("a portal's page answers for everything", (response) => response.writeHead(200, { "content-type": "text/html" }).end(PORTAL)),
  allIs("everything redirects to a portal", (response) => response.writeHead(302, { location: "/portal" }).end()),
  allIs("the host takes connections and says nothing", () => {}),
  allIs("the host breaks every connection", (response) => response.socket?.resetAndDestroy()),
  { name: "the host sends a byte a second", answer: (_, __, response) => (response.writeHead(200), sendForEver(response, new Uint8Array([32]), 1000), true) },
];

/** A host on another origin than the shop. Each address `/N/` has the first bundle until it is given a fault and the next one. */
export interface FaultyHost {
  addressOf(cell: string): string;
  /** From now on. */
  turn(cell: string, fault: Fault): void;
  close(): Promise<void>;
}

export async function serveFaulty(): Promise<FaultyHost> {
  const [first, next] = [goldenFiles() as Files, goldenNext() as Files];
  // What a fault does to the manifest alone must not be told by the files being those of the first bundle.
  if ([...first.keys()].some((name) => name !== "manifest.json" && next.has(name))) throw new Error("both bundles share a file");
  const faults = new Map<string, Fault>();
  const server = createServer((request, response) => {
    const [, cell = "", file = ""] = (request.url ?? "").split("/");
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "range");
    const fault = faults.get(cell);
    const files = fault ? next : first;
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (fault?.answer(file, request, response, files)) return;
    const bytes = files.get(file);
    if (!bytes) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": bytes.length, etag: createHash("sha256").update(bytes).digest("hex") }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    addressOf: (cell) => `${origin}/${cell}/`,
    turn: (cell, fault) => void faults.set(cell, fault),
    close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
