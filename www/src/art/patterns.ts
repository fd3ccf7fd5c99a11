/** What a surface looks like: one small tile for each pattern that the shop sells. */

import { disc, line, oval, rect, shape } from "./ink.js";

const tiles: Record<string, { size: [number, number]; draw: (over: string) => string }> = {
  check: { size: [14, 14], draw: (over) => rect(0, 0, 5, 14, `${over}88`) + rect(0, 0, 14, 5, `${over}88`) },
  herringbone: { size: [10, 8], draw: (over) => line("M0 6 5 1l5 5", over, 1.6) },
  stripe: { size: [9, 9], draw: (over) => rect(0, 0, 9, 3.6, over) },
  wave: { size: [14, 9], draw: (over) => line("M0 5c3.5-6 3.5 4 7 0s3.5 4 7 0", over, 1.8) },
  leaf: { size: [15, 15], draw: (over) => shape("M4 12C2 6 6 2 11 2c1 6-2 10-7 10z", over) },
  speckle: { size: [13, 13], draw: (over) => disc(3, 3, 1.3, over) + disc(9, 6, 0.9, over) + oval(5, 10, 1.5, 1, over) },
  dots: { size: [11, 11], draw: (over) => disc(5.5, 5.5, 2.3, over) },
  diamond: { size: [12, 12], draw: (over) => shape("M6 1l5 5-5 5-5-5z", `${over}aa`) },
};

/** The fill for a surface, and the definition that it refers to. Unknown patterns are plain. */
export function patternOf(pattern: string, id: string, under: string, over: string): { fill: string; defs: string } {
  const tile = tiles[pattern];
  if (!tile) return { fill: under, defs: "" };
  const [width, height] = tile.size;
  const defs =
    `<defs><pattern id="${id}" width="${width}" height="${height}" patternUnits="userSpaceOnUse">` + `${rect(0, 0, width, height, under)}${tile.draw(over)}</pattern></defs>`;
  return { fill: `url(#${id})`, defs };
}
