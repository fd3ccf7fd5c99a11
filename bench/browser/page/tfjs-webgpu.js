// TensorFlow.js on WebGPU.
import "@tensorflow/tfjs-backend-webgpu";
import { start } from "./tfjs-contender.js";

globalThis.contender = start("webgpu");
