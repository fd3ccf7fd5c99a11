/** The side panel: the model at work, and what the page has fetched and sent. */

import type { EngineChoice, EngineState, Progress, Recommendation, Status } from "ingle";
import { type NetworkMeter, size } from "../network.js";
import type { Session, View } from "../session.js";
import { addressOf, findProduct } from "../products.js";
import { tile } from "./card.js";
import { byId, fill, h, setVar } from "./dom.js";
import { releaseBox, startRelease } from "./release.js";
import { shelves } from "./shelves.js";
import { timeline } from "./timeline.js";

const panel = byId("panel");
const opener = byId<HTMLButtonElement>("panel-open");
const count = byId("click-count");
const meterBox = h("section", { class: "box meter", "aria-labelledby": "meter-title" });
const engineBox = h("section", { class: "box engine", "aria-labelledby": "engine-title" });
const learntBox = h("section", { class: "box learnt", "aria-labelledby": "learnt-title", hidden: true });
const historyBox = h("section", { class: "box", "aria-labelledby": "history-title" });

let progress: Progress | undefined;
let answerMs: number | undefined;
let trouble = "";
/** The latest answers' times. */
const times: number[] = [];

export function startPanel(session: Session, meter: NetworkMeter): void {
  byId("panel-body").replaceChildren(meterBox, engineBox, releaseBox, learntBox, historyBox, explanation());
  session.on("status", (status) => showEngine(status, session));
  session.on("progress", (detail) => {
    progress = detail;
    showEngine(session.status, session);
  });
  session.on("trouble", (error) => {
    trouble = headline(error.message);
    showEngine(session.status, session);
  });
  session.on("view", (view) => {
    answerMs = view.answerMs;
    if (answerMs !== undefined) times.push(answerMs);
    showEngine(session.status, session);
    showLearnt(view);
    showHistory(view, session);
    showMeter(meter, session.status);
  });
  meter.addEventListener("change", () => showMeter(meter, session.status));
  startRelease(session, meter);
  startToggle();
}

/** On narrow screens the panel slides over the shop; on wide ones it always stands beside it. */
function startToggle(): void {
  const toggle = (open: boolean): void => {
    panel.classList.toggle("open", open);
    opener.setAttribute("aria-expanded", String(open));
    (open ? panel : opener).focus({ preventScroll: true });
  };
  opener.addEventListener("click", () => toggle(!panel.classList.contains("open")));
  byId("panel-close").addEventListener("click", () => toggle(false));
  panel.addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
}

function showMeter(meter: NetworkMeter, status: Status): void {
  const open = meterBox.querySelector("details")?.open ?? false;
  const bytes = meter.fetched.reduce((sum, entry) => sum + entry.bytes, 0);
  const last = meter.fetched.reduce((latest, entry) => Math.max(latest, entry.at), 0);
  const workers = (["cpu", "gpu"] as const).filter((kind) => ["ready", "slower"].includes(status[kind].state));
  fill(
    meterBox,
    h("h3", { id: "meter-title" }, "Sent in requests"),
    h("p", { class: "figure-big", id: "bytes-sent" }, `${meter.sent} bytes`),
    h("p", { class: "note" }, `Content of this page’s requests: their bodies, and what addresses say behind a question mark. ${meter.fetched.length} files fetched (${size(bytes)}), the same whatever you click. The last one ${ago(performance.now() - last)}.`),
    h(
      "details",
      { open },
      h("summary", {}, "Every file, as the browser logged it"),
      h("ul", { class: "files" }, ...meter.fetched.map(({ path, bytes: received, times }) => h("li", {}, h("code", {}, path), h("span", {}, `${times > 1 ? `${times} times, ` : ""}${received ? size(received) : "cached"}`)))),
      workers.length > 0 && h("p", { class: "note" }, `Besides these, each engine’s worker fetched its own program: ${workers.map((kind) => `${kind}.wasm`).join(" and ")}.`),
    ),
  );
}

