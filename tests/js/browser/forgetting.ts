/**
 * The table of forgetting: every consent, every situation and everything that a shopper can do about the history,
 * each combination a cell. After each: what is gone is nowhere that a page can read, in no tab's memory and in no
 * later visit, what stays is there once, and what may not be recorded is not.
 */

import { sleep } from "../check.js";
import type { Site } from "../golden.js";
import type { Consent } from "../../../js/types.js";
import { type Action, ACTIONS, after, type Cell, gone, kept, type Known, type Outcome, type Rest, type Steps } from "./cells.js";
import { type AnyContext, type AnyTab, Visitor } from "./harness.js";

/** What the shopper allows, and the page that has it: the browser of the last one asks for privacy. */
const CONSENTS = {
  "with consent": { consent: "granted", path: "/" },
  "for the session": { consent: "session", path: "/" },
  "where consent is denied": { consent: "denied", path: "/" },
  "under Global Privacy Control": { consent: "granted", path: "/private" },
} as const;

const OUTCOMES: Record<Action, string> = {
  "forget an item": "a forgotten item is nowhere",
  "forget everything": "nothing is left of a forgotten history",
  pause: "a pause takes nothing in",
  withdraw: "a withdrawal leaves nothing",
  "let an item grow too old": "what is too old is nowhere",
};

/** A browser as this needs one. */
export interface Windows {
  name: "Chromium" | "Firefox";
  context(): Promise<AnyContext<AnyTab>>;
}

/** Cells that go through a situation together, in the same tabs. */
export interface Group {
  situation: string;
  cells: { cell: Cell; sentence: string }[];
  /** Resolves with what went wrong, by cell. */
  run(windows: Windows, site: Site): Promise<Map<string, string[]>>;
}

/** The whole table for a browser, in groups. */
export function groups(browser: Windows["name"]): Group[] {
  const found: Group[] = [];
  let number = 0;
  for (const [situation, { play, alone = false, only }] of Object.entries(SITUATIONS)) {
    if (only && only !== browser) continue;
    for (const path of ["/", "/private"]) {
      // Where Firefox brings back the page itself, its driver at times never answers again; the other acts have it loaded anew.
      const acts = alone && browser === "Firefox" && process.env["FORGETTING"] !== "all" ? ACTIONS.filter((action) => action !== "let an item grow too old") : ACTIONS;
      for (const actions of alone ? acts.map((action) => [action]) : [acts]) {
        const cells = Object.entries(CONSENTS)
          .filter(([, allowed]) => allowed.path === path)
          .flatMap(([words, { consent }]) => actions.map((action) => ({ cell: { id: String(number++).padStart(3, "0"), consent, action } as Cell, sentence: `${words}, ${situation}, ${OUTCOMES[action]}` })));
        found.push({ situation, cells, run: (windows, site) => stage(windows, site, path, cells.map(({ cell }) => cell), play) });
      }
    }
  }
  return found;
}

