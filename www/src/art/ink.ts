/** What the pictures are drawn with: a few shapes as SVG text, and the colours of one product. */

/** Colours for one product's picture: its own, and the materials that every shop is full of. */
export interface Ink {
  /** The surface: the product's colour with its pattern. */
  readonly main: string;
  /** The product's colour, plain, darker and lighter. */
  readonly plain: string;
  readonly dark: string;
  readonly light: string;
  readonly accent: string;
  readonly accentDark: string;
}

export const WOOD = "#c0925f";
export const WOOD_DARK = "#94683f";
export const WOOD_LIGHT = "#d9b484";
export const IRON = "#4a474a";
export const STEEL = "#c4c9cb";
export const STEEL_DARK = "#949b9f";
export const BRASS = "#cda254";
export const BRASS_DARK = "#a37c37";
export const PAPER = "#fbf5e8";
export const PAPER_DARK = "#e0d3ba";
export const LEAF = "#6f8f58";
export const LEAF_DARK = "#4f6d40";
export const FLAME = "#f0a545";
export const FLAME_CORE = "#fbe0a0";
export const EARTH = "#5e4637";
export const GLASS = "#ffffff66";
export const SHADE = "#00000024";
export const SHINE = "#ffffff3d";

export const rect = (x: number, y: number, w: number, h: number, fill: string, r = 0): string =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${r}" fill="${fill}"/>`;

export const disc = (x: number, y: number, r: number, fill: string): string => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`;

export const oval = (x: number, y: number, rx: number, ry: number, fill: string): string =>
  `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${fill}"/>`;

export const shape = (d: string, fill: string): string => `<path d="${d}" fill="${fill}"/>`;

export const line = (d: string, stroke: string, width = 3): string =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;

export const ring = (x: number, y: number, r: number, stroke: string, width = 3): string =>
  `<circle cx="${x}" cy="${y}" r="${r}" fill="none" stroke="${stroke}" stroke-width="${width}"/>`;

export const turned = (degrees: number, x: number, y: number, inner: string): string => `<g transform="rotate(${degrees} ${x} ${y})">${inner}</g>`;

export const repeat = (count: number, draw: (index: number) => string): string => Array.from({ length: count }, (_, index) => draw(index)).join("");

/** Mixes two `#rrggbb` colours; `share` is how much of the second. */
export function mix(from: string, to: string, share: number): string {
  const channel = (colour: string, place: number): number => Number.parseInt(colour.slice(1 + 2 * place, 3 + 2 * place), 16);
  const blend = (place: number): string =>
    Math.round(channel(from, place) * (1 - share) + channel(to, place) * share)
      .toString(16)
      .padStart(2, "0");
  return `#${blend(0)}${blend(1)}${blend(2)}`;
}
