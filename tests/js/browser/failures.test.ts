// A GPU that fails in every way that one can, each brought about in the page: nothing that was asked is lost.

import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { equal, ok } from "../check.js";
import { goldenAnswers, type Site } from "../golden.js";
import { ChromiumVisitor, launch, serveShop, SWIFTSHADER } from "./harness.js";

let site: Site, browser: Browser;
before(async () => ([site, browser] = await Promise.all([serveShop(), launch(SWIFTSHADER)])));
after(async () => {
  await browser.close();
  await site.close();
});

const asked = goldenAnswers().cases[9]!;

/** The page of a visitor in whose browser `damage` has been done. */
async function arrive(damage: () => void): Promise<ChromiumVisitor> {
  const context = await browser.newContext();
  await context.addInitScript(damage);
  return ChromiumVisitor.arriveIn(context, site);
}

/** Asks the question; it must be answered as ever, by whom is returned. */
async function ask(visitor: ChromiumVisitor): Promise<string | undefined> {
  const found = await visitor.call("recommend");
  equal(found.map(({ item }) => item), asked.recommend.map(({ item }) => item));
  return found[0]?.source;
}

const AT_THE_START: [string, string, () => void][] = [
  [
    "a kernel that does not compile",
    "device/compute",
    () => {
      const create = GPUDevice.prototype.createShaderModule;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        return create.call(this, { ...descriptor, code: `nonsense ${descriptor.code}` });
      };
    },
  ],
  [
    "a GPU whose memory is full",
    "device/memory",
    () => {
      GPUDevice.prototype.popErrorScope = async () => new GPUOutOfMemoryError("full");
    },
  ],
  [
    "a GPU that will not be opened",
    "device/unavailable",
    () => {
      GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException("not now", "OperationError"));
    },
  ],
  [
    "a GPU too small for the catalogue",
    "device/memory",
    () => {
      // The table has 64 kB; less than 128 MB no GPU says it has, so the engine is told what the device says.
      const limits = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "limits")!.get!;
      const small = (given: GPUSupportedLimits) => new Proxy(given, { get: (from, name) => (name === "maxBufferSize" ? 1000 : Reflect.get(from, name, from)) });
      Object.defineProperty(GPUDevice.prototype, "limits", { get() { return small(limits.call(this)); } });
    },
  ],
];

for (const [what, code, damage] of AT_THE_START) {
  test(`${what} leaves the CPU answering, and status says why`, { timeout: 120_000 }, async () => {
    const visitor = await arrive(damage);
    const { status, failure } = await visitor.call("open", { engine: "gpu", worker: false, storage: { kind: "memory", collapseMs: 0 } });
    equal([failure, status.rung, status.gpu.state], [undefined, "cpu", "retired"]);
    equal("code" in status.gpu && status.gpu.code, code, JSON.stringify(status.gpu));
    await visitor.call("visit", asked.history);
    equal(await ask(visitor), "cpu");
    await visitor.leave();
  });
}

/** Fails once `globalThis.armed` is set, over a question that is under way. */
const MID_FLIGHT: [string, () => void][] = [
  [
    "a GPU that is lost",
    () => {
      const request = GPUAdapter.prototype.requestDevice;
      let device: GPUDevice | undefined;
      GPUAdapter.prototype.requestDevice = async function (descriptor) {
        return (device = await request.call(this, descriptor));
      };
      const submit = GPUQueue.prototype.submit;
      GPUQueue.prototype.submit = function (buffers) {
        submit.call(this, buffers);
        if ("armed" in globalThis) device?.destroy();
      };
    },
  ],
  [
    "a trap",
    () => {
      const submit = GPUQueue.prototype.submit;
      GPUQueue.prototype.submit = function (buffers) {
        if ("armed" in globalThis) throw new WebAssembly.RuntimeError("unreachable");
        submit.call(this, buffers);
      };
    },
  ],
  [
    "an answer that cannot be read",
    () => {
      const map = GPUBuffer.prototype.mapAsync;
      GPUBuffer.prototype.mapAsync = function (...given) {
        return "armed" in globalThis ? Promise.reject(new DOMException("gone", "OperationError")) : map.apply(this, given);
      };
    },
  ],
];

