/** Pictures of what is sold for the garden and the hills. */

import type { Ink } from "./ink.js";
import {
  BRASS,
  BRASS_DARK,
  disc,
  EARTH,
  FLAME,
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

const frond = (x: number, y: number, turn: number, length: number, fill: string): string =>
  turned(turn, x, y, shape(`M${x} ${y}c-9 -${length * 0.4} -6 -${length * 0.8} 0 -${length}c6 ${length * 0.2} 9 ${length * 0.6} 0 ${length}z`, fill));

export const outside: Record<string, Draw> = {
  seeds: (k) =>
    turned(-12, 50, 70, rect(24, 34, 42, 62, k.accent, 3) + rect(24, 34, 42, 10, k.accentDark, 3)) +
    turned(
      6,
      70,
      70,
      rect(50, 32, 46, 68, k.main, 3) + rect(50, 32, 46, 11, k.dark, 3) + disc(73, 70, 17, PAPER) + frond(73, 84, -28, 26, LEAF) + frond(73, 84, 24, 28, LEAF_DARK),
    ),
  planter: (k) =>
    frond(60, 58, -40, 40, LEAF) +
    frond(60, 58, 38, 42, LEAF_DARK) +
    frond(60, 58, -14, 48, LEAF_DARK) +
    frond(60, 58, 14, 44, LEAF) +
    shape("M34 62h52l-6 34a5 5 0 0 1-5 4H45a5 5 0 0 1-5-4z", k.main) +
    shape("M66 62h20l-6 34a5 5 0 0 1-5 4h-9z", SHADE) +
    rect(30, 54, 60, 12, k.dark, 4),
  wateringcan: (k) =>
    line("M72 84 106 44", k.dark, 7) +
    shape("M98 34l14 12-4 6-18-14z", k.plain) +
    line("M34 60C10 54 12 96 36 92", k.dark, 5) +
    line("M40 54c4-24 34-24 38 0", k.dark, 5) +
    rect(32, 54, 50, 46, k.main, 6) +
    rect(62, 54, 20, 46, SHADE, 6) +
    oval(57, 54, 25, 5, k.dark),
  trowel: (k) =>
    turned(
      35,
      60,
      60,
      rect(53, 8, 14, 36, k.main, 7) + rect(53, 36, 14, 6, BRASS, 2) + rect(57, 42, 6, 18, STEEL_DARK, 2) + shape("M44 58h32c2 26-8 40-16 50-8-10-18-24-16-50z", STEEL) + shape("M60 58h16c2 26-8 40-16 50z", SHADE),
    ),
  birdhouse: (k) =>
    rect(36, 46, 48, 54, k.main, 3) +
    rect(64, 46, 20, 54, SHADE, 3) +
    shape("M60 16 96 48l-6 7-30-26-30 26-6-7z", k.dark) +
    shape("M60 29 84 50H36z", k.main) +
    disc(60, 64, 10, EARTH) +
    line("M60 82v6", WOOD_DARK, 4) +
    oval(84, 38, 9, 6, "#5c86a0") +
    disc(91, 33, 5, "#5c86a0") +
    shape("M95 32l7 2-7 2z", FLAME),
  feeder: (k) =>
    line("M60 8v16", IRON, 3) +
    shape("M60 20c18 4 26 14 28 22H32c2-8 10-18 28-22z", k.main) +
    rect(42, 42, 36, 42, GLASS, 3) +
    rect(42, 54, 36, 30, "#c9a060", 3) +
    repeat(9, (i) => oval(47 + (i % 3) * 12, 60 + Math.floor(i / 3) * 9, 2.4, 3.4, "#6b5033")) +
    rect(30, 84, 60, 8, k.dark, 4) +
    line("M24 88h12M84 88h12", WOOD_DARK, 4),
  birdbath: (k) =>
    shape("M50 60h20l4 34H46z", k.main) +
    shape("M62 60h8l4 34H62z", SHADE) +
    oval(60, 97, 24, 5, k.dark) +
    shape("M16 46h88c-4 14-22 20-44 20s-40-6-44-20z", k.main) +
    oval(60, 46, 44, 9, k.dark) +
    oval(60, 47, 38, 6, "#9fc4cc") +
    oval(46, 38, 9, 6, "#a4683f") +
    disc(38, 33, 5, "#a4683f") +
    shape("M34 32l-6 2 6 2z", FLAME),
  sack: (k) =>
    shape("M34 34c-8 22-14 60-4 66h60c10-6 4-44-4-66z", PAPER_DARK) +
    shape("M64 34h22c8 22 14 60 4 66H66c10-20 8-46-2-66z", SHADE) +
    shape("M34 34c-8-8-4-14 4-14 6 4 10-4 22-2 12-2 16 6 22 2 8 0 12 6 4 14z", PAPER_DARK) +
    line("M34 35h52", k.dark, 5) +
    rect(42, 52, 36, 32, k.main, 4) +
    repeat(5, (i) => oval(48 + i * 6, 68 + (i % 2) * 5, 2.2, 4, PAPER)),
  plant: (k) =>
    repeat(7, (i) => frond(60, 66, -72 + i * 24, i % 2 ? 50 : 42, i % 2 ? LEAF_DARK : LEAF)) +
    shape("M38 66h44l-5 30a5 5 0 0 1-5 4H48a5 5 0 0 1-5-4z", k.main) +
    shape("M66 66h16l-5 30a5 5 0 0 1-5 4h-6z", SHADE) +
    oval(60, 66, 22, 4, EARTH),
  hanging: (k) =>
    line("M60 8 32 62M60 8l28 54M60 8v50", PAPER_DARK, 2.5) +
    shape("M30 60h60c0 22-12 32-30 32S30 82 30 60z", k.main) +
    shape("M66 60h24c0 22-10 31-24 32 8-10 8-22 0-32z", SHADE) +
    oval(60, 60, 30, 5, EARTH) +
    line("M36 62c-8 10-6 24-12 34M84 62c10 8 4 26 12 32M50 60c-4-10-12-8-14-14M70 60c4-12 12-10 14-16", LEAF, 3.5) +
    repeat(5, (i) => oval(26 + (i % 2) * 5, 72 + i * 5, 5, 3, LEAF_DARK) + oval(94 - (i % 2) * 5, 70 + i * 5, 5, 3, LEAF)),
  mister: (k) =>
    shape("M42 56h36c6 12 8 22 8 32 0 8-4 12-12 12H46c-8 0-12-4-12-12 0-10 2-20 8-32z", k.main) +
    shape("M64 56h14c6 12 8 22 8 32 0 8-4 12-12 12H64z", SHADE) +
    rect(50, 40, 20, 16, BRASS, 3) +
    rect(40, 28, 36, 12, BRASS_DARK, 4) +
    line("M74 40c8 4 8 10 6 16", BRASS_DARK, 4) +
    repeat(6, (i) => disc(32 - (i % 3) * 9, 26 + Math.floor(i / 3) * 12 + (i % 3) * 2, 2.2, "#9cc0ca")),
  stand: (k) =>
    repeat(5, (i) => frond(60, 46, -50 + i * 25, 30, i % 2 ? LEAF_DARK : LEAF)) +
    shape("M42 42h36l-4 24H46z", k.main) +
    shape("M64 42h14l-4 24H64z", SHADE) +
    rect(32, 66, 56, 7, WOOD, 3) +
    line("M38 72 32 99M82 72l6 27M60 72v24", WOOD_DARK, 5),
  tent: (k) =>
    shape("M60 24 110 96H10z", k.main) +
    shape("M60 24 110 96H72z", SHADE) +
    shape("M60 38 78 96H42z", k.dark) +
    shape("M60 38 60 96H42z", k.light) +
    line("M60 24V14M60 24 10 96M60 24l50 72", k.dark, 3) +
    line("M10 96 4 100M110 96l6 4", WOOD_DARK, 3) +
    shape("M60 14h14l-4 5 4 5H60z", k.accent),
  sleepingbag: (k) =>
    turned(
      -18,
      60,
      60,
      shape("M42 14c-14 0-18 12-16 26l6 58c0 6 6 8 28 8s28-2 28-8l6-58c2-14-2-26-16-26z", k.main) +
        shape("M64 14h14c14 0 18 12 16 26l-6 58c0 6-4 8-24 8z", SHADE) +
        oval(60, 32, 22, 15, k.accent) +
        oval(60, 34, 14, 10, PAPER) +
        line("M60 50v50", k.light, 2.5) +
        line("M32 62h26M34 78h24", k.dark, 2),
    ),
  stove: (k) =>
    rect(36, 62, 48, 38, k.main, 8) +
    rect(64, 62, 20, 38, SHADE, 8) +
    rect(44, 50, 32, 12, STEEL_DARK, 3) +
    line("M30 46h60M38 46l6 8M82 46l-6 8", IRON, 4) +
    repeat(5, (i) => shape(`M${44 + i * 8} 50c4-5 4-9 0-14-4 5-4 9 0 14z`, i % 2 ? "#7fb0d0" : FLAME)) +
    line("M84 74h12", IRON, 4) +
    disc(98, 74, 5, k.accent),
  camplight: (k) =>
    line("M42 32C42 4 78 4 78 32", IRON, 3.5) +
    rect(42, 28, 36, 12, k.dark, 4) +
    shape("M44 40h32c8 12 8 26 0 38H44c-8-12-8-26 0-38z", FLAME_CORE) +
    disc(60, 58, 9, FLAME) +
    line("M44 40c-8 12-8 26 0 38M76 40c8 12 8 26 0 38", k.plain, 3.5) +
    shape("M38 78h44l4 16a5 5 0 0 1-5 6H39a5 5 0 0 1-5-6z", k.main),
  backpack: (k) =>
    line("M46 26c0-14 28-14 28 0", k.dark, 5) +
    rect(30, 26, 60, 74, k.main, 18) +
    rect(66, 26, 24, 74, SHADE, 14) +
    shape("M30 50c0-16 12-24 30-24s30 8 30 24v6H30z", k.dark) +
    rect(38, 68, 44, 26, k.light, 7) +
    rect(38, 68, 44, 8, k.dark, 4) +
    rect(54, 46, 12, 18, k.accent, 3) +
    rect(22, 58, 8, 30, k.dark, 4) +
    rect(90, 58, 8, 30, k.dark, 4),
  boots: (k) =>
    shape("M30 26h34l2 38c16 4 34 6 36 22v6H30z", k.main) +
    shape("M30 70c20 10 50 0 72 16v6H30z", SHADE) +
    rect(26, 90, 78, 10, EARTH, 4) +
    rect(26, 22, 42, 10, k.accent, 5) +
    line("M52 42h16M54 52h16M58 61h16", PAPER, 3),
  flask: (k) =>
    rect(48, 14, 24, 18, STEEL, 5) +
    rect(52, 30, 16, 8, STEEL_DARK) +
    rect(40, 36, 40, 64, k.main, 9) +
    rect(64, 36, 16, 64, SHADE, 9) +
    rect(40, 84, 40, 8, k.accent) +
    rect(45, 42, 5, 36, SHINE, 2.5),
  compass: (k) =>
    ring(60, 16, 8, BRASS_DARK, 4) +
    disc(60, 62, 40, BRASS_DARK) +
    disc(60, 62, 36, k.main) +
    disc(60, 62, 29, PAPER) +
    repeat(8, (i) => turned(i * 45, 60, 62, rect(59, 35, 2, i % 2 ? 4 : 7, IRON, 1))) +
    turned(32, 60, 62, shape("M60 38l7 24H53z", k.accentDark) + shape("M60 86l7-24H53z", k.dark)) +
    disc(60, 62, 3.5, BRASS),
  robe: (k) =>
    shape("M44 24 22 44l-6 40 14 4 6-26v38h48V62l6 26 14-4-6-40-22-20z", k.main) +
    shape("M62 36v64h22V62l6 26 14-4-6-40-22-20z", SHADE) +
    shape("M44 24c4-10 28-10 32 0-2 10-10 16-16 16s-14-6-16-16z", k.dark) +
    line("M60 40v60", k.light, 3) +
    rect(40, 72, 13, 14, k.dark, 3) +
    rect(67, 72, 13, 14, k.dark, 3),
  goggles: (k) =>
    line("M14 52C4 84 116 84 106 52", k.dark, 6) +
    rect(12, 42, 42, 34, k.main, 16) +
    rect(66, 42, 42, 34, k.main, 16) +
    rect(19, 48, 28, 22, "#9fc9d6", 10) +
    rect(73, 48, 28, 22, "#9fc9d6", 10) +
    line("M54 56c4-5 8-5 12 0", k.dark, 5) +
    line("M24 56c2-4 5-5 8-5M78 56c2-4 5-5 8-5", "#ffffffb0", 3),
  drybag: (k) =>
    shape("M36 34h48l4 58a8 8 0 0 1-8 8H40a8 8 0 0 1-8-8z", k.main) +
    shape("M66 34h18l4 58a8 8 0 0 1-8 8H66z", SHADE) +
    rect(34, 22, 52, 14, k.dark, 5) +
    line("M36 22C30 8 90 8 84 22", IRON, 4) +
    rect(52, 14, 16, 7, k.accent, 2) +
    rect(44, 54, 30, 5, k.light, 2) +
    rect(44, 64, 20, 5, k.light, 2),
  beanie: (k) =>
    shape("M24 78c0-36 16-52 36-52s36 16 36 52z", k.main) +
    shape("M66 27c20 4 30 22 30 51H74c4-20 0-38-8-51z", SHADE) +
    rect(18, 72, 84, 22, k.dark, 9) +
    repeat(9, (i) => line(`M${26 + i * 8.6} 76v14`, k.plain, 2)),
  coop: (k) =>
    rect(24, 46, 62, 42, k.main, 2) +
    shape("M16 48 55 18l39 30z", k.dark) +
    repeat(5, (i) => line(`M${34 + i * 11} 48v40`, SHADE, 2)) +
    rect(34, 58, 18, 30, EARTH, 8) +
    rect(62, 58, 15, 13, PAPER, 2) +
    line("M69 58v13M62 64h15", k.dark, 2) +
    line("M28 88v12M82 88v12", WOOD_DARK, 5) +
    line("M44 88 20 100", WOOD, 5) +
    oval(98, 90, 10, 9, PAPER) +
    disc(105, 79, 5, PAPER) +
    shape("M102 75c2-5 6-5 6 0z", "#b4472f") +
    shape("M110 79l5 2-5 2z", FLAME),
  hopper: (k) =>
    shape("M34 24h52l-6 52H40z", k.main) +
    shape("M64 24h22l-6 52H64z", SHADE) +
    shape("M28 24 60 10l32 14z", k.dark) +
    rect(26, 76, 68, 6, k.dark, 3) +
    shape("M22 82h76l-4 14a5 5 0 0 1-5 4H31a5 5 0 0 1-5-4z", k.plain) +
    repeat(10, (i) => oval(31 + i * 6.4, 82 - (i % 2) * 2, 3, 2.4, "#d9aa54")),
  eggbasket: (k) =>
    line("M30 60C30 8 90 8 90 60", IRON, 4) +
    repeat(4, (i) => oval(39 + i * 14, 58 - (i % 2) * 5, 9, 11, i % 2 ? "#e8cfae" : "#c99a72")) +
    shape("M20 60h80l-10 34a8 8 0 0 1-8 6H38a8 8 0 0 1-8-6z", k.main) +
    line("M25 74h70M29 88h62M42 62l4 36M60 62v36M78 62l-4 36", k.light, 2.5) +
    rect(17, 57, 86, 7, k.dark, 3.5),
  straw: (k) =>
    rect(18, 52, 84, 48, "#dcb868", 6) +
    line("M24 60h40M50 68h46M26 78h34M66 84h30M30 92h50M70 60h26", "#b98f3e", 2.5) +
    line("M30 52l-6-14M48 52l4-16M70 52l-2-14M90 52l8-12", "#dcb868", 3) +
    rect(38, 52, 8, 48, k.main) +
    rect(74, 52, 8, 48, k.main) +
    line("M96 56l6-4", WOOD_LIGHT, 2),
};
