/** The shop's one recommender: follows its events, asks it again after every click, and times the answers. */

import type { EngineChoice, Explanation, IngleError, Progress, Recommendation, Recommender, Status } from "ingle";
import { createRecommender } from "ingle";

/** The bundle's folder on this same server. */
const BUNDLE = "/bundle/";
/** How many products the shelf holds. */
export const SHELF = 8;

/** What the page shows of the recommender at one moment. */
export interface View {
  shelf: Recommendation[];
  clicks: Explanation[];
  /** From the question to the answer, as the page sees it. */
  answerMs: number | undefined;
}

interface SessionEvents {
  view: CustomEvent<View>;
  status: CustomEvent<Status>;
  progress: CustomEvent<Progress>;
  trouble: CustomEvent<IngleError>;
}

export class Session extends EventTarget {
  #recommender: Recommender;
  /** Counts questions, so that a late answer never replaces a newer one. */
  #asked = 0;

  constructor(engine: EngineChoice = "auto") {
    super();
    this.#recommender = this.#open(engine);
  }

  get status(): Status {
    return this.#recommender.status;
  }

  /** Listens with the right event type. */
  on<K extends keyof SessionEvents>(type: K, listener: (detail: SessionEvents[K]["detail"]) => void): void {
    this.addEventListener(type, (event) => listener((event as SessionEvents[K]).detail));
  }

  /** Starts over with another engine; the history is in the browser's storage and stays. */
  choose(engine: EngineChoice): void {
    if (engine === this.status.requested) return;
    this.#recommender.dispose();
    this.#recommender = this.#open(engine);
  }

  async record(item: string): Promise<void> {
    await this.#recommender.record({ item, type: "view" });
  }

  async forget(item?: string): Promise<void> {
    await this.#recommender.forget(item);
  }

  async explain(): Promise<Explanation[]> {
    return this.#recommender.explain();
  }

  /** Products that go with the history so far, beside those on the page already. */
  async recommend(k: number, exclude: string[]): Promise<Recommendation[]> {
    return this.#recommender.recommend({ k, exclude });
  }

  #open(engine: EngineChoice): Recommender {
    const recommender = createRecommender(BUNDLE, {
      engine,
      onProgress: (progress) => this.#tell("progress", progress),
      storage: { name: "inglenook" },
    });
    recommender.addEventListener("status", ({ detail }) => this.#tell("status", detail));
    recommender.addEventListener("error", ({ detail }) => this.#tell("trouble", detail));
    recommender.addEventListener("change", () => void this.#refresh(recommender));
    queueMicrotask(() => this.#tell("status", recommender.status));
    void this.#refresh(recommender);
    return recommender;
  }

  async #refresh(recommender: Recommender): Promise<void> {
    const asked = ++this.#asked;
    // Loading is shown as progress; only the answer itself is timed.
    const ready = await recommender.ready.then(
      () => true,
      () => false,
    );
    try {
      const started = performance.now();
      const shelf = await recommender.recommend({ k: SHELF });
      const answerMs = ready ? performance.now() - started : undefined;
      const clicks = ready ? await recommender.explain() : await unjudged(recommender);
      if (asked === this.#asked) this.#tell("view", { shelf, clicks, answerMs });
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
  return (await recommender.history()).map((event) => ({ ...event, known: false, noise: 0, keep: 1 }));
}
