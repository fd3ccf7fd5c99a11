import { test } from "node:test";
import { checkGpu, type GpuScope } from "../../../js/engine/gpu.js";
import { equal } from "../check.js";

const adapter = (isFallbackAdapter: boolean) => ({ info: { isFallbackAdapter } }) as unknown as GPUAdapter;

const gpu = (answer: () => Promise<GPUAdapter | null>) => ({ requestAdapter: answer });
const good = gpu(async () => adapter(false));
const software = gpu(async () => adapter(true));

/** What a browser like this is told: the state and the code. */
async function verdict(choice: "auto" | "cpu" | "gpu", scope: GpuScope): Promise<unknown> {
  const said = await checkGpu(choice, scope);
  return said.usable ? "usable" : "code" in said ? `${said.state} ${said.code}` : said.state;
}

const CASES: [string, "auto" | "cpu" | "gpu", GpuScope, string][] = [
  ["a good adapter", "auto", { navigator: { gpu: good } }, "usable"],
  ["no wish for a GPU", "cpu", { navigator: { gpu: good } }, "off"],
  ["no navigator", "auto", {}, "absent gpu/absent"],
  ["no WebGPU", "auto", { isSecureContext: true, navigator: {} }, "absent gpu/absent"],
  ["an insecure page", "gpu", { isSecureContext: false, navigator: {} }, "absent gpu/insecure"],
  ["no adapter", "gpu", { navigator: { gpu: gpu(async () => null) } }, "absent gpu/no-adapter"],
  ["an adapter request that throws", "auto", { navigator: { gpu: gpu(() => Promise.reject(new TypeError("off"))) } }, "absent gpu/no-adapter"],
  ["a software adapter", "auto", { navigator: { gpu: software } }, "refused gpu/software"],
  ["a software adapter asked for by name", "gpu", { navigator: { gpu: software } }, "usable"],
  ["a visitor who saves data", "auto", { navigator: { gpu: good, connection: { saveData: true } } }, "refused gpu/data-saver"],
  ["a visitor who saves data, GPU asked for by name", "gpu", { navigator: { gpu: good, connection: { saveData: true } } }, "usable"],
];

for (const [what, choice, scope, expected] of CASES) {
  test(`${what}: ${expected}`, async () => equal(await verdict(choice, scope), expected));
}
