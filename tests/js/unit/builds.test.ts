// Which build of the engine a bundle needs.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BACKBONES, METHODS, needsGeneral, partsOf } from "../../../js/engine/builds.js";
import { equal } from "../check.js";

const root = process.env["INGLE_ROOT"] ?? "";
const manifest = (text: unknown) => new TextEncoder().encode(JSON.stringify(text));

test("the small engines' backbones and methods are those of the Rust registries", () => {
  const backbones = readFileSync(join(root, "crates/model/src/backbone/mod.rs"), "utf8");
  const kinds = [...backbones.matchAll(/pub const \w+: Self = Self\("([\w-]+)"\)/g)].map(([, name]) => name);
  equal(kinds, [...BACKBONES]);
  const methods = readFileSync(join(root, "crates/model/src/methods/mod.rs"), "utf8");
  const registry = /^macro_rules! with_methods \{$[^}]*^ *\}/m.exec(methods)?.[0] ?? "";
  equal([...registry.matchAll(/"([\w-]+)"/g)].map(([, name]) => name), [...METHODS]);
});

test("only a build with more backbones loads the general engine for a bundle that names one", () => {
  const own = manifest({ backbone: { kind: "gated-convolution" }, method: { name: "dc4sr" } });
  equal([needsGeneral(own, true), needsGeneral(own, false)], [true, false]);
  equal(needsGeneral(manifest({ backbone: { kind: "gru4rec" }, method: { name: "sasrec" } }), true), false);
  // The default kind is not named.
  equal(needsGeneral(manifest({ backbone: { width: 8 }, method: { name: "none" } }), true), false);
  equal(needsGeneral(manifest({ backbone: {}, method: { name: "own" } }), true), true);
});

test("a manifest that cannot be read is the small engine's to refuse", () => {
  for (const text of ["", "{", "[]", "null", '{"backbone":3}', '{"backbone":{"kind":3},"method":null}']) {
    equal(needsGeneral(new TextEncoder().encode(text), true), false, text);
  }
});

test("a choice is what to compute on, and whether the general engine is asked for", () => {
  equal(partsOf("auto"), { on: "auto", general: false });
  equal(partsOf("burn"), { on: "auto", general: true });
  equal(partsOf("burn-gpu"), { on: "gpu", general: true });
  equal(partsOf("cpu"), { on: "cpu", general: false });
});
