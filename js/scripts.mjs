// Bundles the package's TypeScript: what `build.mjs` does once the engines are there.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const common = {
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  external: ["react", "vue"],
};

/** Builds every script: `bindings` says where wasm-bindgen's output for an engine is. */
export async function buildScripts({ root, dist, bindings }) {
  const here = { ...common, absWorkingDir: root, outdir: dist };
  const engines = bindingsPlugin(bindings);
  // The workers alone: each must be one file, wherever it is copied to.
  await build({ ...here, entryPoints: ["js/worker-cpu.ts", "js/worker-gpu.ts"], plugins: [engines] });
  const modules = ["index", "element", "define", "react", "vue"].map((name) => `js/${name}.ts`);
  await build({ ...here, entryPoints: modules, splitting: true, chunkNames: "[name]-[hash]", plugins: [workersOutside] });
  await build({ ...here, entryPoints: { inline: "js/inline-index.ts" }, plugins: [everythingInside(root, dist), engines] });
  // A classic script knows its own address only while it runs for the first time.
  const address = "const ingleScript = document.currentScript?.src ?? location.href;";
  const global = { format: "iife", globalName: "Ingle", banner: { js: address }, define: { "import.meta.url": "ingleScript" } };
  await build({ ...here, ...global, entryPoints: { "ingle.iife": "js/iife.ts" }, plugins: [workersOutside] });
}

/** The bindings by their private names. */
const bindingsPlugin = (bindings) => ({
  name: "bindings",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^ingle:(cpu|gpu)$/ }, ({ path }) => {
      const kind = path.slice("ingle:".length);
      return { path: join(bindings(kind), `${kind}.js`) };
    });
  },
});

/** The workers are files of their own, beside the package's other files. */
const workersOutside = {
  name: "workers outside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\/worker-(cpu|gpu)\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** The CPU engine's wasm and worker as text inside the module. */
const everythingInside = (root, dist) => ({
  name: "everything inside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\/beside\.js$/ }, () => ({ path: join(root, "js/beside-inline.ts") }));
    esbuild.onResolve({ filter: /^ingle:inline-/ }, ({ path }) => ({ path, namespace: "inside" }));
    esbuild.onLoad({ filter: /./, namespace: "inside" }, ({ path }) => {
      const file = (name) => readFileSync(join(dist, name));
      if (path === "ingle:inline-wasm") return { contents: gzipSync(file("cpu.wasm"), { level: 9 }).toString("base64"), loader: "text" };
      return { contents: file("worker-cpu.js").toString().replace(/\/\/# sourceMappingURL.*/, ""), loader: "text" };
    });
  },
});
