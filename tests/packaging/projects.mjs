/**
 * A shop's page, built by each bundler that shops use: what a newcomer writes, and how it is built.
 *
 * `build(folder)` leaves in `folder/out` what a static host would serve.
 */

import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The README's ten lines, with what the test wants to see at the end. */
const SHOP = (from, options = "") => `
import { createRecommender } from "${from}";
const recommender = createRecommender("/bundle/"${options && `, ${options}`});
recommender.addEventListener("error", ({ detail }) => console.warn(detail.code, detail.message));
await recommender.record({ item: "sku-42" });
const list = document.querySelector("#list");
for (const { item } of await recommender.recommend({ k: 5 })) list.append(Object.assign(document.createElement("li"), { textContent: item }));
document.body.dataset.rung = recommender.status.rung;
document.body.dataset.thread = recommender.status.cpu.thread;
`;

const PAGE = (script) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>shop</title><body><ul id="list"></ul>${script}</body></html>`;
const MODULE = PAGE('<script type="module" src="./main.js"></script>');

/** What the bundlers leave alone must lie beside what they make. */
const BESIDE = ["worker-cpu.js", "worker-gpu.js", "cpu.wasm", "gpu.wasm"];

function start(folder, code, page = MODULE) {
  mkdirSync(join(folder, "out"), { recursive: true });
  writeFileSync(join(folder, "main.js"), code);
  writeFileSync(join(folder, "index.html"), page);
}

const packageOf = (folder) => join(folder, "node_modules/ingle/dist");

export const PROJECTS = {
  "a plain page": {
    async build(folder) {
      start(folder, "");
      writeFileSync(join(folder, "out/index.html"), PAGE('<script src="./ingle/ingle.iife.js"></script><script src="./main.js"></script>'));
      writeFileSync(join(folder, "out/main.js"), `(async () => {${SHOP("").replace(/import .*/, "const { createRecommender } = Ingle;")}})();`);
      mkdirSync(join(folder, "out/ingle"));
      for (const name of [...BESIDE, "ingle.iife.js"]) copyFileSync(join(packageOf(folder), name), join(folder, "out/ingle", name));
    },
  },

  "a page of modules": {
    async build(folder) {
      start(folder, "");
      const map = `<script type="importmap">{ "imports": { "ingle": "./ingle/index.js" } }</script>`;
      writeFileSync(join(folder, "out/index.html"), PAGE(`${map}<script type="module" src="./main.js"></script>`));
      writeFileSync(join(folder, "out/main.js"), SHOP("ingle"));
      cpSync(packageOf(folder), join(folder, "out/ingle"), { recursive: true });
    },
  },

  "Vite, built": {
    async build(folder) {
      start(folder, SHOP("ingle"));
      const { build } = await import("vite");
      await build({ root: folder, configFile: false, logLevel: "error", build: { outDir: "out", target: "es2022", emptyOutDir: true } });
    },
  },

  "Vite, in development": {
    /** Serves the page itself: the address of it. */
    async serve(folder, bundle) {
      start(folder, SHOP("ingle"));
      const { createServer } = await import("vite");
      const proxy = { "/bundle": { target: bundle, changeOrigin: true } };
      const server = await createServer({ root: folder, configFile: false, logLevel: "error", optimizeDeps: { exclude: ["ingle"] }, server: { port: 0, host: "127.0.0.1", proxy, fs: { strict: false } } });
      await server.listen();
      return { url: server.resolvedUrls.local[0], close: () => server.close() };
    },
  },

  webpack: {
    async build(folder) {
      start(folder, SHOP("ingle"));
      const { default: webpack } = await import("webpack");
      const output = { path: join(folder, "out"), filename: "main.js", publicPath: "/" };
      const config = { mode: "production", context: folder, entry: "./main.js", output, experiments: { topLevelAwait: true }, performance: { hints: false } };
      const stats = await new Promise((resolve, reject) => webpack(config, (error, done) => (error ? reject(error) : resolve(done))));
      if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ errors: true, warnings: true }));
      writeFileSync(join(folder, "out/index.html"), MODULE);
    },
  },

  "esbuild, with the engine's files beside": {
    async build(folder) {
      start(folder, SHOP("ingle"));
      const { build } = await import("esbuild");
      await build({ absWorkingDir: folder, entryPoints: ["main.js"], outdir: "out", bundle: true, splitting: true, format: "esm", external: ["./worker-cpu.js", "./worker-gpu.js"], logLevel: "error" });
      for (const name of BESIDE) copyFileSync(join(packageOf(folder), name), join(folder, "out", name));
      writeFileSync(join(folder, "out/index.html"), MODULE);
    },
  },

  "esbuild, with the engine's files elsewhere": {
    async build(folder) {
      start(folder, SHOP("ingle", '{ assets: "/engine" }'));
      const { build } = await import("esbuild");
      await build({ absWorkingDir: folder, entryPoints: ["main.js"], outdir: "out", bundle: true, splitting: true, format: "esm", external: ["./worker-cpu.js", "./worker-gpu.js"], logLevel: "error" });
      mkdirSync(join(folder, "out/engine"));
      for (const name of BESIDE) copyFileSync(join(packageOf(folder), name), join(folder, "out/engine", name));
      writeFileSync(join(folder, "out/index.html"), MODULE);
    },
  },

  "esbuild, inline": {
    async build(folder) {
      start(folder, SHOP("ingle/inline"));
      const { build } = await import("esbuild");
      await build({ absWorkingDir: folder, entryPoints: ["main.js"], outfile: "out/main.js", bundle: true, format: "esm", logLevel: "error" });
      writeFileSync(join(folder, "out/index.html"), MODULE);
    },
  },

  "Rollup, inline": {
    async build(folder) {
      start(folder, SHOP("ingle/inline"));
      const [{ rollup }, { default: resolve }] = await Promise.all([import("rollup"), import("@rollup/plugin-node-resolve")]);
      const bundle = await rollup({ input: join(folder, "main.js"), plugins: [resolve({ browser: true })], onwarn: () => {} });
      await bundle.write({ dir: join(folder, "out"), format: "es" });
      writeFileSync(join(folder, "out/index.html"), MODULE);
    },
  },

  "inline, where the policy forbids workers from blobs": {
    policy: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
    thread: "main",
    async build(folder) {
      start(folder, "");
      writeFileSync(join(folder, "out/index.html"), MODULE);
      writeFileSync(join(folder, "out/main.js"), SHOP("./inline.js"));
      copyFileSync(join(packageOf(folder), "inline.js"), join(folder, "out/inline.js"));
    },
  },
};

/** The files that a page loads by importing the package, before it asks for an engine. */
export const entryFiles = (dist) => {
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const [, next] of readFileSync(join(dist, name), "utf8").matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) visit(next);
  };
  visit("index.js");
  return [...seen];
};
