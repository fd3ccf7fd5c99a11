/** Ed25519 signatures: by the browser where it verifies them, else by a script that is loaded then. */

/**
 * Points of small order in hex, by every encoding: a signature of such a key, or with such a point, fits many texts.
 * Browsers differ in whether they refuse them.
 */
const SMALL = /^(0[01](00){30}[08]0|26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc[08]5|c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03[7f]a|e[cde](ff){30}[7f]f)/;

/** Whether this is the signature of a text (64 bytes in hex) by a public key (32 bytes in hex). */
export async function isSigned(text: string, signature: string, key: string): Promise<boolean> {
  if (!/^[0-9a-f]{128}$/.test(signature) || !/^[0-9a-f]{64}$/.test(key) || SMALL.test(signature) || SMALL.test(key)) return false;
  const [bytes, signed, point] = [new TextEncoder().encode(text), fromHex(signature), fromHex(key)];
  const { subtle } = crypto;
  let imported: CryptoKey;
  try {
    imported = await subtle.importKey("raw", point, "Ed25519", false, ["verify"]);
  } catch {
    // The browser is older than its Ed25519 (Chromium 137, Firefox 129, Safari 17), or the key is no point.
    const { verifyAsync } = await import("@noble/ed25519");
    return verifyAsync(signed, bytes, point, { zip215: false });
  }
  return subtle.verify("Ed25519", imported, signed, bytes);
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