async function stage(windows: Windows, site: Site, path: string, cells: Cell[], play: Play, isAgain = false): Promise<Map<string, string[]>> {
  const scene = new Scene(windows.name, await windows.context(), site, path, cells);
  try {
    await play(scene);
  } catch (error) {
    if (!isAgain && scene.failures.size === 0 && isDrivers(error)) {
      await Promise.race([scene.end().catch(() => {}), sleep(10_000)]);
      return stage(windows, site, path, cells, play, true);
    }
    for (const cell of cells) scene.wrong(cell, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  await scene.end();
  return scene.failures;
}

/** What goes wrong between a test and its browser, as a tab that Firefox's driver loses, says nothing of the page: the group is played once more. */
function isDrivers(error: unknown): boolean {
  return error instanceof Error && ["ProtocolError", "TimeoutError"].includes(error.name);
}

type Play = (scene: Scene) => Promise<void>;

/** One visitor's tabs, and what is found wrong in them. */
class Scene {
  readonly failures = new Map<string, string[]>();
  readonly browser: Windows["name"];
  readonly cells: Cell[];
  readonly #context: AnyContext<AnyTab>;
  readonly #site: Site;
  readonly #path: string;
  readonly #errors: string[] = [];
  readonly #tabs: Visitor[] = [];

  constructor(browser: Windows["name"], context: AnyContext<AnyTab>, site: Site, path: string, cells: Cell[]) {
    this.browser = browser;
    this.#context = context;
    this.#site = site;
    this.#path = path;
    this.cells = cells;
  }

  /** What a recommender of this cell allows, which the browser may have lowered. */
  allowed({ consent }: Cell): Consent {
    return consent === "granted" && this.#path === "/private" ? "session" : consent;
  }

  async tab(path = this.#path): Promise<Visitor> {
    const tab = await Visitor.visit(this.#context, this.#site, path, this.#errors);
    this.#tabs.push(tab);
    return tab;
  }

  /** The address of a page like the others. */
  address(name: string): string {
    return new URL(`${this.#path}?${name}`, this.#site.url).href;
  }

  async closeAll(): Promise<void> {
    for (const tab of this.#tabs.splice(0)) await tab.tab.close();
  }

  wrong(cell: Cell, what: string): void {
    this.failures.set(cell.id, [...(this.failures.get(cell.id) ?? []), what]);
  }

  same(cell: Cell, got: unknown, want: unknown, what: string): void {
    if (JSON.stringify(got) !== JSON.stringify(want)) this.wrong(cell, `${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);
  }

  /** Does a step for cells, checks what comes of it, and says what that is by cell. */
  async step<K extends keyof Steps>(tab: Visitor, step: K, rest: (cell: Cell) => unknown[], want?: (cell: Cell) => unknown, cells = this.cells): Promise<Map<Cell, unknown>> {
    const outcomes = (await tab.call("step", step, cells.map((cell): [Cell, ...unknown[]] => [cell, ...rest(cell)]))) as Outcome<unknown>[];
    cells.forEach((cell, n) => {
      const outcome = outcomes[n]!;
      if ("error" in outcome) this.wrong(cell, `${step}: ${outcome.error}`);
      else if (want) this.same(cell, outcome.value, want(cell), step);
    });
    return new Map(cells.map((cell, n) => [cell, (outcomes[n] as { value?: unknown }).value]));
  }

  begin(tab: Visitor, consent?: (cell: Cell) => Consent): Promise<unknown> {
    return this.step(tab, "begin", (cell) => (consent ? [consent(cell)] : []));
  }

  /** The shopper looks at both items. */
  look(tab: Visitor): Promise<unknown> {
    return this.step(tab, "look", () => [], (cell) => this.allowed(cell) !== "denied");
  }

  /** Does what the table is about; every erasure fails where storage does. */
  act(tab: Visitor, broken = false): Promise<unknown> {
    const erases = ({ action }: Cell): boolean => ["forget an item", "forget everything", "withdraw"].includes(action);
    return this.step(tab, "act", () => [], (cell) => (broken && erases(cell) ? "storage/erase" : undefined));
  }

  /** Records one more item from a tab, which has to be refused where recording has ended. */
  more(tab: Visitor, name: string, may: (cell: Cell) => boolean = (cell) => this.records(cell)): Promise<unknown> {
    return this.step(tab, "record", (cell) => [after(cell, name)], may);
  }

  /** A tab knows both items before anything is done; one may be as good as too old by now. */
  knowsBoth(tab: Visitor): Promise<void> {
    const cells = this.cells.filter(({ action }) => action !== "let an item grow too old");
    const both = (cell: Cell): string[] => (this.allowed(cell) === "denied" ? [] : [gone(cell), kept(cell)]);
    return this.#knows(tab, both, {}, cells);
  }

  /** A tab knows what is left, and nothing else, by every way to ask. */
  async knowsLeft(tab: Visitor, { more = [], left = (cell) => this.left(cell, ...more), stored, state = true, unerased }: Left = {}): Promise<void> {
    await this.#knows(tab, left, { stored, state, unerased });
  }

  /** What is left in memory, with what these tabs recorded afterwards. */
  left(cell: Cell, ...tabs: string[]): string[] {
    if (this.allowed(cell) === "denied") return [];
    const rest: Record<Action, string[]> = {
      "forget an item": [kept(cell)],
      "forget everything": [],
      pause: [gone(cell), kept(cell)],
      withdraw: [],
      "let an item grow too old": [kept(cell)],
    };
    return [...rest[cell.action], ...(this.records(cell) ? tabs.map((tab) => after(cell, tab)) : [])].sort();
  }

  /** Whether anything may be recorded after what was done. */
  records(cell: Cell): boolean {
    return this.allowed(cell) !== "denied" && cell.action !== "pause" && cell.action !== "withdraw";
  }

  /** What is left on the device. */
  onDevice(cell: Cell, ...tabs: string[]): string[] {
    return this.allowed(cell) === "granted" ? this.left(cell, ...tabs) : [];
  }

  /** Whatever a page can read has these items, each once, and none of the others. */
  async readable(tab: Visitor, wanted: (cell: Cell) => string[]): Promise<void> {
    const text = await tab.call("readable");
    for (const cell of this.cells) {
      const found = text.match(new RegExp(`(gone|kept|after)\\.${cell.id}\\.(\\w\\.)?`, "g")) ?? [];
      this.same(cell, [...found].sort(), [...wanted(cell)].sort(), "what a page can read");
      if (text.includes(`ingle:${cell.id}:`)) this.wrong(cell, `a note is left: ${text.slice(text.indexOf(`ingle:${cell.id}:`), 60)}`);
    }
  }

  /** Everything is closed; a later visit, with consent, finds what the device has. */
  async later(wanted: (cell: Cell) => string[], paused?: (cell: Cell) => boolean): Promise<void> {
    await this.closeAll();
    const tab = await this.tab("/");
    await this.begin(tab, () => "granted");
    await this.#knows(tab, wanted, { granted: true, paused });
    await this.readable(tab, wanted);
  }

  async end(): Promise<void> {
    await this.#context.close();
    for (const error of this.#errors) for (const cell of this.cells) this.wrong(cell, `uncaught: ${error}`);
  }

  async #knows(tab: Visitor, wanted: (cell: Cell) => string[], { stored, state, granted, paused, unerased }: More, cells = this.cells): Promise<void> {
    const lowered = (cell: Cell): { consent?: Consent; paused?: boolean } => ({
      ...(state && cell.action === "withdraw" && { consent: "denied" as const }),
      ...(state && cell.action === "pause" && { paused: true }),
      ...(paused && { paused: paused(cell) }),
    });
    const asked = (cell: Cell): Rest<"know"> => [wanted(cell), lowered(cell)];
    const outcomes = (await tab.call("step", "know", cells.map((cell): [Cell, ...unknown[]] => [cell, ...asked(cell)]))) as Outcome<Known>[];
    cells.forEach((cell, n) => {
      const outcome = outcomes[n]!;
      if ("error" in outcome) return this.wrong(cell, `know: ${outcome.error}`);
      const { value: known } = outcome;
      const want = [...wanted(cell)].sort();
      for (const way of ["history", "explained", "recent"] as const) this.same(cell, known[way], want, way);
      this.same(cell, known.stored, stored ? [...stored(cell)].sort() : [], "stored");
      this.same(cell, known.unerased, unerased?.(cell) ?? false, "unerased");
      const { consent = granted ? "granted" : state ? this.allowed(cell) : known.consent, paused = known.paused } = lowered(cell);
      this.same(cell, [known.consent, known.paused], [consent, paused], "consent and pause");
    });
  }
}

interface More {
  stored?: ((cell: Cell) => string[]) | undefined;
  state?: boolean;
  granted?: boolean;
  paused?: ((cell: Cell) => boolean) | undefined;
  unerased?: ((cell: Cell) => boolean) | undefined;
}

interface Left extends Omit<More, "granted" | "paused"> {
  /** The tabs that recorded one more item. */
  more?: string[];
  left?: (cell: Cell) => string[];
}

/** A pause that was stored holds on later visits. */
const staysPaused = ({ consent, action }: Cell): boolean => consent === "granted" && action === "pause";

interface Situation {
  play: Play;
  /** What one cell does to a page it does to the others in it: each action has tabs of its own. */
  alone?: boolean;
  only?: Windows["name"];
}

const SITUATIONS: Record<string, Situation> = {
  "in one tab": {
    async play(scene) {
      const a = await scene.tab();
      await scene.begin(a);
      await scene.look(a);
      await scene.knowsBoth(a);
      await scene.act(a);
      await scene.more(a, "a");
      await scene.knowsLeft(a, { more: ["a"] });
      await scene.readable(a, (cell) => scene.onDevice(cell, "a"));
      await scene.later((cell) => scene.onDevice(cell, "a"), (cell) => scene.allowed(cell) === "granted" && staysPaused(cell));
    },
  },

  "in three tabs": {
    async play(scene) {
      const tabs = { a: await scene.tab(), b: await scene.tab(), c: await scene.tab() };
      for (const tab of Object.values(tabs)) await scene.begin(tab);
      await scene.look(tabs.a);
      await Promise.all(Object.values(tabs).map((tab) => scene.knowsBoth(tab)));
      await scene.act(tabs.b);
      await Promise.all(Object.values(tabs).map((tab) => scene.knowsLeft(tab)));
      for (const [name, tab] of Object.entries(tabs)) await scene.more(tab, name);
      const names = Object.keys(tabs);
      await Promise.all(Object.values(tabs).map((tab) => scene.knowsLeft(tab, { more: names })));
      await scene.readable(tabs.c, (cell) => scene.onDevice(cell, ...names));
      await scene.later((cell) => scene.onDevice(cell, ...names));
    },
  },

  "with a tab away in the back-forward cache": {
    alone: true,
    async play(scene) {
      const [a, b] = [await scene.tab(), await scene.tab()];
      for (const tab of [a, b]) await scene.begin(tab);
      await scene.look(a);
      await scene.knowsBoth(b);
      await scene.step(a, "settle", () => []);
      await a.tab.goto(scene.address("away"));
      await scene.act(b);
      await scene.more(b, "b");
      await comeBack(scene, a);
      await scene.knowsLeft(a, { more: ["b"] });
      await scene.more(a, "a");
      for (const tab of [a, b]) await scene.knowsLeft(tab, { more: ["a", "b"] });
      await scene.readable(b, (cell) => scene.onDevice(cell, "a", "b"));
      await scene.later((cell) => scene.onDevice(cell, "a", "b"));
    },
  },

  "on the page after the one that was left": {
    alone: true,
    async play(scene) {
      const a = await scene.tab();
      await scene.begin(a);
      await scene.look(a);
      await scene.step(a, "settle", () => []);
      await a.tab.goto(scene.address("next"));
      await a.loaded();
      await scene.begin(a);
      await scene.act(a);
      await scene.more(a, "b");
      // What the page before had is dropped with it, unless nothing was done; there is no other tab to ask.
      const dropped = await comeBack(scene, a, ({ consent, action }) => (action === "withdraw" ? "denied" : consent));
      const left = (cell: Cell): string[] => (scene.allowed(cell) === "granted" ? scene.left(cell, "b") : dropped ? [] : scene.left(cell));
      await scene.knowsLeft(a, { left, state: false });
      await scene.readable(a, (cell) => scene.onDevice(cell, "b"));
      await scene.later((cell) => scene.onDevice(cell, "b"));
    },
  },

  "with a tab frozen in the background": {
    only: "Chromium",
    async play(scene) {
      const [a, b] = [await scene.tab(), await scene.tab()];
      for (const tab of [a, b]) await scene.begin(tab);
      await scene.look(a);
      await scene.knowsBoth(b);
      await scene.step(a, "askOnThaw", () => []);
      const session = await (a.tab as unknown as { createCDPSession(): Promise<{ send(method: string, options: object): Promise<void> }> }).createCDPSession();
      await session.send("Page.setWebLifecycleState", { state: "frozen" });
      await scene.act(b);
      await scene.more(b, "b");
      await session.send("Page.setWebLifecycleState", { state: "active" });
      await scene.step(a, "answeredOnThaw", () => [], (cell) => scene.left(cell, "b"));
      await scene.knowsLeft(a, { more: ["b"] });
      await scene.more(a, "a");
      for (const tab of [a, b]) await scene.knowsLeft(tab, { more: ["a", "b"] });
      await scene.readable(b, (cell) => scene.onDevice(cell, "a", "b"));
      await scene.later((cell) => scene.onDevice(cell, "a", "b"));
    },
  },

  "on a page that opened for the session after a visit with consent": {
    async play(scene) {
      const before = await scene.tab("/");
      await scene.begin(before, () => "granted");
      await scene.step(before, "look", () => [], () => true);
      await scene.closeAll();
      const a = await scene.tab();
      const granted = ({ consent }: Cell): boolean => consent === "granted" && scene.allowed({ consent } as Cell) === "granted";
      await scene.begin(a, ({ consent }) => (consent === "denied" ? "denied" : "session"));
      await scene.step(a, "consent", () => ["granted"], undefined, scene.cells.filter(granted));
      await scene.act(a);
      await scene.more(a, "a");
      const onDevice = (cell: Cell): string[] => (granted(cell) ? scene.left(cell, "a") : scene.left(cell));
      const inMemory = (cell: Cell): string[] => (granted(cell) ? scene.left(cell, "a") : scene.records(cell) ? [after(cell, "a")] : []);
      await scene.knowsLeft(a, { left: inMemory, stored: (cell) => (granted(cell) ? [] : onDevice(cell)) });
      await scene.readable(a, onDevice);
      await scene.later(onDevice, (cell) => granted(cell) && staysPaused(cell));
    },
  },

  "in a tab that opens later": {
    async play(scene) {
      const a = await scene.tab();
      await scene.begin(a);
      await scene.look(a);
      await scene.act(a);
      await scene.more(a, "a");
      const b = await scene.tab();
      await scene.begin(b);
      await scene.knowsLeft(b, { more: ["a"] });
      await scene.more(b, "b");
      for (const tab of [a, b]) await scene.knowsLeft(tab, { more: ["a", "b"] });
      await scene.readable(b, (cell) => scene.onDevice(cell, "a", "b"));
      await scene.later((cell) => scene.onDevice(cell, "a", "b"));
    },
  },

  "with storage that fails": {
    async play(scene) {
      const a = await scene.tab();
      await scene.begin(a);
      await scene.look(a);
      await scene.knowsBoth(a);
      await a.call("breakStorage");
      await scene.act(a, true);
      await scene.more(a, "a");
      const erases = ({ action }: Cell): boolean => action !== "pause" && action !== "let an item grow too old";
      // `stored` cannot be read either, so it is not asked for here.
      await scene.step(a, "act", () => [], (cell) => (erases(cell) ? "storage/erase" : undefined), scene.cells.filter(erases));
      await scene.step(a, "remembers", () => [], (cell) => [cell.action === "forget an item" || cell.action === "forget everything" ? scene.left(cell, ...(cell.action === "forget everything" ? [] : ["a"])) : scene.left(cell, "a"), erases(cell)]);
      await scene.later((cell) => scene.onDevice(cell));
    },
  },

  "with a look in progress": {
    async play(scene) {
      const [b, a] = [await scene.tab(), await scene.tab()];
      for (const tab of [b, a]) await scene.begin(tab);
      const old = scene.cells.filter(({ action }) => action === "let an item grow too old");
      const others = scene.cells.filter((cell) => !old.includes(cell));
      const denied = (cell: Cell): boolean => scene.allowed(cell) !== "denied";
      await scene.step(a, "look", () => [], denied, old);
      await (a.tab as unknown as { bringToFront(): Promise<void> }).bringToFront();
      await scene.step(a, "show", (cell) => [gone(cell)], undefined, others);
      await scene.step(a, "show", (cell) => [kept(cell)], undefined, old);
      await scene.step(a, "record", (cell) => [kept(cell)], denied, others);
      await scene.knowsBoth(b);
      await scene.act(a);
      const paused = scene.cells.filter(({ action }) => action === "pause");
      const dwells = await scene.step(a, "dwells", () => [], undefined, paused);
      await a.tab.goto(scene.address("left"));
      await a.loaded();
      await sleep(500);
      await scene.knowsLeft(b);
      await scene.step(b, "dwells", () => [], (cell) => dwells.get(cell), paused);
      await scene.readable(b, (cell) => scene.onDevice(cell));
      await scene.later((cell) => scene.onDevice(cell));
    },
  },
};

/** Goes back; a page that was dropped is loaded anew, and the shop's code runs again. Says whether it was. */
async function comeBack(scene: Scene, tab: Visitor, consent: (cell: Cell) => Consent = ({ consent }) => consent): Promise<boolean> {
  await tab.goBack();
  await tab.loaded();
  const dropped = !(await tab.call("hasBegun"));
  const keeps = scene.cells.every(({ action }) => action === "let an item grow too old");
  // A page that nobody told anything is the one that was left, unless Firefox has kept enough others since.
  if (keeps ? dropped && scene.browser === "Chromium" : !dropped) for (const cell of scene.cells) scene.wrong(cell, dropped ? "the page was not kept" : "the page was kept in spite of what it was told");
  if (dropped) await scene.begin(tab, consent);
  return dropped;
}
