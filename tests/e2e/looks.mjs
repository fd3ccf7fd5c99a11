/**
 * Compares pictures of pages with those in `looks/`, as somebody does who steps back from them: by the colour of
 * each patch, without the letters and the drawings, which differ from machine to machine and from bundle to
 * bundle. A lost style sheet, a panel in the wrong place or the wrong colours are seen. INGLE_LOOKS=keep writes
 * the pictures anew.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("looks/", import.meta.url));
const keep = process.env.INGLE_LOOKS === "keep";
/** Patches of colour across a picture. */
const ACROSS = 24;
/** How far the colour of a patch may be from what it was, of 255, before it counts as another. */
const FAR = 16;
/** The share of patches that may be others. */
const OTHERS = 0.12;
/** How wide the pictures are that are kept. */
const WIDTH = 240;

/** Takes letters and drawings away from a page, or brings them back: its walls and its furniture remain. */
export const undress = (page, bare) =>
  page.evaluate((bare) => {
    globalThis.bareSheet ??= new CSSStyleSheet();
    globalThis.bareSheet.replaceSync(bare ? "* { color: transparent !important; text-decoration: none !important } svg { visibility: hidden !important } .art { background: gray !important }" : "");
    const roots = [document, ...[...document.querySelectorAll("*")].flatMap(({ shadowRoot }) => shadowRoot ?? [])];
    for (const root of roots) if (!root.adoptedStyleSheets.includes(globalThis.bareSheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, globalThis.bareSheet];
  }, bare);

/** Fails if the picture of a page (PNG) is not what is kept under this name; `page` is one to compute in. */
export async function compareLook(page, name, png) {
  const file = path.join(folder, `${name}.webp`);
  if (keep) {
    mkdirSync(folder, { recursive: true });
    return writeFileSync(file, Buffer.from(await page.evaluate(shrunk, [png.toString("base64"), WIDTH]), "base64"));
  }
  assert.ok(existsSync(file), `${file} is missing: INGLE_LOOKS=keep makes it`);
  const patches = await Promise.all([["png", png], ["webp", readFileSync(file)]].map(([type, bytes]) => page.evaluate(patchesOf, [type, bytes.toString("base64"), ACROSS])));
  const others = share(...patches);
  assert.ok(others <= OTHERS, `${name}: ${Math.round(others * 100)} % of it looks otherwise than ${file}`);
  return others;
}

/** The share of patches that differ; pictures of another shape differ in all. */
function share(now, kept) {
  if (now.length !== kept.length) return 1;
  const far = now.filter((patch, n) => patch.some((value, channel) => Math.abs(value - kept[n][channel]) > FAR));
  return far.length / now.length;
}

/** In the page: a smaller picture, as WebP in base64. */
async function shrunk([png, width]) {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(width, Math.round((image.height / image.width) * width));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.8 })).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}

/** In the page: the mean colour of each patch, row by row. */
async function patchesOf([type, bytes, across]) {
  const image = await createImageBitmap(await (await fetch(`data:image/${type};base64,${bytes}`)).blob());
  const down = Math.round((image.height / image.width) * across);
  const scale = 8;
  const canvas = new OffscreenCanvas(across * scale, down * scale);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const sums = Array.from({ length: across * down }, () => [0, 0, 0]);
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)];
    const sum = sums[Math.floor(y / scale) * across + Math.floor(x / scale)];
    for (let channel = 0; channel < 3; channel++) sum[channel] += data[at + channel];
  }
  return sums.map((sum) => sum.map((value) => value / scale ** 2));
}
