/**
 * The one error class, and every code that it can carry.
 *
 * Messages are for people and may change; codes are for programs and do not.
 */

/**
 * What went wrong, by area:
 *
 * | code | meaning |
 * |---|---|
 * | `input/item` | a call or an option was given something that is not an item id, or an event that is none |
 * | `input/options` | an option has the wrong type or range |
 * | `input/products` | the products that cards show could not be fetched, are of no shape that is read, or have none of what is recommended |
 * | `bundle/network` | a bundle file could not be fetched at all |
 * | `bundle/http` | the server answered with an error status |
 * | `bundle/format` | the bundle's format version is not one that this release reads |
 * | `bundle/manifest` | the manifest is not valid |
 * | `bundle/name` | the manifest names a file that it may not name |
 * | `bundle/missing` | a file that the manifest needs is missing |
 * | `bundle/size`, `bundle/hash` | a file is not the one that the manifest describes |
 * | `bundle/tensor` | a file's contents do not have the shape that the manifest says |
 * | `bundle/ids` | the list of item ids is not one id for each row |
 * | `bundle/io` | reading a file failed |
 * | `delivery/format` | a signed file (`channel.json`, `keys-….json`, `manifest-….json`) is not one that this release reads |
 * | `delivery/algorithm` | the shop's keys are of an algorithm that this release does not know |
 * | `delivery/signature` | a signed file does not have enough valid signatures of the shop's keys |
 * | `delivery/shop` | a signed file is of another shop |
 * | `delivery/rollback` | the host has an older release than one that is known |
 * | `delivery/hash` | a signed manifest is not the one that the channel names |
 * | `delivery/expired` | the channel or its keys have expired; recommendations go on |
 * | `delivery/self-test` | the engine does not recommend what the signed manifest says it must |
 * | `delivery/insecure` | the page is not secure, so that signatures cannot be checked |
 * | `backbone/unknown` | the bundle's backbone is of an engine of one's own, which this build of the package does not have |
 * | `method/unknown` | the bundle was trained with a method that this release does not know |
 * | `model/config`, `model/tensor` | the weights do not fit the model's configuration |
 * | `engine/blocked` | the page's content security policy forbids WebAssembly |
 * | `engine/simd` | the browser's WebAssembly has no SIMD, which the engines are made of |
 * | `engine/wasm` | the engine's wasm file could not be loaded |
 * | `engine/files` | the engine's files are not where they were looked for |
 * | `engine/release` | the engine's script or wasm is of another build of the package than the page's script |
 * | `engine/failed` | the engine stopped: a trap, a dead worker, a lost device |
 * | `engine/timeout` | the engine did not answer in time |
 * | `engine/server` | on a server there is no engine: the page asks |
 * | `engine/unavailable` | no engine can answer this call, or core.js has not come within 15 s |
 * | `gpu/insecure` | WebGPU exists on secure pages only (https or localhost) |
 * | `gpu/absent` | this browser has no WebGPU |
 * | `gpu/no-adapter` | WebGPU exists, but no GPU may be used |
 * | `gpu/slower` | the CPU engine was faster when both were last timed here |
 * | `gpu/software` | the GPU is simulated in software and cannot beat the CPU engine |
 * | `gpu/data-saver` | the visitor asked to save data, so the GPU engine is not downloaded |
 * | `device/...` | the GPU device could not be opened |
 * | `storage/lost` | the history could not be kept on the device and is now kept in memory, or what is there not be read |
 * | `storage/erase` | what was to be erased from the device is still there; it is tried again |
 * | `disposed` | the recommender was disposed of |
 */
export type ErrorCode =
  | "input/item"
  | "input/options"
  | "input/products"
  | "bundle/network"
  | "bundle/http"
  | "bundle/format"
  | "bundle/manifest"
  | "bundle/name"
  | "bundle/missing"
  | "bundle/size"
  | "bundle/hash"
  | "bundle/tensor"
  | "bundle/ids"
  | "bundle/io"
  | "delivery/format"
  | "delivery/algorithm"
  | "delivery/signature"
  | "delivery/shop"
  | "delivery/rollback"
  | "delivery/hash"
  | "delivery/expired"
  | "delivery/self-test"
  | "delivery/insecure"
  | "backbone/unknown"
  | "method/unknown"
  | "model/config"
  | "model/tensor"
  | "engine/blocked"
  | "engine/simd"
  | "engine/wasm"
  | "engine/files"
  | "engine/release"
  | "engine/failed"
  | "engine/timeout"
  | "engine/server"
  | "engine/unavailable"
  | "gpu/insecure"
  | "gpu/absent"
  | "gpu/no-adapter"
  | "gpu/slower"
  | "gpu/software"
  | "gpu/data-saver"
  | `device/${string}`
  | "storage/lost"
  | "storage/erase"
  | "disposed";

/** Every error that this package raises itself. Aborted calls reject with the signal's reason instead. */
export class IngleError extends Error {
  override readonly name = "IngleError";
  /** What went wrong, for programs. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Codes after which the same engine would fail again at once: the call is at fault, not the engine. */
export function isCallersFault(error: unknown): boolean {
  return error instanceof IngleError && error.code.startsWith("input/");
}

/** Wraps anything thrown in an `IngleError`, keeping one that already is, and any `code` it carries. */
export function toIngleError(error: unknown, fallback: ErrorCode): IngleError {
  if (error instanceof IngleError) return error;
  const code = codeOf(error) ?? fallback;
  const message = error instanceof Error ? error.message : String(error);
  return new IngleError(code, message, { cause: error });
}

function codeOf(error: unknown): ErrorCode | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  // Codes come from our own wasm: `area/what`. Anything else (DOMException.code is a number) is not ours.
  return typeof error.code === "string" && /^[a-z]+\/[a-z-]+$/.test(error.code) ? (error.code as ErrorCode) : undefined;
}
