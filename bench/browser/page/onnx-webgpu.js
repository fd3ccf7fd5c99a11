// onnxruntime-web on WebGPU, as its own entry for it loads it.
import * as ort from "onnxruntime-web/webgpu";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { start } from "./onnx-contender.js";

globalThis.contender = start(ort, wasm, "webgpu");
