/** Pictures of what stands in living rooms, bedrooms and bathrooms. */

import type { Ink } from "./ink.js";
import {
  BRASS,
  BRASS_DARK,
  disc,
  EARTH,
  FLAME_CORE,
  GLASS,
  IRON,
  LEAF,
  LEAF_DARK,
  line,
  oval,
  PAPER,
  PAPER_DARK,
  rect,
  repeat,
  ring,
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

export const home: Record<string, Draw> = {
  armchair: (k) =>
    line("M32 92l-4 10M88 92l4 10", WOOD_DARK, 6) +
    rect(28, 20, 64, 62, k.main, 16) +
    rect(64, 20, 28, 62, SHADE, 14) +
    rect(34, 62, 52, 22, k.light, 8) +
    rect(14, 50, 22, 44, k.plain, 11) +
    rect(84, 50, 22, 44, k.dark, 11) +
    rect(28, 80, 64, 14, k.dark, 4) +
    turned(-8, 60, 54, rect(46, 42, 28, 24, k.accent, 5)),
  floorlamp: (k) =>
    oval(54, 99, 22, 4.5, IRON) +
    line("M54 98V40c0-24 26-26 30-8", BRASS_DARK, 4) +
    shape("M68 34h32l10 28H58z", k.main) +
    shape("M86 34h14l10 28H88z", SHADE) +
    oval(84, 62, 26, 4, FLAME_CORE) +
    shape("M60 64h48l10 34H50z", "#fbe0a030"),
  throw: (k) =>
    shape("M24 26c20-8 52-8 72 0v62c-20 8-52 8-72 0z", k.main) +
    shape("M64 20c12 0 24 2 32 6v62c-8 4-18 6-30 6z", SHADE) +
    line("M24 40c20-8 52-8 72 0M24 76c20 8 52 8 72 0", k.accent, 4) +
    repeat(13, (i) => line(`M${26 + i * 5.7} ${90 + Math.sin((i / 12) * 3.14) * 4}v9`, k.plain, 2.5)),
  sidetable: (k) =>
    line("M36 52 28 100M84 52l8 48M60 54v42", WOOD_DARK, 6) +
    line("M34 80h52", WOOD_DARK, 4) +
    oval(60, 51, 46, 9, WOOD_DARK) +
    oval(60, 48, 46, 9, WOOD) +
    rect(34, 36, 32, 7, k.main, 2) +
    rect(38, 29, 28, 7, k.accent, 2) +
    shape("M74 30h14v10c0 8-14 8-14 0z", k.plain) +
    line("M88 32c6 0 6 8 0 8", k.plain, 2.5),
  logbasket: (k) =>
    disc(36, 50, 12, WOOD_DARK) +
    disc(36, 50, 8, WOOD_LIGHT) +
    disc(60, 44, 14, WOOD_DARK) +
    disc(60, 44, 10, WOOD_LIGHT) +
    disc(84, 50, 12, WOOD_DARK) +
    disc(84, 50, 8, WOOD_LIGHT) +
    ring(60, 44, 5, WOOD, 2) +
    shape("M16 56h88l-10 38a8 8 0 0 1-8 6H34a8 8 0 0 1-8-6z", k.main) +
    line("M20 70h80M24 84h72", k.light, 3) +
    rect(12, 52, 96, 8, k.dark, 4) +
    line("M12 58c-8 14 6 18 8 8M108 58c8 14-6 18-8 8", k.dark, 4),
  firetools: (k) =>
    oval(60, 98, 32, 5, IRON) +
    line("M60 96V16", IRON, 5) +
    disc(60, 14, 6, BRASS) +
    line("M32 28h56", IRON, 4) +
    line("M34 28v56M86 28v46M46 28v58", IRON, 3) +
    shape("M28 78h12v16c-4 4-8 4-12 0z", k.main) +
    shape("M76 70h20l-4 22H80z", k.main) +
    shape("M42 82h8v8l-8 4z", k.dark) +
    repeat(4, (i) => disc([34, 46, 86, 74][i] ?? 0, 26, 4, BRASS)),
  bellows: (k) =>
    turned(
      -38,
      60,
      60,
      rect(0, 54, 26, 8, BRASS_DARK, 3) +
        shape("M22 58C34 30 62 26 84 42v32c-22 16-50 12-62-16z", k.main) +
        shape("M22 58c24 6 44 6 62 0v16c-22 16-50 12-62-16z", SHADE) +
        line("M34 46c10 8 10 16 0 24M50 38c8 12 8 28 0 40M66 36c6 14 6 30 0 44", k.dark, 2.5) +
        rect(82, 44, 34, 9, WOOD, 4) +
        rect(82, 63, 34, 9, WOOD_DARK, 4) +
        repeat(3, (i) => disc(40 + i * 16, 58, 2.4, BRASS)),
    ),
  rug: (k) =>
    shape("M26 40h68l18 54H8z", k.main) +
    shape("M34 48h52l12 38H22z", k.light) +
    shape("M40 54h40l8 26H32z", k.plain) +
    shape("M60 56l14 11-14 11-14-11z", k.accent) +
    repeat(14, (i) => line(`M${10 + i * 7.7} 94l-1 6`, PAPER_DARK, 2)) +
    repeat(12, (i) => line(`M${28 + i * 5.8} 40v-5`, PAPER_DARK, 2)),
  vase: (k) =>
    line("M60 46C56 30 44 26 40 14M60 46c2-20 14-22 18-34M60 46V18", LEAF_DARK, 3) +
    disc(40, 14, 7, k.accent) +
    disc(78, 12, 8, k.accent) +
    disc(60, 18, 7, k.accentDark) +
    oval(50, 30, 8, 4, LEAF) +
    oval(72, 30, 8, 4, LEAF) +
    shape("M50 44h20c-2 10 18 16 18 34 0 14-10 22-28 22s-28-8-28-22c0-18 20-24 18-34z", k.main) +
    shape("M64 44h6c-2 10 18 16 18 34 0 14-10 22-26 22 12-20 6-40 2-56z", SHADE) +
    oval(60, 44, 12, 3.5, k.dark),
  clock: (k) =>
    shape("M24 96V58a36 36 0 0 1 72 0v38z", k.main) +
    shape("M66 23c18 4 30 18 30 35v38H72c8-24 6-50-6-73z", SHADE) +
    rect(16, 92, 88, 10, WOOD_DARK, 3) +
    disc(60, 58, 26, BRASS) +
    disc(60, 58, 22, PAPER) +
    repeat(12, (i) => turned(i * 30, 60, 58, rect(59.3, 39, 1.5, 4, IRON))) +
    line("M60 58V44M60 58l10 6", IRON, 2.5) +
    disc(60, 58, 2.5, BRASS_DARK),
  frame: (k) =>
    rect(24, 18, 72, 82, k.main, 3) +
    rect(32, 26, 56, 66, PAPER, 1) +
    rect(40, 36, 40, 46, "#c7d6d1", 1) +
    shape("M40 82V68l14-16 12 14 6-6 8 8v14z", LEAF_DARK) +
    disc(70, 46, 5, k.accent) +
    rect(24, 92, 72, 8, SHADE, 3),
  bookends: (k) =>
    rect(34, 40, 12, 54, "#7a4458", 2) +
    rect(47, 34, 10, 60, "#3f7c85", 2) +
    rect(58, 44, 12, 50, "#d29a32", 2) +
    turned(8, 78, 70, rect(72, 38, 11, 56, "#5f7d54", 2)) +
    shape("M12 100V54c0-8 18-8 20 0v46z", k.main) +
    shape("M92 100V54c2-8 18-8 18 0v46z", k.main) +
    rect(10, 94, 100, 7, k.dark, 2) +
    disc(22, 62, 5, k.accent) +
    disc(101, 62, 5, k.accent),
  duvet: (k) =>
    rect(12, 24, 8, 76, WOOD_DARK, 3) +
    rect(100, 46, 8, 54, WOOD_DARK, 3) +
    rect(14, 30, 92, 20, WOOD, 5) +
    rect(22, 40, 32, 18, PAPER, 8) +
    rect(60, 40, 32, 18, PAPER_DARK, 8) +
    shape("M16 56h88v36c-12 6-20-2-30 2s-18 4-28 0-20 4-30-2z", k.main) +
    shape("M16 56h88v12H16z", k.light) +
    line("M48 68v26M76 68v26", SHADE, 2),
  pillow: (k) =>
    turned(-8, 50, 74, shape("M14 52c20 6 56 6 76 0-4 14-4 28 0 42-20-6-56-6-76 0 4-14 4-28 0-42z", k.dark)) +
    turned(5, 62, 56, shape("M22 30c22 6 54 6 78 0-4 16-4 32 0 48-24-6-56-6-78 0 4-16 4-32 0-48z", k.main)) +
    turned(5, 62, 56, line("M34 42c16 4 42 4 54 0M34 66c16-4 42-4 54 0", k.light, 2.5)),
  quilt: (k) =>
    rect(18, 22, 84, 78, k.dark, 8) +
    repeat(16, (i) => {
      const x = 23 + (i % 4) * 19;
      const y = 27 + Math.floor(i / 4) * 17.5;
      const fill = [k.main, k.accent, k.light, k.plain][(i + Math.floor(i / 4)) % 4] ?? k.plain;
      return rect(x, y, 17, 15.5, fill, 1) + (i % 3 ? "" : shape(`M${x + 8.5} ${y + 2}l6 6-6 6-6-6z`, k.accentDark));
    }),
  cushion: (k) =>
    shape("M18 26c24 8 60 8 84 0-8 24-8 48 0 72-24-8-60-8-84 0 8-24 8-48 0-72z", k.main) +
    shape("M66 32c14 0 26-2 36-6-8 24-8 48 0 72-12-4-26-6-42-6 14-18 16-40 6-60z", SHADE) +
    disc(60, 62, 5, k.accent) +
    line("M60 57V44M60 67v13M55 62H42M65 62h13", k.dark, 1.6) +
    disc(17, 25, 4, k.accent) +
    disc(103, 25, 4, k.accent) +
    disc(17, 99, 4, k.accent) +
    disc(103, 99, 4, k.accent),
  alarm: (k) =>
    line("M34 88l-8 12M86 88l8 12", IRON, 6) +
    shape("M18 40c-4-16 14-28 28-18zM102 40c4-16-14-28-28-18z", BRASS) +
    line("M60 30V18", IRON, 4) +
    disc(60, 16, 5, BRASS_DARK) +
    disc(60, 62, 38, k.main) +
    disc(60, 62, 29, PAPER) +
    repeat(12, (i) => turned(i * 30, 60, 62, rect(59, 36, 2, 5, IRON, 1))) +
    line("M60 62V45M60 62l13 8", IRON, 3.5) +
    disc(60, 62, 3.5, k.accentDark),
  gown: (k) =>
    line("M60 10v10M44 22c10-6 22-6 32 0", IRON, 3) +
    shape("M44 22 20 42l-4 44 14 2 4-26v40h52V62l4 26 14-2-4-44-24-20-16 26z", k.main) +
    shape("M60 48v54h26V62l4 26 14-2-4-44-24-20z", SHADE) +
    shape("M44 22l16 40 16-40-6-3-10 22-10-22z", k.accent) +
    rect(32, 64, 56, 8, k.dark, 3) +
    line("M58 72l-6 20M62 72l4 22", k.dark, 4),
  slippers: (k) =>
    turned(-14, 40, 66, rect(22, 24, 34, 74, WOOD_DARK, 17) + rect(24, 24, 30, 70, PAPER, 15) + shape("M20 66c4-22 34-22 38 0v16c0 22-38 22-38 0z", k.main)) +
    turned(10, 82, 66, rect(64, 26, 34, 74, WOOD_DARK, 17) + rect(66, 26, 30, 70, PAPER, 15) + shape("M62 68c4-22 34-22 38 0v16c0 22-38 22-38 0z", k.main) + disc(81, 64, 5, k.accent)) +
    disc(40, 60, 5, k.accent),
  tray: (k) =>
    line("M28 78l-6 22M92 78l6 22M28 78l12 20M92 78 80 98", WOOD_DARK, 5) +
    rect(12, 68, 96, 12, k.main, 5) +
    shape("M34 42h26v18c0 12-26 12-26 0z", PAPER) +
    line("M60 46c10 0 10 14 0 14", PAPER_DARK, 4) +
    oval(82, 66, 20, 4, PAPER_DARK) +
    shape("M70 64c0-18 24-18 24 0z", "#c98f52") +
    line("M42 34c-3-5 3-7 0-12M52 34c-3-5 3-7 0-12", "#ffffff90", 2.5),
  sachet: (k) =>
    line("M52 40C44 26 40 22 40 10M60 38V8M68 40c8-14 12-18 12-30", LEAF_DARK, 2.5) +
    repeat(9, (i) => oval([40, 60, 80][i % 3] ?? 0, 10 + Math.floor(i / 3) * 7, 4, 4.5, "#8d7bb0")) +
    shape("M46 46c-14 10-22 22-22 34 0 14 14 20 36 20s36-6 36-20c0-12-8-24-22-34z", k.main) +
    shape("M66 46h8c14 10 22 22 22 34 0 14-12 20-32 20 12-16 12-36 2-54z", SHADE) +
    shape("M44 34c10 6 22 6 32 0l-2 12H46z", k.light) +
    rect(42, 42, 36, 7, k.accent, 3) +
    line("M60 48c-10 4-12 12-14 14M60 48c10 4 10 12 12 14", k.accent, 3),
  mask: (k) =>
    line("M16 54C0 30 30 20 60 20s60 10 44 34", k.dark, 5) +
    shape("M14 50c10-10 82-10 92 0 6 14-2 38-22 38-12 0-16-12-24-12s-12 12-24 12c-20 0-28-24-22-38z", k.main) +
    line("M26 62c6 8 16 8 22 0M72 62c6 8 16 8 22 0", k.light, 3.5) +
    line("M28 68l-3 4M37 70v5M46 68l3 4M74 68l-3 4M83 70v5M92 68l3 4", k.light, 2.5),
  hotwater: (k) =>
    rect(50, 10, 20, 12, IRON, 4) +
    rect(46, 20, 28, 14, k.dark, 4) +
    shape("M34 34c8-6 44-6 52 0 10 8 10 56 2 62-8 5-48 5-56 0-8-6-8-54 2-62z", k.main) +
    shape("M66 30c8 0 16 2 20 4 10 8 10 56 2 62-4 3-14 4-24 4 10-22 10-46 2-70z", SHADE) +
    repeat(3, (i) => line(`M${44 + i * 16} 42c-7 8 7 12 0 20s7 12 0 20`, k.light, 3)),
  nightlight: (k) =>
    disc(60, 56, 46, "#fbe0a028") +
    shape("M36 84C22 40 48 22 60 14c12 8 38 26 24 70z", k.light) +
    shape("M48 84c-6-24 2-44 12-56 10 12 18 32 12 56z", FLAME_CORE) +
    shape("M66 40a12 12 0 1 0 6 20 14 14 0 0 1-6-20z", k.accent) +
    rect(32, 82, 56, 8, k.dark, 4) +
    rect(38, 88, 44, 12, k.main, 4),
  soap: (k) =>
    shape("M16 66 34 48h72L90 66z", k.light) +
    shape("M90 66l16-18v26L90 94z", k.dark) +
    rect(16, 66, 74, 28, k.main, 3) +
    rect(34, 73, 38, 14, PAPER, 3) +
    disc(34, 34, 7, GLASS) +
    disc(48, 26, 10, GLASS) +
    disc(64, 36, 6, GLASS) +
    line("M43 23c2-3 5-4 8-3", "#ffffff", 2),
  soapdish: (k) =>
    rect(32, 50, 56, 24, k.light, 9) +
    rect(40, 55, 30, 6, SHINE, 3) +
    shape("M14 70h92c-2 20-16 26-46 26s-44-6-46-26z", k.main) +
    shape("M66 70h40c-2 20-16 26-44 26z", SHADE) +
    oval(60, 71, 46, 6, k.dark) +
    repeat(5, (i) => rect(32 + i * 13, 69, 5, 5, k.plain, 2)) +
    oval(60, 97, 24, 4, k.dark),
  bathbrush: (k) =>
    turned(
      -40,
      60,
      60,
      rect(54, 48, 62, 9, WOOD, 4.5) +
        disc(110, 52.5, 3, WOOD_DARK) +
        repeat(11, (i) => line(`M${10 + i * 5} 62v16`, i % 2 ? PAPER : PAPER_DARK, 4)) +
        rect(4, 42, 60, 22, k.main, 11) +
        rect(4, 54, 60, 10, SHADE, 5) +
        line("M62 46c14-4 10 12 4 10", k.accent, 2.5),
    ),
  towel: (k) =>
    rect(8, 18, 104, 6, BRASS, 3) +
    disc(8, 21, 6, BRASS_DARK) +
    disc(112, 21, 6, BRASS_DARK) +
    rect(28, 16, 64, 82, k.main, 4) +
    rect(28, 16, 64, 12, k.dark, 4) +
    rect(28, 74, 64, 7, k.accent) +
    rect(28, 84, 64, 3, k.accent) +
    rect(68, 28, 24, 70, SHADE) +
    repeat(16, (i) => line(`M${30 + i * 4} 98v4`, k.plain, 2)),
  razor: (k) =>
    turned(
      32,
      60,
      60,
      rect(32, 14, 56, 16, STEEL, 6) +
        rect(30, 24, 60, 5, STEEL_DARK, 2) +
        rect(36, 30, 48, 4, "#e9ecee", 1) +
        rect(56, 32, 8, 12, BRASS_DARK) +
        rect(53, 42, 14, 64, k.main, 6) +
        repeat(5, (i) => rect(53, 54 + i * 9, 14, 2.5, k.dark)) +
        rect(53, 98, 14, 8, BRASS, 4),
    ),
  shavingbrush: (k) =>
    shape("M32 20c10-10 46-10 56 0 2 16-8 26-12 40H44C40 46 30 36 32 20z", PAPER) +
    line("M46 18l6 38M60 14v42M74 18l-6 38", PAPER_DARK, 2.5) +
    shape("M40 48c6 4 34 4 40 0l-4 14H44z", EARTH) +
    shape("M42 60h36c-2 8-8 10-8 16 0 8 10 12 10 24H40c0-12 10-16 10-24 0-6-6-8-8-16z", k.main) +
    shape("M64 60h14c-2 8-8 10-8 16 0 8 10 12 10 24H66c2-14 2-28-2-40z", SHADE) +
    rect(44, 58, 32, 5, BRASS, 2),
  mirror: (k) =>
    oval(60, 99, 26, 4.5, BRASS_DARK) +
    rect(57, 78, 6, 20, BRASS, 2) +
    line("M22 46c0 52 76 52 76 0", BRASS, 4) +
    disc(60, 44, 34, k.main) +
    disc(60, 44, 28, "#cddfe2") +
    shape("M44 66 74 20a28 28 0 0 1 10 10L56 71a28 28 0 0 1-12-5z", "#ffffff70"),
  jar: (k) =>
    rect(32, 36, 56, 18, k.dark, 5) +
    line("M40 40v10M50 40v10M60 40v10M70 40v10M80 40v10", k.plain, 2) +
    rect(28, 54, 64, 46, k.main, 10) +
    rect(66, 54, 26, 46, SHADE, 10) +
    rect(36, 64, 48, 26, PAPER, 3) +
    line("M44 72h32M48 80h24", k.accentDark, 3),
  salts: (k) =>
    rect(48, 14, 24, 14, WOOD, 5) +
    rect(44, 26, 32, 8, STEEL, 3) +
    shape("M40 34h40c8 8 12 16 12 26v30a10 10 0 0 1-10 10H38a10 10 0 0 1-10-10V60c0-10 4-18 12-26z", GLASS) +
    shape("M29 58h62v32a10 10 0 0 1-10 10H39a10 10 0 0 1-10-10z", k.light) +
    repeat(14, (i) => turned(i * 40, 38 + (i % 5) * 11, 64 + Math.floor(i / 5) * 12, rect(36 + (i % 5) * 11, 62 + Math.floor(i / 5) * 12, 5, 5, i % 2 ? k.plain : PAPER, 1))) +
    rect(42, 68, 36, 18, PAPER, 2) +
    line("M48 77h24", k.accentDark, 3),
  bathrack: (k) =>
    shape("M10 76h100c-2 18-12 26-22 26H32c-10 0-20-8-22-26z", PAPER) +
    rect(4, 70, 112, 8, PAPER_DARK, 4) +
    rect(2, 58, 116, 10, WOOD, 4) +
    line("M30 58v10M46 58v10M62 58v10M78 58v10", WOOD_DARK, 2.5) +
    turned(-14, 44, 44, rect(24, 30, 40, 28, k.main, 2) + rect(42, 30, 3, 28, k.dark)) +
    shape("M80 26h16v14c0 8-16 8-16 0z", GLASS) +
    shape("M81 34h14v6c0 7-14 7-14 0z", k.accent) +
    line("M88 46v10M82 57h12", "#ffffffa0", 2.5),
  sponge: (k) =>
    shape("M22 62c-8-18 8-30 22-28 8-12 32-10 38 2 16-2 26 14 18 28 8 14-4 32-20 30-10 8-34 8-42 0-16 2-26-16-16-32z", k.main) +
    repeat(13, (i) => oval(34 + ((i * 17) % 56), 46 + ((i * 23) % 42), 3 + (i % 3), 2.5 + (i % 2), k.dark)) +
    disc(98, 30, 6, GLASS) +
    disc(88, 20, 4, GLASS),
  bottle: (k) =>
    rect(53, 8, 14, 12, IRON, 3) +
    rect(50, 18, 20, 6, BRASS, 2) +
    shape("M52 24h16v10c2 6 20 8 20 22v36a8 8 0 0 1-8 8H40a8 8 0 0 1-8-8V56c0-14 18-16 20-22z", k.main) +
    shape("M64 24h4v10c2 6 20 8 20 22v36a8 8 0 0 1-8 8H68z", SHADE) +
    rect(40, 60, 40, 28, PAPER, 2) +
    disc(60, 70, 5, k.accent) +
    line("M48 81h24", k.accentDark, 2.5),
};
