// Bundled as a shop would bundle either package; nothing here is special to the benchmark.
import { fileURLToPath } from "node:url";

const page = (name) => fileURLToPath(new URL(name, import.meta.url));

export default {
  base: "./",
  build: {
    outDir: "../../out/page",
    emptyOutDir: true,
    target: "es2022",
    rollupOptions: { input: { index: page("index.html"), onnx: page("onnx.html"), tfjs: page("tfjs.html") } },
  },
  worker: { format: "es" },
};
