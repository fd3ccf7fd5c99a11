/** Hashes of files, if the browser computes them: natively and in its own thread, on secure pages only. */

import type { Bytes } from "./bundle.js";

/** The SHA-256 of bytes in hex; `undefined` if the browser does not compute it. */
export async function sha256(bytes: Bytes): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) return undefined;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The same for every file. */
export async function sha256OfEach(files: ReadonlyMap<string, Bytes>): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  await Promise.all(
    Array.from(files, async ([name, bytes]) => {
      const hash = await sha256(bytes);
      if (hash !== undefined) hashes.set(name, hash);
    }),
  );
  return hashes;
}
