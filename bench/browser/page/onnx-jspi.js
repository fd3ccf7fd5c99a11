// onnxruntime-web on WebGPU in browsers that can suspend WebAssembly, the smaller of its builds.
import * as ort from "onnxruntime-web/jspi";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import { start } from "./onnx-contender.js";

globalThis.contender = start(ort, wasm, "webgpu");
