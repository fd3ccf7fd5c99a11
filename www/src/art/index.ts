/** The picture of a product: its motif in its colours, as inline SVG. No requests, no image files. */

import type { Product } from "../products.js";
import { desk } from "./desk.js";
import { home } from "./home.js";
import type { Ink } from "./ink.js";
import { mix } from "./ink.js";
import { outside } from "./outside.js";
import { patternOf } from "./patterns.js";
import { play } from "./play.js";
import { table } from "./table.js";

const motifs: Record<string, (ink: Ink) => string> = { ...table, ...outside, ...play, ...home, ...desk };

/** Patterns are referenced by id, and a page shows one product many times over. */
let drawings = 0;

/** SVG text; decorative, since the product's title always stands beside it. */
export function picture(product: Product): string {
  const { hex, accent, pattern, motif } = product;
  const dark = mix(hex, "#2b1d16", 0.3);
  const light = mix(hex, "#fff7ea", 0.42);
  const surface = patternOf(pattern, `p${drawings++}`, hex, mix(hex, accent, 0.6));
  const ink: Ink = { main: surface.fill, plain: hex, dark, light, accent, accentDark: mix(accent, "#2b1d16", 0.35) };
  const drawn = motifs[motif]?.(ink) ?? "";
  return (
    `<svg viewBox="0 0 120 120" aria-hidden="true" focusable="false">${surface.defs}` +
    `<ellipse class="floor" cx="60" cy="102" rx="46" ry="6"/>${drawn}</svg>`
  );
}
