#!/usr/bin/env node
// The README's moving picture: the noisy visit in the demo shop, as Chromium shows it, as an animated WebP.
//
//   node scripts/picture.mjs http://127.0.0.1:8080/ docs/pictures/visit.webp
//
// `./build.sh picture` builds and serves the shop and calls this. Chromium, which CHROME names, makes the frames and
// encodes them; of each only what has changed is kept.

import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const SCREEN = { width: 1280, height: 872 };
/** The picture's size as a part of the screen's. */
const SCALE = 0.7;
const QUALITY = 0.72;
/** How long a step of the visit shows, and the first and last frames, in milliseconds. */
const [STEP_MS, FIRST_MS, LAST_MS] = [1000, 2200, 4500];
/** The steps of the visit, and what is said at its end. */
const STEPS = 12;
/** More than a README may weigh. */
const MOST_BYTES = 400_000;

const [address, file] = process.argv.slice(2);
if (!file) throw new Error("usage: picture.mjs ADDRESS FILE.webp");
const browser = await chromium.launch({ executablePath: process.env.CHROME ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const shop = await (await browser.newContext({ viewport: SCREEN, colorScheme: "light" })).newPage();
  const encoder = await browser.newPage();
  const frames = [];
  const take = async (ms) => frames.push({ ms, png: (await shop.screenshot()).toString("base64") });

  await shop.goto(address);
  await shop.waitForFunction(() => /ms$/.test(document.querySelector("#answer-ms")?.textContent ?? ""), undefined, { timeout: 60_000 });
  await shop.locator("#consent-yes").click();
  await shop.locator("#consent").waitFor({ state: "hidden" });
  await shop.waitForTimeout(500);
  await take(FIRST_MS);
  await shop.locator("#play").click();
  const note = shop.locator("#play-note");
  let steps = 0;
  for (let said = ""; !/set aside/.test(said); steps++) {
    await shop.waitForFunction((before) => document.querySelector("#play-note").textContent !== before, said, { timeout: 60_000 });
    said = await note.textContent();
    // The answer after the click is drawn.
    await shop.waitForTimeout(300);
    await shop.locator('#shelf[aria-busy="false"]').waitFor();
    await take(STEP_MS);
  }
  if (steps !== STEPS) throw new Error(`${steps - 1} of ${STEPS - 1} steps of the visit were seen: is the machine busy?`);
  await shop.locator("#compare").waitFor();
  await shop.waitForTimeout(500);
  await take(LAST_MS);
  await shop.locator("#compare").scrollIntoViewIfNeeded();
  await shop.evaluate(() => document.querySelector("#compare").scrollIntoView({ block: "end" }));
  await shop.waitForTimeout(500);
  await take(LAST_MS);

  const sent = await shop.evaluate(() => document.querySelector("#panel-body").textContent.match(/(\d+) bytes/)?.[1]);
  if (sent !== "0") throw new Error(`the picture would show ${sent} bytes sent`);
  const webp = animation(await encoder.evaluate(encode, { frames, scale: SCALE, quality: QUALITY }));
  if (webp.length > MOST_BYTES) throw new Error(`${webp.length} bytes are too many for a README, which may have ${MOST_BYTES}`);
  writeFileSync(file, webp);
  console.log(`${file}: ${frames.length} frames, ${webp.length} bytes. The visit ends with: ${await note.textContent()}`);
} finally {
  await browser.close();
}

/** Runs in a page: every frame as still WebP of what differs from the one before. */
async function encode({ frames, scale, quality }) {
  const BLOCK = 16;
  let before;
  const parts = [];
  for (const { ms, png } of frames) {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const [width, height] = [bitmap.width, bitmap.height].map((size) => 2 * Math.round((size * scale) / 2));
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false });
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
    const now = context.getImageData(0, 0, width, height);
    // Blocks that are as they were become transparent, which costs nothing.
    const part = new ImageData(new Uint8ClampedArray(now.data), width, height);
    let changed = !before;
    for (let top = 0; before && top < height; top += BLOCK) {
      for (let left = 0; left < width; left += BLOCK) {
        const rows = Array.from({ length: Math.min(BLOCK, height - top) }, (_, row) => 4 * ((top + row) * width + left));
        const length = 4 * Math.min(BLOCK, width - left);
        const same = rows.every((at) => now.data.subarray(at, at + length).every((value, n) => Math.abs(value - before.data[at + n]) < 3));
        changed ||= !same;
        if (same) for (const at of rows) part.data.fill(0, at, at + length);
      }
    }
    if (!changed) {
      parts.at(-1).ms += ms;
      continue;
    }
    before = now;
    const picture = new OffscreenCanvas(width, height);
    picture.getContext("2d").putImageData(part, 0, 0);
    const bytes = new Uint8Array(await (await picture.convertToBlob({ type: "image/webp", quality })).arrayBuffer());
    parts.push({ ms, width, height, webp: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) });
  }
  return parts;
}

/** The chunks of a still picture that have its pixels, without what may stand around them: a colour profile. */
function pixels(webp) {
  const found = [];
  // Behind the header of 12 bytes: names, lengths, and data padded to even lengths.
  for (let at = 12; at < webp.length; ) {
    const end = at + 8 + webp.readUInt32LE(at + 4);
    if (/^(ALPH|VP8[ L])$/.test(webp.toString("latin1", at, at + 4))) found.push(webp.subarray(at, end + (end % 2)));
    at = end + (end % 2);
  }
  if (found.length === 0) throw new Error("Chromium has made a picture of another kind");
  return Buffer.concat(found);
}

/** Still pictures as one animation that goes on for ever: https://developers.google.com/speed/webp/docs/riff_container */
function animation(parts) {
  const [{ width, height }] = parts;
  const small = (value) => Buffer.from([value, value >> 8, value >> 16]);
  const chunk = (name, ...data) => {
    const body = Buffer.concat(data);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return Buffer.concat([Buffer.from(name, "latin1"), size, body, Buffer.alloc(body.length % 2)]);
  };
  // Each whole frame is laid over the one before.
  const frames = parts.map(({ ms, webp }) => chunk("ANMF", small(0), small(0), small(width - 1), small(height - 1), small(ms), Buffer.from([0]), pixels(Buffer.from(webp, "base64"))));
  // Animated, with transparency.
  const head = chunk("VP8X", Buffer.from([0b10010, 0, 0, 0]), small(width - 1), small(height - 1));
  const body = Buffer.concat([Buffer.from("WEBP", "latin1"), head, chunk("ANIM", Buffer.from([255, 255, 255, 255, 0, 0])), ...frames]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from("RIFF", "latin1"), size, body]);
}
