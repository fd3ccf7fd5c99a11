/** The shop's one recommender: follows its events, asks it again after every click, and times the answers. */

import type { Consent, EngineChoice, Explanation, IngleError, Learnt, Progress, Recommendation, Recommender, Status } from "ingle";
import { createRecommender } from "ingle";

/** The bundle's folder on this same server. */
export const BUNDLE = "/bundle/";
/** How many products the first shelf holds. */
export const SHELF = 8;

/** What the page shows of the recommender at one moment. */
export interface View {
  shelf: Recommendation[];
  clicks: Explanation[];
  /** What the tab has learnt from them; `null` before. */
  learnt: Learnt | null;
  /** From the question to the answer, as the page sees it. */
  answerMs: number | undefined;
}

interface SessionEvents {
  view: CustomEvent<View>;
  status: CustomEvent<Status>;
  progress: CustomEvent<Progress>;
  trouble: CustomEvent<IngleError>;
  /** Another engine was chosen, and with it another recommender. */
  replaced: CustomEvent<Recommender>;
}

export class Session extends EventTarget {
  #recommender: Recommender;
  #consent: Consent;
  /** Whom it is asking, one question at a time, and whether the answer will be out of date. */
  #asking: Recommender | undefined;
  #changed = false;

  constructor(consent: Consent) {
    super();
    this.#consent = consent;
    this.#recommender = this.#open("auto");
  }

  get recommender(): Recommender {
    return this.#recommender;
  }

  get status(): Status {
    return this.#recommender.status;
  }

  /** Listens with the right event type. */
  on<K extends keyof SessionEvents>(type: K, listener: (detail: SessionEvents[K]["detail"]) => void): void {
    this.addEventListener(type, (event) => listener((event as SessionEvents[K]).detail));
  }

  /** Starts over with another engine; what was clicked moves along. */
  async choose(engine: EngineChoice): Promise<void> {
    if (engine === this.status.requested) return;
    const old = this.#recommender;
    const events = this.#consent === "granted" ? [] : await old.history();
    old.dispose();
    this.#recommender = this.#open(engine);
    await this.#recommender.record(events);
    this.#tell("replaced", this.#recommender);
  }

  async allow(consent: Consent): Promise<void> {
    this.#consent = consent;
    await this.#recommender.consent(consent);
  }

  async record(item: string, type: "view" | "cart" | "remove" = "view"): Promise<void> {
    await this.#recommender.record({ item, type });
  }

  /** Asks whether the shop has published another release, and moves to it. */
  async look(): Promise<void> {
    await this.#recommender.update();
  }

  async forget(item?: string): Promise<void> {
    await this.#recommender.forget(item);
  }

  async explain(): Promise<Explanation[]> {
    return this.#recommender.explain();
  }

  #open(engine: EngineChoice): Recommender {
    const recommender = createRecommender(BUNDLE, {
      engine,
      consent: this.#consent,
      onProgress: (progress) => this.#tell("progress", progress),
      storage: { name: "inglenook" },
    });
    let learnt = 0;
    recommender.addEventListener("status", ({ detail }) => {
      this.#tell("status", detail);
      // What was just learnt is shown at once.
      if (detail.learnt !== learnt) void this.#refresh(recommender);
      learnt = detail.learnt;
    });
    recommender.addEventListener("error", ({ detail }) => this.#tell("trouble", detail));
    for (const type of ["change", "updated"] as const) recommender.addEventListener(type, () => void this.#refresh(recommender));
    queueMicrotask(() => this.#tell("status", recommender.status));
    void this.#refresh(recommender);
    return recommender;
  }

  /** Asks again; for all that changes while it asks, once more. */
  async #refresh(recommender: Recommender): Promise<void> {
    this.#changed = true;
    if (this.#asking === recommender) return;
    this.#asking = recommender;
    // Loading is shown as progress; only the answer itself is timed.
    await recommender.ready.catch(() => {});
    while (this.#changed && this.#asking === recommender) {
      this.#changed = false;
      await this.#ask(recommender);
    }
    if (this.#asking === recommender) this.#asking = undefined;
  }

  async #ask(recommender: Recommender): Promise<void> {
    try {
      const ready = recommender.status.rung === "cpu" || recommender.status.rung === "gpu";
      const started = performance.now();
      const shelf = await recommender.recommend({ k: SHELF });
      const answerMs = ready ? performance.now() - started : undefined;
      const clicks = ready ? await recommender.explain() : await unjudged(recommender);
      const learnt = ready ? await recommender.learnt() : null;
      if (recommender === this.#recommender) this.#tell("view", { shelf, clicks, learnt, answerMs });
    } catch (error) {
      // A recommender that was replaced meanwhile has nothing more to say.
      if (recommender === this.#recommender) this.#tell("trouble", error as IngleError);
    }
  }

  #tell<K extends keyof SessionEvents>(type: K, detail: SessionEvents[K]["detail"]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Without an engine nothing judges the clicks; they are shown all the same. */
async function unjudged(recommender: Recommender): Promise<Explanation[]> {
  return (await recommender.history()).map((event) => ({ ...event, known: false, noise: 0, keep: 1, weight: 1, verdict: "unknown" }));
}
