// Bundled as a shop would bundle either package; nothing here is special to the benchmark.
import { fileURLToPath } from "node:url";

const PAGES = ["index", "onnx", "onnx-webgpu", "onnx-jspi", "tfjs", "tfjs-webgpu", "life"];
const page = (name) => [name, fileURLToPath(new URL(`${name}.html`, import.meta.url))];

export default {
  base: "./",
  build: {
    outDir: "../../out/page",
    emptyOutDir: true,
    target: "es2022",
    rollupOptions: { input: Object.fromEntries(PAGES.map(page)) },
  },
  worker: { format: "es" },
};
