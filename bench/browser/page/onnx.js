// onnxruntime-web on the CPU.
import * as ort from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { start } from "./onnx-contender.js";

globalThis.contender = start(ort, wasm, "wasm");
