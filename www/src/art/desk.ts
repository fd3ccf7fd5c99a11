/** Pictures of what lies on desks, and of what is bought for dogs and cats. */

import type { Ink } from "./ink.js";
import {
  BRASS,
  BRASS_DARK,
  disc,
  FLAME_CORE,
  GLASS,
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
  turned,
  WOOD,
  WOOD_DARK,
  WOOD_LIGHT,
} from "./ink.js";

type Draw = (ink: Ink) => string;

const star = (x: number, y: number, size: number, fill: string): string =>
  shape(`M${x} ${y - size}l${size * 0.3} ${size * 0.7} ${size * 0.7} ${size * 0.3}-${size * 0.7} ${size * 0.3}-${size * 0.3} ${size * 0.7}-${size * 0.3}-${size * 0.7}-${size * 0.7}-${size * 0.3} ${size * 0.7}-${size * 0.3}z`, fill);

export const desk: Record<string, Draw> = {
  pen: (k) =>
    line("M14 104c16-8 22 4 34-4", k.accentDark, 2.5) +
    turned(
      40,
      60,
      60,
      rect(52, 2, 16, 46, k.main, 7) +
        rect(64, 8, 4, 32, BRASS, 2) +
        rect(52, 44, 16, 6, BRASS) +
        rect(53, 50, 14, 32, k.dark, 2) +
        shape("M53 82h14l-5 22-2 6-2-6z", BRASS) +
        line("M60 88v18", BRASS_DARK, 1.5),
    ),
  ink: (k) =>
    rect(44, 28, 32, 18, IRON, 4) +
    rect(50, 44, 20, 8, STEEL) +
    shape("M34 52h52l12 14v26a8 8 0 0 1-8 8H30a8 8 0 0 1-8-8V66z", GLASS) +
    shape("M22 70h76v22a8 8 0 0 1-8 8H30a8 8 0 0 1-8-8z", k.main) +
    rect(38, 62, 44, 28, PAPER, 2) +
    shape("M60 66c6 8 8 10 8 14a8 8 0 0 1-16 0c0-4 2-6 8-14z", k.dark),
  letters: (k) =>
    turned(-8, 60, 60, rect(26, 16, 62, 76, PAPER, 2) + line("M36 30h40M36 40h42M36 50h30", k.accentDark, 2.5)) +
    turned(5, 60, 76, rect(20, 54, 80, 48, k.main, 3) + shape("M20 56l40 28 40-28v-2H20z", k.light) + line("M20 56l40 28 40-28", k.dark, 2) + disc(60, 84, 7, k.accentDark)),
  seal: (k) =>
    turned(24, 44, 46, shape("M38 4c12-4 18 8 12 20l-2 16H36l-2-16c-4-10-2-18 4-20z", WOOD) + rect(33, 38, 18, 8, BRASS, 2) + rect(29, 46, 26, 10, BRASS_DARK, 3)) +
    shape("M52 86c-4-14 10-24 24-22 12-4 26 6 26 18 4 12-8 22-22 20-14 4-28-4-28-16z", k.main) +
    ring(78, 83, 13, k.dark, 2.5) +
    star(78, 83, 10, k.light) +
    rect(14, 72, 34, 9, k.plain, 4) +
    rect(10, 86, 34, 9, k.dark, 4),
  desklamp: (k) =>
    rect(24, 92, 46, 9, IRON, 4) +
    line("M46 92 34 56 66 34", BRASS_DARK, 5) +
    disc(34, 56, 5, BRASS) +
    disc(46, 90, 5, BRASS) +
    turned(28, 78, 38, shape("M58 22h28c12 6 18 18 18 30H54c0-10 0-22 4-30z", k.main) + shape("M76 22h10c12 6 18 18 18 30H80z", SHADE) + oval(79, 52, 25, 4.5, FLAME_CORE)) +
    shape("M60 60 94 76l10 24H42z", "#fbe0a030"),
  pencils: (k) =>
    repeat(5, (i) => turned(-16 + i * 8, 60, 90, rect(56, 22 + (i % 2) * 8, 8, 60, [k.accent, "#d29a32", "#3f7c85", "#b4472f", "#5f7d54"][i] ?? WOOD, 1) + shape(`M56 ${22 + (i % 2) * 8}h8l-4-12z`, WOOD_LIGHT))) +
    shape("M34 56h52l-4 38a7 7 0 0 1-7 6H45a7 7 0 0 1-7-6z", k.main) +
    shape("M66 56h20l-4 38a7 7 0 0 1-7 6h-9z", SHADE) +
    oval(60, 56, 26, 4, k.dark),
  notebook: (k) =>
    turned(
      7,
      60,
      60,
      rect(28, 18, 66, 84, PAPER_DARK, 5) +
        rect(26, 16, 66, 82, k.main, 6) +
        rect(26, 16, 10, 82, k.dark, 6) +
        rect(80, 16, 5, 82, k.accent) +
        rect(44, 30, 30, 18, PAPER, 2) +
        line("M49 39h20", k.accentDark, 2.5) +
        shape("M56 98h7v12l-3.5-4-3.5 4z", k.accent),
    ),
  lettertray: (k) =>
    repeat(2, (i) => {
      const y = 44 + i * 30;
      return (
        shape(`M26 ${y}h68l14 14H12z`, PAPER) + line(`M36 ${y + 5}h44M34 ${y + 9}h40`, PAPER_DARK, 2) + rect(10, y + 12, 100, 12, k.main, 3) + rect(46, y + 14, 28, 5, k.light, 2)
      );
    }) +
    rect(10, 40, 7, 60, k.dark, 2) +
    rect(103, 40, 7, 60, k.dark, 2),
  telescope: (k) =>
    line("M58 58 34 102M58 58l26 44M58 58v42", WOOD_DARK, 5) +
    turned(-28, 58, 46, rect(8, 38, 22, 14, BRASS_DARK, 3) + rect(28, 35, 40, 20, k.main, 3) + rect(66, 31, 44, 28, k.dark, 3) + rect(104, 29, 8, 32, BRASS, 2) + rect(44, 33, 6, 24, BRASS)) +
    star(24, 22, 7, "#f0c868") +
    star(100, 84, 4, "#f0c868"),
  starmap: (k) =>
    disc(60, 60, 44, BRASS_DARK) +
    disc(60, 60, 41, k.main) +
    disc(60, 60, 34, "#2c3350") +
    line("M42 50l12-8 12 10 14-2M50 76l10-6 14 6 4-12", "#8f9bc4", 1.5) +
    repeat(7, (i) => star([42, 54, 66, 80, 50, 60, 74][i] ?? 0, [50, 42, 52, 50, 76, 70, 76][i] ?? 0, 3.6 + (i % 2), "#f6e2ab")) +
    repeat(24, (i) => turned(i * 15, 60, 60, rect(59.5, 20, 1, i % 6 ? 3 : 5.5, k.light))) +
    disc(60, 60, 2.5, BRASS),
  globe: (k) =>
    oval(60, 99, 26, 4.5, WOOD_DARK) +
    rect(56, 84, 8, 14, WOOD) +
    line("M34 18a44 44 0 1 0 54 60", BRASS, 4.5) +
    disc(62, 48, 33, k.main) +
    shape("M42 30c10-8 20-8 24-2s-6 12-2 18-8 12-14 6-16-12-8-22zM70 56c8-6 20-4 22 2-2 10-10 18-18 20-8-4-10-16-4-22zM80 26c6 2 12 10 13 16-6 2-14-8-13-16z", k.accent) +
    shape("M68 16a33 33 0 0 1 2 64c14-18 14-44-2-64z", SHADE) +
    line("M38 14l6 8M90 78l-6-6", BRASS_DARK, 3),
  magnifier: (k) =>
    turned(-40, 60, 60, rect(54, 70, 12, 44, k.main, 6) + rect(55, 64, 10, 10, BRASS_DARK) + disc(60, 38, 32, BRASS) + disc(60, 38, 26, "#d5e5e6") + shape("M42 24a26 26 0 0 1 18-12l-14 40a26 26 0 0 1-4-28z", "#ffffff80")),
  dogbed: (k) =>
    oval(60, 78, 50, 22, k.dark) +
    oval(60, 72, 50, 20, k.main) +
    oval(60, 70, 36, 12, k.light) +
    shape("M34 68c0-14 14-20 28-18 8-10 22-8 26 2l8 4-6 6c0 10-10 14-24 14-18 0-32-2-32-8z", "#a4744a") +
    shape("M70 48c-6 6-6 14-2 18 4-4 6-12 2-18z", "#7a5334") +
    disc(84, 56, 1.8, IRON) +
    disc(95, 58, 2.6, IRON) +
    shape("M12 76c10 26 86 26 96 0 2 34-98 34-96 0z", k.plain) +
    rect(48, 86, 24, 10, k.accent, 3),
  lead: (k) =>
    line("M30 26c-26 30 20 40 40 30s36 12 18 32-56 4-56-10 30-20 50-4", k.dark, 9) +
    line("M30 26c-26 30 20 40 40 30s36 12 18 32-56 4-56-10 30-20 50-4", k.plain, 6) +
    line("M30 26c-26 30 20 40 40 30s36 12 18 32-56 4-56-10 30-20 50-4", k.accent, 1.5) +
    ring(38, 22, 11, k.dark, 6) +
    turned(40, 86, 74, rect(80, 70, 12, 22, BRASS, 4) + ring(86, 98, 6, BRASS_DARK, 3)),
  petbowl: (k) =>
    repeat(9, (i) => disc(36 + i * 6, 56 - (i % 3) * 4, 6, i % 2 ? "#8a5f3c" : "#a4744a")) +
    oval(60, 60, 36, 7, k.dark) +
    shape("M24 58h72l14 36a5 5 0 0 1-5 6H15a5 5 0 0 1-5-6z", k.main) +
    shape("M66 58h30l14 36a5 5 0 0 1-5 6H70z", SHADE) +
    disc(60, 84, 6, k.light) +
    disc(50, 76, 3.5, k.light) +
    disc(57, 72, 3.5, k.light) +
    disc(64, 72, 3.5, k.light) +
    disc(71, 76, 3.5, k.light),
  ball: (k) =>
    line("M84 84c16 4 22 10 18 18", k.dark, 6) +
    disc(56, 58, 38, k.main) +
    shape("M64 21c36 8 38 66-4 75 18-24 20-50 4-75z", SHADE) +
    line("M22 44c24 4 36 22 30 50M92 46c-20 2-34 20-28 48", k.accent, 5) +
    line("M38 32c4-4 8-6 14-7", "#ffffff90", 4),
  catbed: (k) =>
    shape("M14 96c-6-40 16-76 46-76s52 36 46 76c-2 8-90 8-92 0z", k.main) +
    shape("M66 21c28 4 46 38 40 75-2 4-16 6-30 6 10-26 8-58-10-81z", SHADE) +
    oval(60, 74, 28, 25, k.dark) +
    oval(60, 80, 20, 16, "#4a474a") +
    shape("M44 62l6 10h20l6-10 2 18c0 10-8 14-18 14s-18-4-18-14z", "#4a474a") +
    disc(53, 79, 3, "#e8d16b") +
    disc(67, 79, 3, "#e8d16b") +
    shape("M57 85h6l-3 3z", "#d79a8a"),
  scratcher: (k) =>
    rect(16, 90, 88, 11, k.main, 5) +
    rect(48, 26, 24, 66, "#d4b483", 3) +
    repeat(10, (i) => line(`M48 ${32 + i * 6}l24-3`, "#a98a58", 2)) +
    rect(32, 16, 56, 12, k.main, 6) +
    rect(32, 22, 56, 6, SHADE, 3) +
    line("M82 28v26", IRON, 1.8) +
    disc(82, 58, 7, k.accent),
  wand: (k) =>
    turned(-30, 60, 60, rect(57, 44, 5, 66, WOOD, 2.5)) +
    line("M38 46c4-20 18-26 34-20", IRON, 1.8) +
    turned(60, 74, 30, shape("M74 30c-14-8-16-20-10-30 12 4 16 16 10 30z", k.main) + line("M74 30 66 6", k.dark, 1.5)) +
    turned(105, 74, 30, shape("M74 30c-14-8-16-20-10-30 12 4 16 16 10 30z", k.accent) + line("M74 30 66 6", k.accentDark, 1.5)) +
    turned(150, 74, 30, shape("M74 30c-14-8-16-20-10-30 12 4 16 16 10 30z", k.light) + line("M74 30 66 6", k.dark, 1.5)) +
    disc(74, 29, 5, BRASS),
  fishtoy: (k) =>
    shape("M12 62c14-26 52-32 74-4l20-16c-4 12-4 28 0 40L86 66c-22 28-60 22-74-4z", k.main) +
    shape("M46 42c6-10 16-12 24-10l-2 14z", k.dark) +
    disc(28, 56, 5, PAPER) +
    disc(28, 56, 2.5, IRON) +
    line("M44 48c6 10 6 18 0 28M58 46c6 12 6 22 0 34M70 50c5 8 5 16 0 24", k.light, 2.5) +
    line("M92 56l8-4M92 66l8 4M94 61h8", k.dark, 2) +
    line("M16 70c4 2 6 2 10 0", k.dark, 2),
};
