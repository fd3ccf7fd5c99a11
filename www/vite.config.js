/**
 * Builds the demo shop, of the products in demo/items.json, which `ingle simulate` has written.
 * For development, serve a bundle with `ingle serve BUNDLE` and name its address in INGLE_BUNDLE.
 */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { defineConfig } from "vite";

const CSP = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

export default defineConfig({
  resolve: { alias: { "shop:items": path.resolve("demo/items.json") } },
  // The package finds its workers and wasm beside itself, which pre-bundling would break.
  optimizeDeps: { exclude: ["ingle"] },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
  server: process.env.INGLE_BUNDLE
    ? { proxy: { "/bundle": { target: process.env.INGLE_BUNDLE, rewrite: (url) => url.replace(/^\/bundle/, "") } } }
    : {},
  plugins: [
    {
      name: "service-worker",
      apply: "build",
      // After everything else, because it names every file of the shop. The GPU engine is too large to keep.
      async closeBundle() {
        const files = readdirSync("dist", { recursive: true, withFileTypes: true }).filter((file) => file.isFile() && !/^sw\.js|gpu|\.map$/.test(file.name));
        const names = files.map((file) => `/${path.relative("dist", path.join(file.parentPath, file.name))}`.replace(/^\/index\.html$/, "/")).sort();
        const version = createHash("sha256").update(names.join()).digest("hex").slice(0, 12);
        await build({ entryPoints: ["worker/sw.ts"], outfile: "dist/sw.js", bundle: true, minify: true, define: { SHOP_FILES: JSON.stringify(names), SHOP_VERSION: JSON.stringify(version) } });
      },
    },
    {
      name: "content-security-policy",
      apply: "build",
      transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: CSP }, injectTo: "head-prepend" }],
    },
  ],
});
