/** Pictures of what is sold for the kitchen and the table. The floor is at 100 of 120. */

import type { Ink } from "./ink.js";
import {
  BRASS,
  BRASS_DARK,
  disc,
  FLAME,
  FLAME_CORE,
  GLASS,
  IRON,
  line,
  oval,
  PAPER,
  PAPER_DARK,
  rect,
  repeat,
  SHADE,
  shape,
  SHINE,
  STEEL,
  STEEL_DARK,
  turned,
  WOOD,
  WOOD_DARK,
  WOOD_LIGHT,
} from "./ink.js";

type Draw = (ink: Ink) => string;

const flame = (x: number, y: number): string =>
  shape(`M${x} ${y - 16}c7 8 8 12 8 16a8 8 0 0 1-16 0c0-4 3-7 8-16z`, FLAME) + shape(`M${x} ${y - 6}c4 5 4 6 4 8a4 4 0 0 1-8 0c0-2 1-4 4-8z`, FLAME_CORE);

export const table: Record<string, Draw> = {
  kettle: (k) =>
    line("M78 72c16-2 12-30 28-34", k.dark, 6) +
    line("M44 52c-26-2-28 36-4 40", IRON, 6) +
    shape("M40 48h40l8 46a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6z", k.main) +
    shape("M64 48h16l8 46a6 6 0 0 1-6 6H68z", SHADE) +
    oval(60, 48, 20, 5, k.dark) +
    disc(60, 40, 5, WOOD_DARK),
  grinder: (k) =>
    line("M60 34V24h28", IRON, 4) +
    disc(90, 22, 6, WOOD_DARK) +
    shape("M42 52c0-24 36-24 36 0z", STEEL) +
    rect(38, 52, 44, 8, STEEL_DARK, 3) +
    rect(36, 60, 48, 40, k.main, 4) +
    rect(62, 60, 22, 40, SHADE, 4) +
    rect(46, 74, 28, 18, k.light, 2) +
    disc(60, 83, 3, BRASS),
  dripper: (k) =>
    shape("M30 34h60L72 70H48z", k.main) +
    shape("M62 34h28L72 70H62z", SHADE) +
    oval(60, 34, 30, 6, k.dark) +
    oval(60, 35, 25, 4, "#5b3f2f") +
    line("M90 42c14 0 10 18-4 16", k.plain, 4) +
    rect(40, 70, 40, 6, k.dark, 3) +
    shape("M42 78h36l6 18a4 4 0 0 1-4 4H40a4 4 0 0 1-4-4z", GLASS) +
    shape("M39 88h42l3 8a4 4 0 0 1-4 4H40a4 4 0 0 1-4-4z", "#6b4632cc"),
  mug: (k) =>
    line("M82 58c22-2 22 30-1 28", k.dark, 7) +
    shape("M36 46h48v44a10 10 0 0 1-10 10H46a10 10 0 0 1-10-10z", k.main) +
    shape("M66 46h18v44a10 10 0 0 1-10 10h-8z", SHADE) +
    oval(60, 46, 24, 5, k.dark) +
    oval(60, 47, 20, 3.4, "#4b3125") +
    line("M52 34c-5-6 5-9 0-16M66 34c-5-6 5-9 0-16", "#ffffff80", 3),
  bowl: (k) =>
    shape("M22 58h76c0 26-16 42-38 42S22 84 22 58z", k.main) +
    shape("M64 58h34c0 26-14 40-34 42 10-12 8-30 0-42z", SHADE) +
    oval(60, 58, 38, 8, k.dark) +
    oval(60, 59, 33, 5.5, k.light) +
    line("M70 58 92 26", WOOD, 5) +
    oval(93, 24, 5, 8, WOOD),
  rollingpin: (k) =>
    turned(
      -28,
      60,
      66,
      rect(8, 60, 104, 10, WOOD_DARK, 5) + rect(24, 52, 72, 26, k.main, 7) + rect(24, 66, 72, 12, SHADE, 6) + rect(28, 55, 64, 5, SHINE, 2.5),
    ),
  loaftin: (k) =>
    shape("M28 64c-4-30 22-26 32-26s36-4 32 26z", "#c98f52") +
    line("M46 46c2 6 0 10-2 14M60 44c2 6 0 10-2 16M74 46c2 6 0 10-2 14", "#9e6632", 3) +
    shape("M20 62h80l-8 34a5 5 0 0 1-5 4H33a5 5 0 0 1-5-4z", k.main) +
    shape("M66 62h34l-8 34a5 5 0 0 1-5 4H66z", SHADE) +
    rect(16, 58, 88, 8, k.dark, 4),
  cakestand: (k) =>
    shape("M34 62V44a4 4 0 0 1 4-4h44a4 4 0 0 1 4 4v18z", "#f0d9b0") +
    shape("M34 50V44a4 4 0 0 1 4-4h44a4 4 0 0 1 4 4v8c-6 6-8-2-14 2s-10 2-14-2-8 4-12 0-6 4-12-2z", k.accent) +
    disc(60, 36, 5, "#b4472f") +
    oval(60, 64, 42, 6, k.main) +
    shape("M54 66h12l4 28H50z", k.dark) +
    oval(60, 96, 20, 4.5, k.plain),
  pot: (k) =>
    rect(12, 60, 18, 9, k.dark, 4) +
    rect(90, 60, 18, 9, k.dark, 4) +
    shape("M22 52h76v36a12 12 0 0 1-12 12H34a12 12 0 0 1-12-12z", k.main) +
    shape("M70 52h28v36a12 12 0 0 1-12 12H70z", SHADE) +
    shape("M20 52c4-16 20-18 40-18s36 2 40 18z", k.plain) +
    rect(18, 50, 84, 6, k.dark, 3) +
    disc(60, 31, 6, BRASS),
  pan: (k) =>
    turned(
      -24,
      60,
      60,
      rect(78, 56, 40, 9, IRON, 4.5) + disc(52, 60, 36, k.dark) + disc(52, 60, 31, k.main) + disc(52, 60, 31, SHADE) + oval(46, 58, 14, 11, PAPER) + disc(45, 58, 6, FLAME),
    ),
  knife: (k) =>
    turned(
      -38,
      60,
      60,
      shape("M10 56h64v16H34c-14 0-22-8-24-16z", STEEL) +
        shape("M18 66h56v6H34c-8 0-12-2-16-6z", "#e9ecee") +
        rect(74, 55, 6, 18, STEEL_DARK, 1) +
        rect(80, 55, 36, 15, k.main, 5) +
        repeat(3, (i) => disc(88 + i * 10, 62, 1.8, BRASS)),
    ),
  board: (k) =>
    turned(
      8,
      60,
      62,
      rect(28, 34, 64, 66, WOOD, 10) +
        rect(52, 14, 16, 28, WOOD, 8) +
        disc(60, 22, 4, WOOD_DARK) +
        line("M40 48v40M52 44v48M66 46v46M78 48v40", WOOD_LIGHT, 3) +
        rect(28, 78, 64, 8, k.main) +
        rect(28, 90, 64, 10, SHADE, 8),
    ),
  teapot: (k) =>
    line("M84 66c20 0 10-24 26-28", k.dark, 8) +
    line("M36 56C8 50 10 92 38 88", k.dark, 6) +
    oval(60, 72, 32, 28, k.main) +
    shape("M66 45c36 6 34 52 0 55 14-16 12-38 0-55z", SHADE) +
    oval(60, 47, 16, 5, k.dark) +
    disc(60, 38, 5, k.accent) +
    rect(46, 96, 28, 5, k.dark, 2),
  teacup: (k) =>
    oval(60, 92, 44, 8, k.light) +
    oval(60, 90, 44, 7, k.plain) +
    line("M84 60c20-2 16 22-4 20", k.dark, 5) +
    shape("M32 50h56c0 26-12 38-28 38S32 76 32 50z", k.main) +
    shape("M64 50h24c0 26-10 37-24 38 8-12 8-28 0-38z", SHADE) +
    oval(60, 50, 28, 6, k.dark) +
    oval(60, 51, 24, 4, "#b6793f"),
  caddy: (k) =>
    rect(36, 44, 48, 56, k.main, 4) +
    rect(66, 44, 18, 56, SHADE, 4) +
    rect(33, 32, 54, 16, k.dark, 4) +
    disc(60, 28, 5, BRASS) +
    rect(44, 60, 32, 24, PAPER, 3) +
    shape("M60 64c10 2 10 12 0 16-10-4-10-14 0-16z", "#6f8f58"),
  jug: (k) =>
    line("M80 50c24-2 20 38-4 36", k.dark, 6) +
    shape("M40 34c-6-4-10-6-12-4 2 8 12 10 12 20-4 12-8 20-8 30 0 14 8 20 28 20s28-6 28-20c0-12-8-24-8-46z", k.main) +
    shape("M64 34h16c0 22 8 34 8 46 0 14-8 20-24 20 10-18 8-46 0-66z", SHADE) +
    oval(60, 34, 20, 4.5, k.dark) +
    oval(60, 35, 16, 3, PAPER),
  plate: (k) =>
    disc(60, 62, 42, k.dark) + disc(60, 60, 42, k.main) + disc(60, 60, 28, k.light) + disc(60, 61, 26, k.plain) + line("M40 48a24 24 0 0 1 16-12", "#ffffff70", 4),
  carafe: (k) =>
    shape("M50 18h20v22c2 14 18 24 18 44 0 12-8 16-28 16s-28-4-28-16c0-20 16-30 18-44z", k.light + "b0") +
    shape("M40 66h40c6 8 8 12 8 18 0 12-8 16-28 16s-28-4-28-16c0-6 2-10 8-18z", k.plain + "d0") +
    rect(46, 14, 28, 7, k.dark, 3) +
    line("M46 76c-4 8-4 12 0 16", "#ffffff90", 4) +
    line("M53 26v14", "#ffffff90", 3),
  cloth: (k) =>
    shape("M18 84 60 70l42 14-42 16z", k.dark) +
    shape("M18 76 60 62l42 14-42 16z", k.main) +
    shape("M18 68 60 54l42 14-42 16z", k.light) +
    shape("M18 60 60 46l42 14-42 16z", k.main) +
    line("M30 60 60 70l30-10", k.accent, 2.5),
  candlestick: (k) =>
    flame(60, 20) +
    rect(54, 26, 12, 34, PAPER, 3) +
    rect(60, 26, 6, 34, PAPER_DARK, 3) +
    oval(60, 62, 16, 4.5, BRASS_DARK) +
    shape("M55 62h10l-2 10 5 6-5 6 3 10H54l3-10-5-6 5-6z", k.main) +
    shape("M36 100c2-10 14-10 24-10s22 0 24 10z", k.plain) +
    line("M84 92c14-2 14-14 2-14", k.plain, 4),
  candle: (k) =>
    flame(60, 26) +
    line("M60 34v6", IRON, 2.5) +
    rect(38, 40, 44, 58, k.light, 5) +
    rect(38, 56, 44, 28, k.main) +
    rect(66, 40, 16, 58, SHADE, 5) +
    oval(60, 41, 22, 4.5, PAPER) +
    oval(60, 98, 32, 5, BRASS),
  lantern: (k) =>
    line("M44 34C44 6 76 6 76 34", IRON, 3.5) +
    shape("M42 34h36l6 12H36z", k.dark) +
    rect(40, 46, 40, 44, "#fff3d6", 2) +
    flame(60, 74) +
    rect(54, 80, 12, 10, PAPER, 1) +
    line("M40 46v44M80 46v44M60 46v10", k.plain, 4) +
    rect(34, 88, 52, 12, k.main, 4),
  matches: (k) =>
    repeat(4, (i) => turned(-18 + i * 9, 60, 70, rect(46 + i * 8, 20, 4, 50, WOOD_LIGHT, 2) + disc(48 + i * 8, 20, 4.5, k.accentDark))) +
    rect(28, 58, 64, 42, k.main, 4) +
    rect(28, 90, 64, 10, IRON, 3) +
    rect(38, 66, 44, 18, PAPER, 2) +
    disc(60, 75, 6, FLAME),
};
