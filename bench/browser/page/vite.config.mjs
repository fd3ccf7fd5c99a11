// Bundled as a shop would bundle the package; nothing here is special to the benchmark.
export default {
  base: "./",
  build: { outDir: "../../out/page", emptyOutDir: true, target: "es2022" },
  worker: { format: "es" },
};