for (const [what, damage] of MID_FLIGHT) {
  test(`${what} in the middle of a question leaves the CPU to answer it`, { timeout: 120_000 }, async (t) => {
    const visitor = await arrive(damage);
    const { status } = await visitor.call("open", { engine: "gpu", worker: false, storage: { kind: "memory", collapseMs: 0 } });
    equal(status.rung, "gpu", JSON.stringify(status));
    await visitor.call("visit", asked.history);
    equal(await ask(visitor), "gpu");
    await visitor.tab.evaluate(() => void Object.assign(globalThis, { armed: true }));
    const begun = performance.now();
    equal(await ask(visitor), "cpu");
    t.diagnostic(`answered after ${Math.round(performance.now() - begun)} ms`);
    const { gpu } = await visitor.call("status");
    ok("code" in gpu && /^(device|engine)\//.test(gpu.code), JSON.stringify(gpu));
    equal(await ask(visitor), "cpu");
    await visitor.leave();
  });
}

for (const [what, damage] of MID_FLIGHT.slice(0, 2)) {
  test(`${what} under the general engine leaves the question to another one`, { timeout: 240_000 }, async () => {
    const visitor = await arrive(damage);
    const { status } = await visitor.call("open", { engine: "burn-gpu", worker: false, storage: { kind: "memory", collapseMs: 0 } });
    equal([status.rung, "build" in status.gpu && status.gpu.build], ["gpu", "burn-gpu"], JSON.stringify(status));
    await visitor.call("visit", asked.history);
    equal(await ask(visitor), "gpu");
    await visitor.tab.evaluate(() => void Object.assign(globalThis, { armed: true }));
    equal(await ask(visitor), "cpu");
    equal(await ask(visitor), "cpu");
    await visitor.leave();
  });
}

for (const [what, damage] of MID_FLIGHT) {
  test(`${what} in the middle of a gradient step costs nothing that was learnt before`, { timeout: 240_000 }, async () => {
    const visitor = await arrive(damage);
    const { status } = await visitor.call("open", { engine: "burn-gpu", worker: false, storage: { kind: "memory", collapseMs: 0 } }, "/learning/");
    equal(status.rung, "gpu", JSON.stringify(status));
    await visitor.call("visit", asked.history);
    const clicks = asked.history.length;
    await visitor.call("untilLearnt", clicks);
    await visitor.tab.evaluate(() => void Object.assign(globalThis, { armed: true }));
    // Nothing is asked after this click, so that it is learning that fails.
    await visitor.call("visit", ["sku-3"]);
    await visitor.call("untilRetired");
    const { gpu, learnt } = await visitor.call("status");
    equal([learnt, "code" in gpu && gpu.code], [clicks, what === "a trap" ? "engine/failed" : "device/compute"], JSON.stringify(gpu));
    const [best] = await visitor.call("recommend");
    equal(best?.source, "cpu");
    await visitor.leave();
  });
}

test("a general engine that cannot be loaded leaves the small one answering", { timeout: 120_000 }, async () => {
  const context = await browser.newContext();
  await context.route("**/burn-cpu.wasm", (route) => route.fulfill({ status: 404 }));
  const visitor = await ChromiumVisitor.arriveIn(context, site);
  const { status } = await visitor.call("open", { engine: "burn-cpu", worker: false, storage: { kind: "memory", collapseMs: 0 } });
  equal([status.rung, "build" in status.cpu && status.cpu.build], ["cpu", "cpu"], JSON.stringify(status));
  await visitor.call("visit", asked.history);
  equal(await ask(visitor), "cpu");
  await visitor.leave();
});
