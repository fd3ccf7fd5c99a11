/** Builds of the engine, and which of them a bundle needs. */

import { manifestOf } from "./manifest.js";
import { HAS_MORE } from "./release.js";
import type { EngineBuild, EngineChoice, EngineKind } from "../types.js";

/** The backbones and methods that the small engines have; a test compares these lists with the Rust registries. */
export const BACKBONES: readonly string[] = ["sasrec", "gru4rec"];
export const METHODS: readonly string[] = ["none", "sasrec", "dc4sr", "iadsr", "mgsd-wss"];

/** What a build computes on. */
export function kindOf(build: EngineBuild): EngineKind {
  return build.endsWith("gpu") ? "gpu" : "cpu";
}

/** The builds for what a build computes on. */
export function buildOf(kind: EngineKind, general: boolean): EngineBuild {
  return general ? `burn-${kind}` : kind;
}

/** A choice in two parts: what to compute on, and whether the general engine was asked for. */
export function partsOf(choice: EngineChoice): { on: "auto" | EngineKind; general: boolean } {
  if (choice === "burn") return { on: "auto", general: true };
  if (choice === "burn-cpu" || choice === "burn-gpu") return { on: kindOf(choice), general: true };
  return { on: choice, general: false };
}

/**
 * Whether a manifest names a backbone or a method that only the general engine can have, in a build whose general engine
 * has more than the small ones. What cannot be read is the engine's to refuse.
 */
export function needsGeneral(manifest: Uint8Array, hasMore = HAS_MORE): boolean {
  if (!hasMore) return false;
  const { backbone, method } = manifestOf(manifest);
  const unknown = (name: unknown, known: readonly string[]) => typeof name === "string" && !known.includes(name);
  return unknown(backbone?.kind, BACKBONES) || unknown(method?.name, METHODS);
}
