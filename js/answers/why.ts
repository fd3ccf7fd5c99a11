/** Explains in words which fallback or engine answers, and why. */

import type { EngineKind, EngineState, Rung } from "../types.js";

/** The reason why this one answers; `late` if calls no longer wait for the engine. */
export function explainRung(rung: Rung, requested: "auto" | EngineKind, cpu: EngineState, gpu: EngineState, late = false): string {
  if (rung === "gpu") {
    if (requested === "gpu") return "The GPU engine answers, as asked.";
    return "medianMs" in gpu ? `The GPU engine answers: it is faster here${against(gpu, cpu)}.` : `The GPU engine answers: ${whyNot("CPU", cpu)}`;
  }
  if (rung === "cpu") {
    if (requested === "cpu") return "The CPU engine answers, as asked.";
    return `The CPU engine answers: ${gpu.state === "slower" ? `it is faster here${against(cpu, gpu)}.` : whyNot("GPU", gpu)}`;
  }
  if (!late && (cpu.state === "waiting" || cpu.state === "loading")) return "Calls wait for the CPU engine, which is still loading.";
  const answers = rung === "popular" ? "The most popular items are shown" : "The items viewed last are shown";
  return `${answers}: ${whyNot("CPU", cpu)}`;
}

function whyNot(name: string, engine: EngineState): string {
  if ("reason" in engine) return engine.reason;
  if (engine.state === "ready") return `the ${name} engine is being compared with it.`;
  return engine.state === "off" ? `the ${name} engine was not asked for.` : `the ${name} engine is still loading.`;
}

function against(winner: EngineState, loser: EngineState): string {
  if (!("medianMs" in winner && "medianMs" in loser)) return "";
  return ` (${(winner.medianMs ?? 0).toFixed(1)} ms against ${(loser.medianMs ?? 0).toFixed(1)} ms)`;
}
