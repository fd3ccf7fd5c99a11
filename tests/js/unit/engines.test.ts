// The choice between engines, with engines that fail and lag on cue: real ones do neither when asked.

import { test } from "node:test";
import type { EngineClient } from "../../../js/engine/engine.js";
import { Engines, type EnginesHost } from "../../../js/engine/engines.js";
import { IngleError } from "../../../js/errors.js";
import { kindOf } from "../../../js/engine/builds.js";
import type { LoadRequest } from "../../../js/engine/protocol.js";
import type { EngineBuild, EngineKind } from "../../../js/types.js";
import { codeOf, equal, ok, sleep, until } from "../check.js";

class FakeEngine implements EngineClient {
  readonly kind: EngineKind;
  readonly thread: "worker" | "main";
  onDeath: ((error: IngleError) => void) | undefined;
  disposed = false;
  failing: IngleError | undefined;
  /** The histories that it was asked about. */
  readonly asked: string[][] = [];
  readonly #ms: number;

  constructor(kind: EngineKind, ms: number, thread: "worker" | "main" = "worker") {
    this.kind = kind;
    this.#ms = ms;
    this.thread = thread;
  }

  async load({ gpuJudges }: LoadRequest) {
    if (this.failing) throw this.failing;
    const scorer: EngineKind = gpuJudges ? this.kind : "cpu";
    return { info: { name: "fake", method: "dc4sr", items: 1, width: 1, maxLen: 1 }, scorer };
  }

