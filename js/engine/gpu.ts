/**
 * Checks whether the GPU engine is worth downloading, before any of it is fetched.
 *
 * The engine needs only core WebGPU, so the check is that there is a GPU, and not one simulated in software.
 */

import type { ErrorCode } from "../errors.js";
import type { EngineKind } from "../types.js";

export type GpuVerdict =
  /** `gpu` names it, in the browser's words. */
  | { usable: true; gpu: string }
  | { usable: false; state: "off" }
  | { usable: false; state: "absent" | "refused"; code: ErrorCode; reason: string };

/** The parts of `globalThis` that the check uses; tests replace them. */
export interface GpuScope {
  isSecureContext?: boolean;
  navigator?: {
    gpu?: Pick<GPU, "requestAdapter">;
    /** Chromium only. */
    connection?: { saveData?: boolean };
  };
}

export async function checkGpu(choice: "auto" | EngineKind, scope: GpuScope = globalThis): Promise<GpuVerdict> {
  if (choice === "cpu") return { usable: false, state: "off" };
  const gpu = scope.navigator?.gpu;
  if (!gpu) {
    return scope.isSecureContext === false
      ? no("absent", "gpu/insecure", "WebGPU exists on secure pages only (https or localhost).")
      : no("absent", "gpu/absent", "This browser has no WebGPU.");
  }
  if (choice === "auto" && scope.navigator?.connection?.saveData) {
    return no("refused", "gpu/data-saver", "The visitor asked to save data, so the GPU engine is not downloaded.");
  }
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter();
  } catch (error) {
    return no("absent", "gpu/no-adapter", `The browser gave no GPU: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!adapter) return no("absent", "gpu/no-adapter", "This browser has WebGPU, but no GPU that it may use.");
  // A software GPU is rejected only for `auto`: a shop that requests the GPU engine may want it.
  if (choice === "auto" && isSoftware(adapter)) {
    return no("refused", "gpu/software", "The GPU is simulated in software; the CPU engine is faster than that.");
  }
  const { vendor, architecture, device, description } = adapter.info ?? {};
  return { usable: true, gpu: [vendor, architecture, device, description].join(" ") };
}

/** The flag moved from the adapter to its info. */
function isSoftware(adapter: GPUAdapter & { isFallbackAdapter?: boolean }): boolean {
  return adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
}

function no(state: "absent" | "refused", code: ErrorCode, reason: string): GpuVerdict {
  return { usable: false, state, code, reason };
}