function showEngine(status: Status, session: Session): void {
  const names = { cpu: "CPU", gpu: "GPU", popular: "Popularity", recent: "Recently viewed" };
  const open = engineBox.querySelector("details")?.open ?? false;
  fill(
    engineBox,
    h(
      "div",
      { class: "box-head" },
      h("h3", { id: "engine-title" }, "Who answers"),
      h("span", { class: "answer" }, h("span", { class: `badge ${status.rung}`, id: "rung", "data-rung": status.rung }, names[status.rung]), h("span", { id: "answer-ms" }, pace(answerMs))),
    ),
    times.length > 1 && pulse(times.slice(-32)),
    h("p", { class: "note", id: "why" }, headline(status.why)),
    engineSwitch(status.requested, session),
    !status.bundle && progress !== undefined && loadingBar(progress),
    h(
      "details",
      { open },
      h("summary", {}, "Engines and model"),
      h("p", { class: "note" }, `GPU: ${stateWords(status.gpu)}. CPU: ${stateWords(status.cpu)}.`),
      h("p", { class: "note" }, bundleWords(status)),
    ),
    trouble !== "" && !status.why.includes(trouble) && h("p", { class: "note trouble", role: "alert" }, trouble),
  );
}

/** The times of the latest answers, a bar each. */
function pulse(latest: number[]): HTMLElement {
  const most = Math.max(...latest);
  const words = `The last ${latest.length} answers took ${pace(Math.min(...latest))} to ${pace(most)}`;
  return h("div", { class: "pulse", role: "img", "aria-label": words }, ...latest.map((ms) => setVar(h("span"), "--share", String(ms / most))));
}

