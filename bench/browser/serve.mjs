// The static host of the benchmark: the same for every contender, and it lets the browser cache.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** Serves the folders by the first part of the path; resolves to the address and a way to stop. */
export function serve(folders) {
  const server = createServer((request, response) => {
    const [, first, ...rest] = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)).split("/");
    const path = first in folders ? join(folders[first], ...rest) : null;
    const size = path && statSync(path, { throwIfNoEntry: false })?.isFile() ? statSync(path).size : null;
    if (size === null) return response.writeHead(404).end();
    const cache = path.endsWith("manifest.json") ? "no-cache" : "public, max-age=31536000, immutable";
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": size, "cache-control": cache });
    createReadStream(path).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() }));
  });
}
