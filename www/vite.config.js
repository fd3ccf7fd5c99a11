/**
 * Builds the demo shop. INGLE_ITEMS names the products: the items.json that `ingle simulate` writes.
 * For development, serve a bundle with `ingle serve BUNDLE` and name its address in INGLE_BUNDLE.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "vite";

const CSP = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const items = path.resolve(process.env.INGLE_ITEMS ?? "items.json");
if (!existsSync(items)) {
  throw new Error(`No products at ${items}: run \`ingle simulate --out DIR\` and set INGLE_ITEMS=DIR/items.json.`);
}

export default defineConfig({
  resolve: { alias: { "shop:items": items } },
  // The package finds its workers and wasm beside itself, which pre-bundling would break.
  optimizeDeps: { exclude: ["ingle"] },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
  server: process.env.INGLE_BUNDLE
    ? { proxy: { "/bundle": { target: process.env.INGLE_BUNDLE, rewrite: (url) => url.replace(/^\/bundle/, "") } } }
    : {},
  plugins: [
    {
      name: "content-security-policy",
      apply: "build",
      transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: CSP }, injectTo: "head-prepend" }],
    },
  ],
});
