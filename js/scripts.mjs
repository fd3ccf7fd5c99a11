// Bundles the package's TypeScript: what `build.mjs` does once the engines are there.

import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const common = {
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  minify: true,
  sourcemap: true,
  metafile: true,
  external: ["react", "vue"],
};

/**
 * Builds every script: `bindings` says where wasm-bindgen's output for each of `engines` is, `release` what the build is called,
 * `hasMore` whether the general engine is of another package, with backbones that the small engines do not have.
 */
export async function buildScripts({ root, dist, bindings, engines, release, hasMore }) {
  const named = { INGLE_RELEASE: JSON.stringify(release), INGLE_HAS_MORE: String(hasMore) };
  const here = { ...common, absWorkingDir: root, outdir: dist, define: named };
  const bound = bindingsPlugin(bindings);
  const maps = sourcesInside({ root, dist, bindings, engines });
  // The workers alone: each must be one file, wherever it is copied to.
  await build({ ...here, entryPoints: engines.map((build) => `js/worker-${build}.ts`), plugins: [bound, maps] });
  const modules = Object.fromEntries(["index", "element", "define", "react", "vue"].map((name) => [name, `js/${name}.ts`]));
  // A file of this name, because the plain script imports it too.
  modules.signed = "js/bundle/signed.ts";
  const outside = [...(engines.includes("burn-cpu") ? [] : [withoutGeneral]), workersOutside, leftToThePage, maps];
  await build({ ...here, entryPoints: modules, splitting: true, chunkNames: "[name]-[hash]", plugins: outside });
  await build({ ...here, entryPoints: { inline: "js/inline-index.ts" }, plugins: [everythingInside(root, dist), bound, maps] });
  await build({ ...here, format: "iife", entryPoints: { "ingle.iife": "js/iife.ts" }, plugins: [inAScript(root), maps] });
}

/** The bindings by their private names. */
const bindingsPlugin = (bindings) => ({
  name: "bindings",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^ingle:(burn-)?[cg]pu$/ }, ({ path }) => {
      const kind = path.slice("ingle:".length);
      return { path: join(bindings(kind), `${kind}.js`) };
    });
  },
});

/** A build of the small engines alone says so where the general one is asked for. */
const withoutGeneral = {
  name: "without the general engine",
  setup(esbuild) {
    const namespace = "absent";
    esbuild.onResolve({ filter: /\/beside-burn\.js$/ }, ({ path }) => ({ path, namespace }));
    const absent = 'const absent = () => { throw new Error("this build of the package has no general engine"); };';
    esbuild.onLoad({ filter: /./, namespace }, () => ({ contents: `${absent} export { absent as startWorker, absent as importEngine, absent as defaultWasm };` }));
  },
};

/** The workers are files of their own, beside the package's other files. */
const workersOutside = {
  name: "workers outside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\/worker-(burn-)?[cg]pu\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** What is imported from the folder that the option `assets` names is no bundler's business. Minifying drops comments. */
const leftToThePage = {
  name: "left to the page",
  setup(esbuild) {
    esbuild.onEnd(({ metafile }) => {
      for (const path of Object.keys(metafile.outputs)) {
        if (!path.endsWith(".js")) continue;
        const file = join(esbuild.initialOptions.absWorkingDir, path);
        const script = readFileSync(file, "utf8");
        const told = script.replace(/\bimport\((\w+\.href)\)/g, "import(/* webpackIgnore: true *//* @vite-ignore */$1)");
        if (told !== script) writeFileSync(file, told);
      }
    });
  },
};

/**
 * Source maps carry their sources, by names inside the package: what they name is not published, and where it lay on
 * the machine that built the package is nobody's business. What is no text to read is named and left out.
 */
const sourcesInside = ({ root, dist, bindings, engines }) => ({
  name: "sources inside",
  setup(esbuild) {
    const named = (source) => {
      if (source.startsWith("inside:")) return source.slice("inside:".length).replace(":", "/");
      const file = join(dist, source);
      const made = engines.find((kind) => file.startsWith(join(bindings(kind), "/")));
      return made ? `wasm-bindgen/${relative(bindings(made), file)}` : relative(root, file);
    };
    esbuild.onEnd(({ metafile }) => {
      for (const path of Object.keys(metafile.outputs)) {
        if (!path.endsWith(".map")) continue;
        const file = join(esbuild.initialOptions.absWorkingDir, path);
        const map = JSON.parse(readFileSync(file, "utf8"));
        const sourcesContent = map.sourcesContent.map((text, n) => (map.sources[n].startsWith("inside:") ? "" : text));
        writeFileSync(file, JSON.stringify({ ...map, sources: map.sources.map(named), sourcesContent }));
      }
    });
  },
});

/** A plain script looks for the engine's files where the page says, and for what checks signatures if the page names keys. */
const inAScript = (root) => ({
  name: "in a script",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\.\/beside\.js$/ }, () => ({ path: join(root, "js/beside-script.ts") }));
    esbuild.onResolve({ filter: /^\.\/signed\.js$/ }, () => ({ path: join(root, "js/signed-script.ts") }));
  },
});

/** The CPU engine's wasm and worker as text inside the module. */
const everythingInside = (root, dist) => ({
  name: "everything inside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\.\/beside\.js$/ }, () => ({ path: join(root, "js/beside-inline.ts") }));
    esbuild.onResolve({ filter: /^ingle:inline-/ }, ({ path }) => ({ path, namespace: "inside" }));
    esbuild.onLoad({ filter: /./, namespace: "inside" }, ({ path }) => {
      const file = (name) => readFileSync(join(dist, name));
      if (path === "ingle:inline-wasm") return { contents: gzipSync(file("cpu.wasm"), { level: 9 }).toString("base64"), loader: "text" };
      return { contents: file("worker-cpu.js").toString().replace(/\/\/# sourceMappingURL.*/, ""), loader: "text" };
    });
  },
});
