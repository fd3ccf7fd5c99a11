// When a page learns, and what it does if an engine fails at it: with an engine that fails and lags on cue.

import { test } from "node:test";
import { type Adapter, Learner, type LearnerHost } from "../../../js/answers/learner.js";
import type { EngineClient } from "../../../js/engine/engine.js";
import type { HistoryEvent } from "../../../js/types.js";
import { equal, ok, sleep, until } from "../check.js";

const LEARNING = { bundle: "b", clicks: 2, width: 1 };

/** A page with one engine, and all that it was asked and told. */
class Page implements LearnerHost {
  items: string[] = [];
  /** The histories that were learnt from. */
  readonly asked: string[][] = [];
  readonly previous: (number[] | undefined)[] = [];
  readonly kept: (Adapter | undefined)[] = [];
  changes = 0;
  /** What learning waits for. */
  gate: Promise<void> = Promise.resolve();
  failing = false;
  stored: unknown;
  readonly life = new AbortController();
  readonly #engine = { learning: LEARNING, adapt: (items: string[], previous?: Float32Array) => this.#adapt(items, previous) } as unknown as EngineClient;

  async read() {
    return { events: this.items.map((item, at): HistoryEvent => ({ item, type: "view", at })), items: [...this.items] };
  }

  /** As the engines do: the other one, or the same again, gets the question if the first fails. */
  async ask<T>(question: (engine: EngineClient) => Promise<T>): Promise<T> {
    return question(this.#engine).catch(() => question(this.#engine));
  }

  recall = async () => this.stored;
  keep = async (adapter: Adapter | undefined) => void this.kept.push(adapter);
  onChange = () => void this.changes++;

  async #adapt(items: string[], previous: Float32Array | undefined): Promise<Float32Array> {
    this.asked.push(items);
    this.previous.push(previous && [...previous]);
    await this.gate;
    if (this.failing) throw new Error("lost");
    return new Float32Array([items.length, 0]);
  }

  learner(): Learner {
    return new Learner(this, this.life.signal);
  }
}

const vector = (learner: Learner): number[] | undefined => {
  const adapter = learner.of({ learning: LEARNING });
  return adapter && [...adapter.vector];
};

test("it learns once from each history, after it has been quiet", async () => {
  const page = new Page();
  const learner = page.learner();
  await learner.begin(LEARNING);
  for (const item of ["a", "b", "c"]) {
    page.items.push(item);
    learner.see(page.items);
  }
  await until(() => learner.clicks === 3, "learnt");
  learner.see(page.items);
  await sleep(600);
  equal([page.asked, vector(learner), page.kept.map((kept) => kept?.items)], [[["a", "b", "c"]], [3, 0], [["a", "b", "c"]]]);
});

test("what was learnt from is not learnt from again on the next visit, unless it has changed", async () => {
  const page = new Page();
  page.stored = { bundle: "b", items: ["a", "b"], vector: new Float32Array([7, 0]) };
  page.items = ["a", "b"];
  const learner = page.learner();
  await learner.recalled;
  equal([vector(learner), learner.clicks], [[7, 0], 0], "used at once, told of when an engine is there");
  await learner.begin(LEARNING);
  equal(learner.clicks, 2);
  learner.see(page.items);
  await sleep(600);
  equal(page.asked, []);
  page.items = ["a", "b", "c"];
  learner.see(page.items);
  await until(() => learner.clicks === 3, "learnt anew");
  equal(page.previous, [[7, 0]]);
});

test("what is forgotten while it learns does not come back", async () => {
  const page = new Page();
  page.items = ["a", "b", "c"];
  let open = (): void => {};
  page.gate = new Promise<void>((resolve) => (open = resolve));
  const learner = page.learner();
  await learner.begin(LEARNING);
  learner.see(page.items);
  await until(() => page.asked.length === 1, "it learns");
  page.items = ["a", "b"];
  learner.forget();
  open();
  await until(() => learner.clicks === 2, "learnt from what is left");
  ok(page.kept.every((kept) => !kept?.items.includes("c")), "never stored");
});

test("an engine that fails is asked once, and what was learnt before stays in use", async () => {
  const page = new Page();
  page.items = ["a", "b"];
  const learner = page.learner();
  await learner.begin(LEARNING);
  learner.see(page.items);
  await until(() => learner.clicks === 2, "learnt");
  page.failing = true;
  page.items = ["a", "b", "c"];
  learner.see(page.items);
  await until(() => page.asked.length === 2, "asked");
  page.items = ["a", "b", "c", "d"];
  learner.see(page.items);
  await sleep(600);
  equal([page.asked.length, vector(learner)], [2, [2, 0]]);
});

test("too few clicks teach nothing, and a bundle without an adapter deletes what another one taught", async () => {
  const page = new Page();
  page.items = ["a"];
  const learner = page.learner();
  await learner.begin(LEARNING);
  learner.see(page.items);
  await sleep(600);
  equal([page.asked, learner.clicks], [[], 0]);
  const other = new Page();
  other.stored = { bundle: "old", items: ["a", "b"], vector: new Float32Array([7, 0]) };
  other.items = ["a", "b"];
  const without = other.learner();
  await without.begin(undefined);
  without.see(other.items);
  await sleep(600);
  equal([other.kept, other.asked, without.clicks], [[undefined], [], 0]);
});

test("it ends with the page", async () => {
  const page = new Page();
  page.items = ["a", "b"];
  const learner = page.learner();
  await learner.begin(LEARNING);
  learner.see(page.items);
  page.life.abort();
  await sleep(600);
  equal(page.asked, []);
});
