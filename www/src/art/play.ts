/** Pictures of books, toys and what is sold for making things. */

import type { Ink } from "./ink.js";
import {
  BRASS,
  BRASS_DARK,
  disc,
  FLAME,
  IRON,
  line,
  oval,
  PAPER,
  PAPER_DARK,
  rect,
  repeat,
  ring,
  SHADE,
  shape,
  STEEL,
  STEEL_DARK,
  turned,
  WOOD,
  WOOD_DARK,
  WOOD_LIGHT,
} from "./ink.js";

type Draw = (ink: Ink) => string;

const face = (x: number, y: number, apart: number): string =>
  disc(x - apart, y, 2.6, IRON) + disc(x + apart, y, 2.6, IRON) + line(`M${x - 4} ${y + 12}c2 3 6 3 8 0`, IRON, 2);

const bobbin = (x: number, y: number, fill: string): string =>
  rect(x - 12, y, 24, 5, WOOD, 2) + rect(x - 9, y + 5, 18, 24, fill, 3) + line(`M${x - 8} ${y + 12}h16M${x - 8} ${y + 18}h16M${x - 8} ${y + 24}h16`, SHADE, 1.5) + rect(x - 12, y + 29, 24, 5, WOOD_DARK, 2);

export const play: Record<string, Draw> = {
  book: (k) =>
    turned(
      -5,
      60,
      60,
      rect(30, 18, 66, 84, k.dark, 4) +
        rect(34, 20, 60, 78, PAPER, 2) +
        rect(26, 16, 64, 82, k.main, 4) +
        rect(26, 16, 9, 82, SHADE, 4) +
        rect(42, 28, 40, 26, PAPER, 2) +
        rect(47, 34, 30, 3.5, k.accentDark, 1.5) +
        rect(51, 41, 22, 3.5, k.accentDark, 1.5) +
        disc(62, 76, 11, k.accent) +
        shape("M52 80l7-9 5 6 3-4 6 8a11 11 0 0 1-21-1z", k.dark),
    ),
  train: (k) =>
    rect(30, 52, 46, 28, k.main, 6) +
    rect(70, 32, 32, 48, k.dark, 4) +
    rect(77, 40, 18, 16, "#cfe0e0", 2) +
    rect(66, 26, 40, 8, k.accent, 4) +
    rect(38, 32, 12, 22, k.plain, 2) +
    rect(34, 26, 20, 8, k.accent, 3) +
    disc(66, 50, 7, BRASS) +
    disc(30, 66, 10, BRASS_DARK) +
    disc(30, 66, 6, BRASS) +
    rect(22, 78, 82, 8, IRON, 3) +
    repeat(3, (i) => disc(38 + i * 26, 88, 12, WOOD_DARK) + disc(38 + i * 26, 88, 7, k.accent) + disc(38 + i * 26, 88, 2.5, IRON)),
  track: (k) =>
    ring(60, 62, 38, WOOD, 15) +
    ring(60, 62, 42, WOOD_DARK, 2.5) +
    ring(60, 62, 34, WOOD_DARK, 2.5) +
    repeat(12, (i) => turned(i * 30, 60, 62, rect(58.5, 17, 3, 14, WOOD_LIGHT, 1))) +
    rect(44, 82, 30, 16, k.main, 5) +
    rect(62, 76, 12, 10, k.dark, 2) +
    disc(50, 99, 5, IRON) +
    disc(68, 99, 5, IRON),
  bridge: (k) =>
    shape("M8 58h104v42H92c0-40-64-40-64 0H8z", k.main) +
    shape("M8 58h104v8H8z", k.dark) +
    line("M28 100c0-40 64-40 64 0", k.dark, 5) +
    repeat(5, (i) => rect(14 + i * 20, 44, 6, 16, WOOD, 2)) +
    rect(8, 42, 104, 6, WOOD, 3) +
    shape("M46 98h28l-4 6H50z", k.accent) +
    shape("M60 82v14H50z", PAPER),
  station: (k) =>
    rect(22, 54, 76, 46, k.main, 2) +
    shape("M14 56 36 32h48l22 24z", k.dark) +
    shape("M44 56 60 28l16 28z", k.plain) +
    disc(60, 46, 8, PAPER) +
    line("M60 46v-5M60 46l4 2", IRON, 1.8) +
    rect(52, 70, 16, 30, WOOD_DARK, 8) +
    rect(29, 66, 15, 16, "#f6e2ab", 2) +
    rect(76, 66, 15, 16, "#f6e2ab", 2) +
    rect(12, 97, 96, 6, k.accentDark, 2),
  bear: (k) =>
    disc(36, 26, 11, k.main) +
    disc(84, 26, 11, k.main) +
    disc(36, 26, 6, k.accent) +
    disc(84, 26, 6, k.accent) +
    oval(60, 84, 28, 20, k.main) +
    oval(60, 86, 16, 13, k.light) +
    oval(32, 76, 9, 14, k.dark) +
    oval(88, 76, 9, 14, k.dark) +
    oval(38, 100, 13, 8, k.dark) +
    oval(82, 100, 13, 8, k.dark) +
    oval(60, 42, 30, 26, k.main) +
    oval(60, 51, 13, 10, k.light) +
    oval(60, 46, 5, 3.5, IRON) +
    face(60, 38, 13),
  rabbit: (k) =>
    turned(-10, 46, 30, oval(46, 22, 8, 24, k.main) + oval(46, 24, 4, 17, k.accent)) +
    turned(14, 74, 30, oval(74, 22, 8, 24, k.main) + oval(74, 24, 4, 17, k.accent)) +
    shape("M40 68h40l10 32H30z", k.accent) +
    oval(33, 80, 7, 14, k.main) +
    oval(87, 80, 7, 14, k.main) +
    oval(46, 101, 11, 6, k.dark) +
    oval(74, 101, 11, 6, k.dark) +
    oval(60, 54, 25, 22, k.main) +
    oval(60, 58, 4, 3, k.accentDark) +
    face(60, 50, 10),
  fox: (k) =>
    shape("M82 98c30 0 30-30 16-44-4 18-16 24-24 28z", k.main) +
    shape("M98 54c6 6 8 12 8 18l-14-4z", PAPER) +
    oval(58, 84, 24, 19, k.main) +
    oval(58, 88, 13, 14, PAPER) +
    shape("M28 16l18 14h28l18-14v34c0 16-18 26-32 26S28 66 28 50z", k.main) +
    shape("M28 46c14 0 24 8 32 26 8-18 18-26 32-26 0 18-18 30-32 30S28 64 28 46z", PAPER) +
    shape("M34 24l8 8-8 6zM86 24l-8 8 8 6z", k.dark) +
    disc(60, 71, 4.5, IRON) +
    disc(46, 46, 3, IRON) +
    disc(74, 46, 3, IRON),
  whale: (k) =>
    line("M42 40c-2-12-12-12-14-20M42 40c2-12 12-12 14-20", "#8fb8c6", 4) +
    shape("M12 68c0-20 18-28 38-28 24 0 34 20 44 22 4-6 4-14 2-22 10 2 14 8 14 14 6-2 8 0 8 2-2 12-12 18-18 20-6 16-26 24-50 24-22 0-38-12-38-32z", k.main) +
    shape("M12 70c14 10 48 16 86 6-6 16-26 24-48 24-22 0-38-12-38-30z", k.light) +
    line("M30 80v14M42 84v14M54 84v14", k.plain, 2) +
    disc(30, 62, 3, IRON) +
    shape("M58 78c6 12 14 12 20 8-4-6-12-10-20-8z", k.dark),
  blocks: (k) =>
    rect(14, 64, 36, 36, k.main, 3) +
    rect(54, 64, 36, 36, WOOD, 3) +
    rect(32, 28, 36, 36, k.accent, 3) +
    disc(32, 82, 9, k.light) +
    shape("M72 72l11 20H61z", WOOD_DARK) +
    rect(42, 38, 16, 16, k.accentDark, 2) +
    shape("M90 100V70h16v30z", k.plain) +
    shape("M88 70l10-16 10 16z", k.dark),
  puzzle: (k) =>
    shape("M16 36h30c-6-16 18-16 12 0h30v28c16-6 16 18 0 12v24H62c6-14-18-14-12 0H16V76c14 6 14-18 0-12z", k.main) +
    shape("M52 100c-4-12 14-12 10 0h26V76c10 4 14-4 12-10v40H52z", SHADE) +
    turned(24, 92, 30, shape("M80 18h10c-3-8 9-8 6 0h10v26H80z", k.accent)),
  top: (k) =>
    rect(56, 8, 8, 32, WOOD_DARK, 4) +
    disc(60, 11, 7, k.accentDark) +
    shape("M16 58c0-14 20-22 44-22s44 8 44 22c-6 18-34 26-44 42-10-16-38-24-44-42z", k.main) +
    shape("M66 36c22 2 38 10 38 22-6 18-34 26-44 42 6-20 14-40 6-64z", SHADE) +
    line("M18 60c20 14 64 14 84 0", k.accent, 6) +
    line("M28 74c16 10 48 10 64 0", k.light, 4),
  kite: (k) =>
    shape("M62 8 96 42 62 84 28 42z", k.main) +
    shape("M62 8 96 42H62z", k.accent) +
    shape("M62 84 28 42h34z", k.dark) +
    line("M62 8v76M28 42h68", WOOD_DARK, 2) +
    line("M62 84c-16 6 8 14-10 20-14 4-24-2-34 4", IRON, 2) +
    shape("M50 94l10 3-8 7zM34 98l8 6-9 3z", k.accent),
  yarn: (k) =>
    line("M84 90c14 10 22 6 26 2", k.plain, 3.5) +
    disc(58, 62, 38, k.main) +
    shape("M66 25c36 8 40 66-4 75 20-24 22-50 4-75z", SHADE) +
    line("M26 48c20-20 44-20 62-4M22 62c24-22 52-20 72-2M26 80c20-20 44-18 60-6M40 30c-10 22-8 46 6 66M58 25c-8 24-6 50 6 74", k.light, 2.5),
  needles: (k) =>
    turned(24, 60, 60, rect(56, 18, 6, 84, WOOD, 3) + disc(59, 15, 7, k.accentDark)) +
    turned(-24, 60, 60, rect(58, 18, 6, 84, WOOD_LIGHT, 3) + disc(61, 15, 7, k.accentDark)) +
    shape("M30 66c10-6 50-6 60 0v32c-8 5-52 5-60 0z", k.main) +
    repeat(7, (i) => line(`M${34 + i * 8.6} 64v32`, k.light, 1.8)) +
    line("M30 68c10-5 50-5 60 0", k.dark, 4),
  tote: (k) =>
    line("M44 48C40 10 80 10 76 48", k.dark, 6) +
    shape("M26 44h68l6 50a6 6 0 0 1-6 6H26a6 6 0 0 1-6-6z", k.main) +
    shape("M70 44h24l6 50a6 6 0 0 1-6 6H74z", SHADE) +
    rect(44, 60, 32, 26, k.light, 3) +
    disc(60, 73, 8, k.accent) +
    line("M54 70c4-3 8-3 12 0M54 76c4-3 8-3 12 0", k.accentDark, 1.8),
  hat: (k) =>
    disc(60, 20, 13, k.accent) +
    repeat(8, (i) => turned(i * 45, 60, 20, line("M60 20v-14", k.accentDark, 2))) +
    shape("M24 80c0-34 16-48 36-48s36 14 36 48z", k.main) +
    line("M28 66l8-8 8 8 8-8 8 8 8-8 8 8 8-8 8 8", k.accent, 3.5) +
    rect(18, 78, 84, 20, k.dark, 8) +
    repeat(9, (i) => line(`M${26 + i * 8.6} 82v12`, k.plain, 2)),
  paints: (k) =>
    shape("M12 62 24 24h72l12 38z", PAPER_DARK) +
    shape("M22 58l9-28h58l9 28z", PAPER) +
    disc(46, 44, 8, k.plain) +
    disc(72, 46, 7, k.accent) +
    rect(10, 60, 100, 40, k.dark, 5) +
    repeat(12, (i) => rect(17 + (i % 6) * 15, 66 + Math.floor(i / 6) * 16, 12, 12, ["#b4472f", "#d29a32", "#e6d07a", "#6f8f58", "#3f7c85", "#33475f", "#7a4458", "#e0b8a4", "#7a5a41", "#3d5a4c", "#8d7396", "#4a474a"][i] ?? k.plain, 2)),
  brushes: (k) =>
    repeat(5, (i) => turned(-16 + i * 8, 60, 110, rect(57, 16 + (i % 2) * 8, 6, 50, [WOOD, k.accentDark, WOOD_LIGHT, k.dark, WOOD_DARK][i] ?? WOOD, 2) + rect(56.5, 16 + (i % 2) * 8, 7, 8, STEEL) + shape(`M57 ${16 + (i % 2) * 8}h6l-3-14z`, "#5b4636"))) +
    shape("M24 60h72v34a6 6 0 0 1-6 6H30a6 6 0 0 1-6-6z", k.main) +
    rect(20, 70, 80, 7, k.accent, 3) +
    line("M96 74c14 2 12 14 6 20", k.accent, 3.5),
  sketchbook: (k) =>
    turned(
      -6,
      60,
      60,
      rect(26, 22, 70, 78, k.dark, 3) +
        rect(26, 22, 66, 76, PAPER, 3) +
        line("M36 76c10-24 18-24 26-6 8-14 14-12 22 6", k.accentDark, 3) +
        disc(76, 42, 8, k.accent) +
        line("M36 86h46", PAPER_DARK, 3) +
        repeat(9, (i) => line(`M22 ${28 + i * 8.4}h10`, STEEL_DARK, 3)),
    ) + turned(34, 90, 60, rect(86, 24, 7, 62, k.main, 2) + shape("M86 86h7l-3.5 11z", WOOD_LIGHT)),
  easel: (k) =>
    line("M60 8 36 102M60 8l24 94M60 20v80", WOOD_DARK, 5) +
    rect(28, 24, 64, 52, PAPER, 2) +
    rect(32, 28, 56, 44, k.light, 1) +
    shape("M32 72V60l16-16 14 14 10-8 16 14v8z", k.main) +
    disc(76, 40, 6, k.accent) +
    rect(24, 76, 72, 6, WOOD, 2),
  spool: (k) => bobbin(36, 62, k.main) + bobbin(84, 62, k.accent) + bobbin(60, 64, k.dark) + bobbin(48, 24, k.light) + bobbin(73, 25, k.plain) + line("M82 46c16-4 20 8 26 2", k.plain, 2),
  scissors: (k) =>
    turned(
      28,
      60,
      60,
      shape("M54 8c10 18 14 34 12 54l-8 4c-6-18-8-38-4-58z", STEEL) +
        shape("M70 8c-10 18-16 34-14 54l8 4c6-18 8-38 6-58z", STEEL_DARK) +
        disc(61, 56, 3.5, IRON) +
        line("M58 64 50 76M64 64l8 12", k.dark, 7) +
        `<ellipse cx="44" cy="88" rx="11" ry="15" fill="none" stroke="${k.plain}" stroke-width="7"/>` +
        `<ellipse cx="78" cy="88" rx="11" ry="15" fill="none" stroke="${k.plain}" stroke-width="7"/>`,
    ),
  hoop: (k) =>
    rect(54, 8, 12, 14, BRASS, 3) +
    disc(60, 62, 42, WOOD) +
    disc(60, 62, 36, PAPER) +
    line("M60 88V60M60 76c-10 0-14-6-16-12M60 72c10 0 14-6 16-12", "#6f8f58", 3.5) +
    repeat(6, (i) => turned(i * 60, 60, 48, oval(60, 38, 5, 8, k.plain))) +
    disc(60, 48, 5, k.accent) +
    disc(42, 60, 5, k.accentDark) +
    disc(78, 58, 5, k.accentDark),
  fabric: (k) =>
    rect(18, 78, 84, 20, k.main, 9) +
    rect(22, 60, 76, 18, k.accent, 8) +
    rect(18, 42, 84, 18, k.dark, 8) +
    rect(24, 26, 72, 16, k.light, 7) +
    disc(93, 88, 5, SHADE) +
    disc(92, 51, 5, SHADE) +
    line("M28 69h60", k.accentDark, 2) +
    rect(52, 22, 14, 80, PAPER, 2) +
    rect(54, 56, 10, 14, FLAME, 1),
};