function loadingBar({ loaded, total }: Progress): HTMLElement {
  const share = loaded / Math.max(total, 1);
  const values = { "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(share * 100) };
  return h("div", { role: "progressbar", "aria-label": "Model", ...values }, setVar(h("span", { class: "track" }), "--share", String(share)));
}

/** A driver's error may run to many lines; a shopper needs the first. */
const headline = (text: string): string => text.split("\n", 1)[0] ?? text;

const pace = (ms: number | undefined): string => (ms === undefined ? "" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`);

function engineSwitch(chosen: EngineChoice, session: Session): HTMLElement {
  const choices: [EngineChoice, string][] = [
    ["auto", "Auto"],
    ["cpu", "CPU"],
    ["gpu", "GPU"],
  ];
  const choose = (engine: EngineChoice) => (): void => {
    trouble = "";
    answerMs = undefined;
    void session.choose(engine);
    engineBox.querySelector<HTMLButtonElement>(`[data-engine="${engine}"]`)?.focus();
  };
  const buttons = choices.map(([engine, label]) =>
    h("button", { type: "button", "data-engine": engine, "aria-pressed": String(engine === chosen), onclick: choose(engine) }, label),
  );
  return h("div", { class: "switch", role: "group", "aria-label": "Engine" }, ...buttons);
}

function stateWords(state: EngineState): string {
  switch (state.state) {
    case "ready":
    case "slower": {
      const median = state.medianMs === undefined ? "" : `, ${pace(state.medianMs)} an answer`;
      return `${state.state === "slower" ? "works, but slower here" : "ready"}${median}`;
    }
    case "off":
      return "not asked for";
    case "waiting":
      return "waits its turn";
    case "loading":
      return "on its way";
    default:
      return state.state;
  }
}

function bundleWords({ bundle, storage }: Status): string {
  const kept = storage.kind === "indexeddb" ? "History is kept in this browser’s storage." : `History is kept for this visit only${storage.reason ? `: ${storage.reason}` : "."}`;
  if (!bundle) return progress ? `Fetching the model: ${size(progress.loaded)} of ${size(progress.total)}.` : "Fetching the model.";
  return `Model “${bundle.name}” (${bundle.method}), ${bundle.items} products, ${size(bundle.bytes)}, on this device. ${kept}`;
}

/** Products that are named of those that were moved up. */
const MOVED = 3;

function showLearnt({ learnt }: View): void {
  learntBox.hidden = learnt === null;
  if (!learnt) return;
  const moved = learnt.moved.slice(0, MOVED).flatMap(({ item, place, before }) => {
    const product = findProduct(item);
    const words = before === null ? `now ${place}` : `${before} → ${place}`;
    return product ? [h("li", {}, tile(product), h("a", { href: addressOf(product) }, product.title), h("span", { class: "figure", "aria-label": before === null ? `now at place ${place}` : `from place ${before} to ${place}` }, words))] : [];
  });
  fill(
    learntBox,
    h("h3", { id: "learnt-title" }, "Learnt in this tab"),
    h("p", { class: "note" }, `From your ${learnt.clicks} clicks, but those judged noise, and in this browser alone. ${moved.length > 0 ? "They moved these up:" : "They moved nothing up."}`),
    h("ul", {}, ...moved),
  );
}

function showHistory({ clicks, shelf }: View, session: Session): void {
  const aside = clicks.filter((click) => click.verdict === "ignored").length;
  count.textContent = String(clicks.length);
  count.setAttribute("aria-label", `${clicks.length} clicks`);
  fill(
    historyBox,
    h(
      "div",
      { class: "box-head" },
      h("h3", { id: "history-title" }, "Your clicks"),
      h("button", { class: "button ghost", type: "button", id: "forget", disabled: clicks.length === 0, onclick: () => void session.forget() }, "Forget everything"),
    ),
    clicks.length > 0 && h("p", { class: "note", id: "verdicts" }, `${clicks.length} kept here, ${aside === 0 ? "none" : aside} judged noise.`),
    timeline(clicks, {
      forget: (item) => void session.forget(item),
      brought: (item) => shelf.filter(({ reason }) => reason.kind === "history" && reason.item === item).length,
      light: (item) => light(shelf, item),
    }),
  );
}

/** Marks on the first shelf what a click has brought. */
function light(shelf: Recommendation[], item: string | undefined): void {
  const lit = new Set(shelf.filter(({ reason }) => item !== undefined && reason.kind === "history" && reason.item === item).map((one) => one.item));
  for (const slide of shelves[0]?.querySelectorAll("[data-item]") ?? []) {
    slide.classList.toggle("lit", lit.has(slide.getAttribute("data-item") ?? ""));
    slide.classList.toggle("dimmed", lit.size > 0 && !lit.has(slide.getAttribute("data-item") ?? ""));
  }
}

function explanation(): HTMLElement {
  const point = (title: string, text: string): HTMLElement => h("li", {}, h("strong", {}, title), ` ${text}`);
  return h(
    "details",
    { class: "box how" },
    h("summary", {}, "How this works"),
    h(
      "ol",
      {},
      point("One file for everyone.", "The shop trains a small Transformer on past visits and publishes it as static files, the same for every visitor. Your browser downloads them, and keeps them if you said so."),
      point("Your clicks stay.", "Each product you open is noted in this browser, and kept only if you said so. No request carries it anywhere. What any request shows, your network address and your browser, this shop’s server sees too."),
      point("Mistakes are weighed.", "Before recommending, the model asks of every click whether it fits the others. A present for somebody else or a slip of the thumb gets little weight."),
      point("The bars say how.", "The prior goes by what an item is, the posterior by what people do with it; together they make the chance of noise, and the likelier that is, the fewer of the histories that are ranked over have the click."),
      point("The tab learns.", "When the page is idle, the model’s last step is fitted to your own clicks. What it learns is a short list of numbers that stays in this browser and goes when you forget."),
      point("The answer is made here.", "On the graphics card where that is faster, else on the processor. If one fails, the other takes over."),
      point("Forgetting is real.", "“Forget everything” removes them from this browser’s storage and from every open tab of the shop. Nothing was sent, so the shop has no copy."),
    ),
  );
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 2) return "just now";
  return seconds < 90 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
