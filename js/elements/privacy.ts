/**
 * `<ingle-privacy>`: what is known about the shopper, which clicks were ignored and why, and every right
 * over it: forget one, forget all, pause, download, consent.
 */

import { IngleError } from "../errors.js";
import type { Recommender } from "../recommender.js";
import type { Consent, Explanation, HistoryEvent, Status } from "../types.js";
import { IngleElement } from "./base.js";
import { adopt, h } from "./dom.js";
import { PRIVACY } from "./privacy-style.js";
import type { Product } from "./products.js";

/** Events shown at first; older ones on request. */
const PAGE = 30;
/** Items that are named of those that were moved up. */
const MOVED = 3;
const CHOICES: Consent[] = ["granted", "session", "denied"];

/** Attributes: `src` or the property `recommender`, and `products`. Events: `ingle-consent`, `ingle-error`. */
export class InglePrivacy extends IngleElement {
  #root: ShadowRoot | undefined;
  /** Redrawn as a whole; the status beside it stays, so that screen readers announce it. */
  readonly #body = typeof document === "undefined" ? undefined : h("div");
  readonly #said = typeof document === "undefined" ? undefined : h("div", { class: "status", role: "status" });
  #shown = PAGE;
  #formats: { lang: string | undefined; time: Intl.DateTimeFormat; percent: Intl.NumberFormat } | undefined;