  async recommend(history: string[]) {
    this.asked.push(history);
    if (this.failing) throw this.failing;
    await sleep(this.#ms);
    return ["best", "second"].map((item) => ({ item, score: 1, probability: 1 }));
  }

  async explain() {
    return [{ item: "a", known: true, noise: 0, keep: 1 }];
  }

  async adapt() {
    return new Float32Array();
  }

  async similar() {
    return [{ item: this.kind, score: 1 }];
  }

  async items() {
    return ["a"];
  }

  dispose() {
    this.disposed = true;
  }
}

/** A bundle of nothing. */
const BUNDLE: EnginesHost["bundle"] = {
  open: async () => ({ manifest: new Uint8Array(), entries: [], files: new Map(), signed: null }),
  accept: async () => {},
  refuse: async () => false,
};

interface Setup extends Partial<Pick<EnginesHost, "choice" | "general" | "gpuJudges" | "checkGpu" | "bundle" | "verdicts">> {
  open?: (kind: EngineKind, nth: number, build: EngineBuild) => FakeEngine;
}

function start({ open = (kind) => new FakeEngine(kind, 1), ...host }: Setup = {}) {
  const opened: Record<EngineKind, FakeEngine[]> = { cpu: [], gpu: [] };
  const builds: EngineBuild[] = [];
  const errors: string[] = [];
  const engines = new Engines({
    choice: "auto",
    general: false,
    gpuJudges: false,
    open: async (build) => {
      const kind = kindOf(build);
      const engine = open(kind, opened[kind].length, build);
      builds.push(build);
      opened[kind].push(engine);
      return engine;
    },
    wasm: async () => "unused",
    bundle: BUNDLE,
    checkGpu: async () => ({ usable: true, gpu: "a fake" }),
    verdicts: { recall: async () => undefined, keep: async () => {} },
    onChange: () => {},
    onError: ({ code }) => errors.push(code),
    signal: new AbortController().signal,
    ...host,
  });
  const ask = async () => (await engines.ask((engine) => engine.recommend([], { k: 1, exclude: [], includeSeen: false }))).by;
  return { engines, opened, builds, errors, ask };
}

const broken = (code: "engine/failed" | "device/lost" | "bundle/hash" | "bundle/http" | "bundle/tensor" | "engine/blocked") => new IngleError(code, code);
const failing = (engine: FakeEngine, code: Parameters<typeof broken>[0]) => Object.assign(engine, { failing: broken(code) });

test("answers from the CPU while the GPU is still loading", async () => {
  const { ask, engines } = start({ checkGpu: () => new Promise(() => {}) });
  equal(await ask(), "cpu");
  equal(engines.gpu.state.state, "waiting");
});

test("says of each engine what judges clicks: the processor, or the GPU where that was asked for", async () => {
  for (const gpuJudges of [false, true]) {
    const { engines } = start({ gpuJudges });
    await until(() => [engines.cpu, engines.gpu].every(({ state }) => "loadMs" in state), "both have loaded");
    const scorers = [engines.cpu, engines.gpu].map(({ state }) => ("scorer" in state ? state.scorer : undefined));
    equal(scorers, ["cpu", gpuJudges ? "gpu" : "cpu"]);
  }
});

test("moves to the GPU once it has proved faster, and keeps the CPU", async () => {
  const { ask, engines, opened } = start({ open: (kind) => new FakeEngine(kind, kind === "cpu" ? 15 : 1) });
  await until(() => engines.active === "gpu", "the GPU answers");
  equal(await ask(), "gpu");
  equal(opened.cpu[0]?.disposed, false);
  ok("medianMs" in engines.cpu.state && "medianMs" in engines.gpu.state, "both were timed");
});

test("stays on the CPU and lets a slower GPU go", async () => {
  const { ask, engines, opened } = start({ open: (kind) => new FakeEngine(kind, kind === "gpu" ? 15 : 1) });
  await until(() => engines.gpu.state.state === "slower", "the GPU lost");
  equal([await ask(), opened.gpu[0]?.disposed], ["cpu", true]);
});

test("both are warmed up and timed on the bundle's most popular items, whatever the shopper did", async () => {
  const { engines, opened } = start({ open: (kind) => new FakeEngine(kind, kind === "cpu" ? 15 : 1) });
  await until(() => engines.active === "gpu", "both were timed");
  for (const engine of [opened.cpu[0], opened.gpu[0]]) {
    const histories = engine?.asked.map((history) => history.join()) ?? [];
    equal([...new Set(histories)], ["", "best,second"]);
    ok(histories.filter(Boolean).length > 2, "it was timed");
  }
});

test("both are timed once on a device: the verdict is kept, and a GPU that lost is not even loaded again", async () => {
  for (const faster of ["cpu", "gpu"] as const) {
    let kept: string | undefined;
    const verdicts = { recall: async () => undefined, keep: async (gpu: string, kind: EngineKind) => void (kept = `${gpu}: ${kind}`) };
    const { engines } = start({ verdicts, open: (kind) => new FakeEngine(kind, kind === faster ? 1 : 15) });
    await until(() => kept !== undefined, "both were timed");
    equal([kept, engines.active], [`a fake: ${faster}`, faster]);

    const again = { recall: async () => faster, keep: () => Promise.reject(new Error("timed again")) };
    const later = start({ verdicts: again, open: (kind) => new FakeEngine(kind, 15) });
    await until(() => later.engines.active === faster && later.engines.gpu.state.state !== "waiting", "the verdict is known");
    equal(later.opened.gpu.length, faster === "gpu" ? 1 : 0);
    if (faster === "cpu") ok("code" in later.engines.gpu.state && later.engines.gpu.state.code === "gpu/slower", "with the reason");
  }
});

test("forced, the GPU answers from the first call on, however slow", async () => {
  const { ask } = start({ choice: "gpu", open: (kind) => new FakeEngine(kind, kind === "gpu" ? 15 : 1) });
  equal(await ask(), "gpu");
});

test("a GPU that is refused leaves the CPU answering, with the reason in its state", async () => {
  const refusal = { usable: false, state: "refused", code: "gpu/software", reason: "software" } as const;
  const { ask, engines, opened } = start({ choice: "gpu", checkGpu: async () => refusal });
  equal(await ask(), "cpu");
  equal(engines.gpu.state, { state: "refused", code: "gpu/software", reason: "software" });
  equal(opened.gpu.length, 0);
});

test("a GPU that dies over a question leaves the CPU to answer that very question", async () => {
  const { ask, opened, engines, errors } = start({ choice: "gpu" });
  equal(await ask(), "gpu");
  failing(opened.gpu[0] as FakeEngine, "device/lost");
  equal(await ask(), "cpu");
  equal(errors, ["device/lost"]);
  await until(() => engines.gpu.state.state === "ready", "the second life");
  equal(await ask(), "gpu");
  equal(opened.gpu.length, 2);
});

test("a GPU that dies twice is retired", async () => {
  const { ask, opened, engines } = start({ choice: "gpu" });
  await engines.ready();
  opened.gpu[0]?.onDeath?.(broken("engine/failed"));
  await until(() => opened.gpu.length === 2 && engines.gpu.state.state === "ready", "the second life");
  opened.gpu[1]?.onDeath?.(broken("engine/failed"));
  equal(await ask(), "cpu");
  await sleep(20);
  equal([engines.gpu.state.state, opened.gpu.length], ["retired", 2]);
});

test("a GPU that cannot start is tried twice and no more", async () => {
  const { ask, opened, engines } = start({ choice: "gpu", open: (kind) => (kind === "gpu" ? failing(new FakeEngine(kind, 1), "device/lost") : new FakeEngine(kind, 1)) });
  equal(await ask(), "cpu");
  equal([opened.gpu.length, engines.gpu.state.state], [2, "retired"]);
  ok(opened.gpu.every(({ disposed }) => disposed), "neither is left running");
});

test("one death is one failure, whoever reports it", async () => {
  const { opened, engines, errors } = start({ choice: "gpu" });
  await engines.ready();
  const [gpu] = opened.gpu as [FakeEngine];
  gpu.failing = broken("engine/failed");
  const questions = [1, 2, 3].map(() => engines.ask((engine) => engine.recommend([], { k: 1, exclude: [], includeSeen: false })));
  gpu.onDeath?.(broken("engine/failed"));
  equal((await Promise.all(questions)).map(({ by }) => by), ["cpu", "cpu", "cpu"]);
  equal(errors, ["engine/failed"]);
});

test("a CPU that dies answers the same question in its second life", async () => {
  const { ask, opened } = start({ choice: "cpu", checkGpu: async () => ({ usable: false, state: "off" }) });
  await ask();
  failing(opened.cpu[0] as FakeEngine, "engine/failed");
  equal([await ask(), opened.cpu.length], ["cpu", 2]);
});

test("on the page's own thread there is no second life", async () => {
  const { ask, opened, engines } = start({ choice: "cpu", checkGpu: async () => ({ usable: false, state: "off" }), open: (kind) => new FakeEngine(kind, 1, "main") });
  await ask();
  failing(opened.cpu[0] as FakeEngine, "engine/failed");
  equal(await codeOf(ask()), "engine/failed");
  equal([opened.cpu.length, engines.cpu.state.state], [1, "retired"]);
});

test("a bad bundle is told at once, and neither retried nor tried on the GPU", async () => {
  for (const code of ["bundle/http", "engine/blocked"] as const) {
    const { engines, opened } = start({ open: (kind) => failing(new FakeEngine(kind, 1), code) });
    equal(await codeOf(engines.ready()), code);
    equal([opened.cpu.length, opened.gpu.length], [1, 0]);
    equal(engines.gpu.state.state, "refused");
  }
});

test("a bundle that an engine refuses is opened again while there is another to try, and accepted once it works", async () => {
  const told: string[] = [];
  const bundle: EnginesHost["bundle"] = { ...BUNDLE, accept: async () => void told.push("accepted"), refuse: async ({ code }) => told.push(code) < 3 };
  const damaged = new FakeEngine("cpu", 1);
  damaged.load = async () => {
    if (told.length < 2) throw broken("bundle/tensor");
    return { info: { name: "fake", method: "dc4sr", items: 1, width: 1, maxLen: 1 }, scorer: "cpu" };
  };
  const { ask } = start({ choice: "cpu", checkGpu: async () => ({ usable: false, state: "off" }), bundle, open: () => damaged });
  equal([await ask(), told], ["cpu", ["bundle/tensor", "bundle/tensor", "accepted"]]);
  told.length = 0;
  const hopeless = start({ choice: "cpu", bundle, open: (kind) => failing(new FakeEngine(kind, 1), "bundle/hash") });
  equal(await codeOf(hopeless.engines.ready()), "bundle/hash");
  equal(told, ["bundle/hash", "bundle/hash", "bundle/hash"]);
});

test("the GPU answers where the CPU engine cannot be had", async () => {
  const { ask } = start({ open: (kind) => (kind === "cpu" ? failing(new FakeEngine(kind, 1), "engine/failed") : new FakeEngine(kind, 1)) });
  equal(await ask(), "gpu");
});

test("an aborted question leaves the engines alone", async () => {
  const { engines, opened } = start({ choice: "cpu", checkGpu: async () => ({ usable: false, state: "off" }), open: (kind) => new FakeEngine(kind, 1) });
  await engines.ready();
  const signal = AbortSignal.abort(new Error("moved on"));
  const asked = engines.ask(async () => signal.throwIfAborted(), signal);
  equal(await asked.catch(({ message }: Error) => message), "moved on");
  equal([engines.active, opened.cpu.length], ["cpu", 1]);
});

test("starts the general engine on both where it was asked for", async () => {
  const { builds, engines } = start({ general: true });
  await until(() => engines.active === "gpu" || engines.gpu.state.state === "slower", "both were timed");
  equal(builds, ["burn-cpu", "burn-gpu"]);
  ok("build" in engines.cpu.state && engines.cpu.state.build === "burn-cpu", "the state says so");
});

test("a general engine that traps twice leaves the answers to the small one", async () => {
  const open = (kind: EngineKind, _: number, build: EngineBuild) => (build === "burn-cpu" ? failing(new FakeEngine(kind, 1), "engine/failed") : new FakeEngine(kind, 1));
  const { ask, builds, errors, engines } = start({ general: true, choice: "cpu", checkGpu: async () => ({ usable: false, state: "off" }), open });
  equal(await ask(), "cpu");
  equal(builds, ["burn-cpu", "burn-cpu", "cpu"]);
  equal(errors, ["engine/failed", "engine/failed"]);
  ok("build" in engines.cpu.state && engines.cpu.state.build === "cpu", "the state says so");
});

test("a general engine that refuses the bundle leaves it to the small one, and that one's word counts", async () => {
  const open = (kind: EngineKind) => failing(new FakeEngine(kind, 1), "bundle/tensor");
  const { ask, builds, engines } = start({ general: true, choice: "cpu", checkGpu: async () => ({ usable: false, state: "off" }), open });
  equal(await codeOf(ask()), "bundle/tensor");
  equal([builds, engines.cpu.state.state], [["burn-cpu", "cpu"], "retired"]);
});
