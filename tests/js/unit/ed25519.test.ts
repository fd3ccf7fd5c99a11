// Signatures: both ways to check them, by the vectors of Wycheproof.

import { test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isSigned } from "../../../js/bundle/ed25519.js";
import { equal, ok } from "../check.js";
import { root } from "../golden.js";

const vectors = JSON.parse(readFileSync(join(root, "tests/data/ed25519.json"), "utf8")) as [string, string, string, boolean][];
for (const by of ["the browser", "the script that is loaded without"]) {
  test(`signatures are judged as Wycheproof says, by ${by}`, async () => {
    const { subtle } = crypto;
    const real = subtle.importKey;
    if (by !== "the browser") subtle.importKey = async () => Promise.reject(new DOMException("no", "NotSupportedError"));
    try {
      let texts = 0;
      for (const [key, message, signature, valid] of vectors) {
        const bytes = Buffer.from(message, "hex");
        // Only texts are signed here.
        if (Buffer.compare(Buffer.from(bytes.toString()), bytes) !== 0) continue;
        texts++;
        equal(await isSigned(bytes.toString(), signature, key), valid, `${message} ${signature}`);
      }
      ok(texts > 50 && vectors.length > 100, `${texts} of ${vectors.length} vectors are of texts`);
      // Small order: such keys, and signatures with such a point, whatever they are of.
      for (const point of SMALL) {
        equal(await isSigned("text", point + "00".repeat(32), point), false, point);
        equal(await isSigned("text", vectors[0]![2], point), false, point);
        equal(await isSigned("text", point + "00".repeat(32), vectors[0]![0]), false, point);
      }
    } finally {
      subtle.importKey = real;
    }
  });
}

/** Every encoding of a point of small order. */
const SMALL = [
  ["00", "00".repeat(30), "00"], ["00", "00".repeat(30), "80"], ["01", "00".repeat(30), "00"], ["01", "00".repeat(30), "80"],
  ["ec", "ff".repeat(30), "7f"], ["ec", "ff".repeat(30), "ff"], ["ed", "ff".repeat(30), "7f"], ["ed", "ff".repeat(30), "ff"], ["ee", "ff".repeat(30), "7f"], ["ee", "ff".repeat(30), "ff"],
  ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"], ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"],
  ["c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"], ["c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"],
].map((parts) => parts.join(""));