  override connectedCallback(): void {
    if (!this.#root) {
      this.#root = this.attachShadow({ mode: "open" });
      adopt(this.#root, PRIVACY);
      for (const part of [this.#body, this.#said]) if (part) this.#root.append(part);
    }
    super.connectedCallback();
  }

  /** What it says holds at every moment, also on paper and for those who have it read out: so it is always up to date. */
  protected override get eager(): boolean {
    return true;
  }

  /** It says nothing rather than what may no longer hold. */
  protected override settle(): void {
    this.#body?.replaceChildren();
  }

  protected override follow(recommender: Recommender, signal: AbortSignal): void {
    for (const type of ["change", "status", "updated"] as const) recommender.addEventListener(type, () => this.refresh(), { signal });
  }

  protected override async draw(signal: AbortSignal): Promise<void> {
    const { recommender } = this;
    if (!recommender || !this.#root) return;
    const stored = await recommender.stored().catch(() => undefined);
    const events = [...(stored ?? []).map(bare), ...(await this.#judged(recommender))];
    const learnt = recommender.status.learnt > 0 ? await recommender.learnt().catch(() => null) : null;
    const moved = (learnt?.moved ?? []).slice(0, MOVED).map(({ item }) => item);
    // Without products the ids are shown: what is kept can still be seen and forgotten.
    const products = await this.lookUp([...events.slice(-this.#shown).map(({ item }) => item), ...moved]).catch((error: unknown) => (this.report(error), new Map<string, Product>()));
    if (signal.aborted) return;
    const focused = this.#root.activeElement?.getAttribute("data-key");
    this.#body?.replaceChildren(this.#panel(recommender, events, products, stored?.length, learnt && { clicks: learnt.clicks, titles: moved.map((item) => products.get(item)?.title ?? item) }));
    if (focused) this.#focus(focused);
  }

  /** Verdicts if an engine can give them, otherwise the plain events. */
  async #judged(recommender: Recommender): Promise<Explanation[]> {
    const { cpu, gpu } = recommender.status;
    const canAsk = [cpu, gpu].some(({ state }) => state === "ready");
    const plain = async (): Promise<Explanation[]> => (await recommender.history()).map(bare);
    return canAsk ? recommender.explain().catch(plain) : plain();
  }

  /** The first `stored` of the events are of earlier visits; `undefined` if those could not be read. */
  #panel(recommender: Recommender, events: Explanation[], products: Map<string, Product>, stored: number | undefined, learnt: { clicks: number; titles: string[] } | null): HTMLElement {
    const { strings } = this;
    const { status } = recommender;
    const { unerased } = status.storage;
    // Events that cannot be read may still be there, and can be forgotten.
    const uncertain = stored === undefined || unerased !== undefined;
    const latest = events.slice(-this.#shown).reverse();
    const more = events.length - latest.length;
    return h(
      "section",
      { class: "box", "aria-labelledby": "heading" },
      h("div", {}, h("h2", { id: "heading", tabindex: -1, "data-key": "heading" }, strings.privacyHeading), h("p", { class: "quiet" }, strings.privacyIntro, " ", strings.stored[status.storage.kind])),
      this.#consent(recommender, status),
      this.#actions(recommender, status, events.length, uncertain),
      unerased !== undefined && h("p", { class: "warning", part: "warning", title: unerased }, strings.unerased),
      stored === undefined && h("p", { class: "warning", part: "warning" }, strings.unreadable),
      stored !== undefined && stored > 0 && h("p", { class: "quiet", part: "earlier" }, strings.earlier(stored)),
      learnt && h("p", { class: "quiet", part: "learnt" }, strings.learnt(learnt.clicks, learnt.titles)),
      events.length === 0 ? !uncertain && h("p", { class: "quiet", part: "empty" }, strings.empty) : h("ol", { part: "events" }, ...latest.map((event, n) => this.#event(recommender, event, n, products))),
      more > 0 && this.#button(strings.more(more), "more", () => this.#more()),
    );
  }

  #consent(recommender: Recommender, { consent, globalPrivacyControl }: Status): HTMLElement {
    const choice = (value: Consent): HTMLElement => {
      const input = h("input", { type: "radio", name: "consent", value, checked: value === consent, "data-key": `consent-${value}`, disabled: globalPrivacyControl && value === "granted" });
      input.addEventListener("change", () => {
        void this.#do(recommender.consent(value));
        this.dispatchEvent(new CustomEvent("ingle-consent", { detail: value, bubbles: true }));
      });
      return h("label", {}, input, this.strings.consent[value]);
    };
    return h("fieldset", {}, h("legend", {}, this.strings.consentLegend), ...CHOICES.map(choice), globalPrivacyControl && h("p", { class: "quiet" }, this.strings.privacySignal));
  }

  #actions(recommender: Recommender, { paused }: Status, count: number, uncertain: boolean): HTMLElement {
    const { strings } = this;
    const pause = h("input", { type: "checkbox", role: "switch", checked: paused, "data-key": "pause" });
    pause.addEventListener("change", () => void this.#do(pause.checked ? recommender.pause() : recommender.resume()));
    const forget = this.#button(strings.forgetAll, "forget", () => this.#do(recommender.forget(), strings.forgotten, "heading"));
    const download = this.#button(strings.download, "download", () => this.#download(recommender));
    download.disabled = count === 0;
    forget.disabled = count === 0 && !uncertain;
    return h("div", { class: "actions" }, h("label", {}, pause, strings.pause), download, forget);
  }

  #event(recommender: Recommender, event: Explanation, n: number, products: Map<string, Product>): HTMLElement {
    const { strings } = this;
    const title = products.get(event.item)?.title ?? event.item;
    const { time, percent } = this.#words();
    const facts: string[] = [];
    if (event.known) {
      facts.push(`${strings.noise}: ${percent.format(event.noise)}`);
      if (event.prior !== undefined) facts.push(`${strings.prior}: ${percent.format(event.prior)}`);
      if (event.posterior !== undefined) facts.push(`${strings.posterior}: ${percent.format(event.posterior)}`);
      facts.push(`${strings.weight}: ${percent.format(event.weight)}`);
    }
    return h(
      "li",
      { class: event.verdict, part: `event ${event.verdict}`, "data-item": event.item },
      h("div", {}, h("span", { class: "title" }, title), h("div", { class: "quiet" }, `${Object.hasOwn(strings.events, event.type) ? strings.events[event.type] : event.type} · ${time.format(event.at)}`), h("div", { class: "quiet word" }, strings.verdicts[event.verdict])),
      this.#button("×", `forget-${n}`, () => this.#do(recommender.forget(event.item), strings.forgotten, `forget-${n}`), strings.forgetOne(title)),
      facts.length > 0 && h("div", { class: "facts" }, ...facts.map((fact) => h("span", {}, fact))),
    );
  }

  /** The page language's formats of times and shares; made once, because making them is slow. */
  #words(): { time: Intl.DateTimeFormat; percent: Intl.NumberFormat } {
    const lang = document.documentElement.lang || undefined;
    if (this.#formats?.lang !== lang || !this.#formats) {
      const time = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });
      this.#formats = { lang, time, percent: new Intl.NumberFormat(lang, { style: "percent" }) };
    }
    return this.#formats;
  }

  #button(label: string, key: string, act: () => unknown, name?: string): HTMLButtonElement {
    const button = h("button", { type: "button", "data-key": key, part: "button", ...(name !== undefined && { "aria-label": name }) }, label);
    button.addEventListener("click", () => void act());
    return button;
  }

  #more(): void {
    this.#shown += PAGE;
    this.refresh();
  }

  async #do(work: Promise<void>, said = "", focus?: string): Promise<void> {
    try {
      await work;
      if (this.#said) this.#said.textContent = said;
    } catch (error) {
      if (this.#said) this.#said.textContent = error instanceof IngleError && error.code === "storage/erase" ? this.strings.unerased : this.strings.failed;
      this.report(error);
    }
    const { signal } = new AbortController();
    await this.draw(signal);
    if (focus) this.#focus(focus);
  }

  /** Focuses the control with this key; if it is gone, the last of its kind, or the heading. */
  #focus(key: string): void {
    const find = (name: string): HTMLElement | null | undefined => this.#root?.querySelector<HTMLElement>(`[data-key="${name}"]:not(:disabled)`);
    const place = /^forget-(\d+)$/.exec(key)?.[1];
    const before = place === undefined ? undefined : find(`forget-${Number(place) - 1}`);
    (find(key) ?? before ?? find("heading"))?.focus();
  }

  async #download(recommender: Recommender): Promise<void> {
    const file = new Blob([JSON.stringify(await recommender.export(), null, 2)], { type: "application/json" });
    const address = URL.createObjectURL(file);
    h("a", { href: address, download: "my-history.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

/** An event without a verdict. */
function bare(event: HistoryEvent): Explanation {
  return { ...event, known: false, noise: 0, keep: 0, weight: 0, verdict: "unknown" };
}
