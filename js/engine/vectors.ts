/** Whether this browser can run the engines, checked before any of them is fetched. */

import { IngleError } from "../errors.js";

/** A module with one function that returns a 128-bit vector, which the engines need. */
const MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // type 0: () -> v128
  ...[0x03, 0x02, 0x01, 0x00], // function 0 is of type 0
  ...[0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b], // i8x16.splat (i32.const 0)
);

/** Throws if there is no SIMD; a lack of WebAssembly is reported when the engine is compiled. */
export function requireVectors(): void {
  if (typeof WebAssembly === "undefined" || WebAssembly.validate(MODULE)) return;
  throw new IngleError("engine/simd", "This browser's WebAssembly has no vectors (SIMD): it is older than 2021, or than Safari 16.4.");
}
