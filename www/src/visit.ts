/** A scripted visit with an interest and a few accidents, to see the model tell them apart. */

import type { Product } from "./products.js";
import { products } from "./products.js";
import type { Session } from "./session.js";
import { showComparison } from "./compare.js";
import { breathe, byId, prefersStill, wait } from "./ui/dom.js";

interface Step {
  theme: string;
  step: number;
  /** What the visitor would say; accidents have an excuse. */
  says: string;
  accident?: boolean;
}

const SCRIPT: Step[] = [
  { theme: "Under Canvas", step: 0, says: "A tent for the spring…" },
  { theme: "Under Canvas", step: 1, says: "…and something to sleep in." },
  { theme: "Under Canvas", step: 2, says: "A stove for the tea." },
  { theme: "Under Canvas", step: 3, says: "A light for the tent." },
  { theme: "Soft Animals", step: 2, says: "A present for a niece.", accident: true },
  { theme: "Hill Walking", step: 0, says: "A pack to carry it all." },
  { theme: "Hill Walking", step: 1, says: "Boots, at last." },
  { theme: "Hill Walking", step: 2, says: "A flask for the summit." },
  { theme: "Hill Walking", step: 3, says: "And a compass to get home by." },
  { theme: "Backyard Hens", step: 0, says: "A child borrows the phone…", accident: true },
  { theme: "Barber's Shelf", step: 0, says: "…and taps on.", accident: true },
];

const PACE_MS = 900;

const button = byId<HTMLButtonElement>("play");
const note = byId("play-note");

export function startVisits(session: Session): void {
  let running: AbortController | undefined;
  button.addEventListener("click", () => {
    if (running) return running.abort();
    running = new AbortController();
    button.textContent = "Stop the visit";
    void play(session, running.signal).finally(() => {
      running = undefined;
      button.textContent = "Play a noisy visit";
    });
  });
}

async function play(session: Session, signal: AbortSignal): Promise<void> {
  try {
    await session.forget();
    for (const step of SCRIPT) {
      const product = cast(step);
      if (!product) continue;
      note.textContent = `${step.says} (${product.title})`;
      note.classList.toggle("accident", step.accident === true);
      await session.record(product.item_id);
      await wait(prefersStill() ? PACE_MS / 4 : PACE_MS, signal);
    }
    note.textContent = await summary(session);
    await breathe();
    const accidents = SCRIPT.filter(({ accident }) => accident).flatMap((step) => cast(step)?.item_id ?? []);
    await showComparison(session, new Set(accidents));
  } catch (error) {
    if (!signal.aborted) throw error;
    note.textContent = "";
  } finally {
    note.classList.remove("accident");
  }
}

/** The product for a step: a visitor keeps to one style where the shop has it, but for accidents. */
function cast({ theme, step, accident = false }: Step): Product | undefined {
  const fits = products.filter((product) => product.theme === theme && product.step === step);
  return fits.find(({ style }) => (style === "Moor") !== accident) ?? fits[0];
}

/** How the model's verdicts compare with what the script knows. */
async function summary(session: Session): Promise<string> {
  const aside = new Set((await session.explain()).filter((click) => click.verdict === "ignored").map(({ item }) => item));
  const count = (accident: boolean): string => {
    const steps = SCRIPT.filter((step) => (step.accident ?? false) === accident && cast(step));
    const caught = steps.filter((step) => aside.has(cast(step)?.item_id ?? ""));
    return `${caught.length} of ${steps.length}`;
  };
  return `The model set aside ${count(true)} accidents and ${count(false)} clicks that were meant.`;
}
