/**
 * The rules of what a page's history may keep: consent, pause and forgetting. There is no storage and no channel here:
 * `history.ts` applies these rules in memory, on the device and in the other tabs. `docs/guides/privacy.md` explains
 * them.
 *
 * There are two kinds of changes. A **choice** is a call on this page, and may allow more or less. A change **told** by
 * another tab may only allow less: it never allows more than this page's own calls and options did. Of two that
 * contradict each other the later one counts.
 */

import { begun, type Kept } from "./events.js";
import type { Consent, HistoryEvent } from "../types.js";

/** From least to most. */
const ORDER: Consent[] = ["denied", "session", "granted"];

/** Whether `a` keeps less than `b`. */
export function isLess(a: Consent, b: Consent): boolean {
  return ORDER.indexOf(a) < ORDER.indexOf(b);
}

/** A decision and its time. */
interface Decision<T> {
  value: T;
  at: number;
}

/** A view of an item: when it began, and when the item first appeared on this page. */
export interface Look {
  since: number;
  appeared: number;
}

/** More items than a shopper forgets one by one in a visit; beyond that, the earliest ones are dropped. */
const MAX_FORGOTTEN = 10_000;

/** The items of a history that the document has shown, and what was forgotten of them. */
interface Seen {
  /** When everything was last forgotten, and when each item was. */
  all: number;
  readonly items: Map<string, number>;
  /** When the document came back from a state in which it may have missed what was forgotten. */
  missed: number;
  /** The current page, and when each item first appeared on it. */
  page: string | undefined;
  readonly appeared: Map<string, number>;
}

/** By name: a recommender that is disposed of and made again, as frameworks do, belongs to the same document. */
const ofDocument = new Map<string, Seen>();

function seenBy(name: string | undefined): Seen {
  const fresh: Seen = { all: -Infinity, items: new Map(), missed: -Infinity, page: undefined, appeared: new Map() };
  if (name === undefined || typeof document === "undefined") return fresh;
  const seen = ofDocument.get(name) ?? fresh;
  ofDocument.set(name, seen);
  return seen;
}

export class State {
  #consent: Consent;
  /** Paused by this page, or by another one. */
  #paused = { own: false, told: false };
  /** The latest decisions that this page knows, its own and those of other tabs. */
  #consentDecision: Decision<Consent> | undefined;
  #pauseDecision: Decision<boolean> | undefined;
  /** Views that began before this moment began when nothing could be recorded. */
  #resumed = -Infinity;
  readonly #seen: Seen;

  /** All histories of a page with the same `name` share what was forgotten on it. */
  constructor(consent: Consent, name?: string) {
    this.#consent = consent;
    this.#seen = seenBy(name);
    // An initial refusal counts as the shopper's answer; any other initial value below full consent may mean that
    // the shop has not asked yet.
    if (consent === "denied") this.#consentDecision = { value: consent, at: Date.now() };
  }

  get consent(): Consent {
    return this.#consent;
  }

  get paused(): boolean {
    return this.#paused.own || this.#paused.told;
  }

  /** Whether anything may be recorded. */
  get records(): boolean {
    return this.#consent !== "denied" && !this.paused;
  }

  /** What a new tab has to know: decisions to keep less that no later one has undone. */
  get lowered(): { consent?: Decision<Consent>; paused?: number } {
    const [consent, pause] = [this.#consentDecision, this.#pauseDecision];
    return { ...(consent && consent.value !== "granted" && { consent }), ...(pause?.value && this.paused && { paused: pause.at }) };
  }

  /** A call on this page: the decision, and as much of it as takes effect here. */
  choose(consent: Consent, decided: Consent = consent, at = Date.now()): void {
    this.#consentDecision = { value: decided, at };
    if (this.#consent === "denied") this.#resumed = at;
    if (consent === "denied") this.forget(undefined, at);
    this.#consent = consent;
  }

  /** Another tab's decision; returns whether this page may now keep less. */
  hearConsent(consent: Consent, at: number): boolean {
    if (at < (this.#consentDecision?.at ?? -Infinity)) return false;
    this.#consentDecision = { value: consent, at: past(at) };
    if (!isLess(consent, this.#consent)) return false;
    if (consent === "denied") this.forget(undefined, past(at));
    this.#consent = consent;
    return true;
  }

  /** A call on this page. */
  pause(paused: boolean, at = Date.now()): void {
    if (this.paused && !paused) this.#resumed = at;
    this.#paused = { own: paused, told: false };
    this.#pauseDecision = { value: paused, at };
  }

  /** Another tab's decision. It ends a pause of another tab, never one of this page's own call. */
  hearPause(paused: boolean, at: number): void {
    if (at < (this.#pauseDecision?.at ?? -Infinity)) return;
    this.#pauseDecision = { value: paused, at: past(at) };
    if (this.#paused.told && !paused && !this.#paused.own) this.#resumed = past(at);
    this.#paused.told = paused;
  }

  /** The state on the device: the shopper's last decision, in any tab with storage. */
  readPause(paused: boolean): void {
    if (this.paused && !paused) this.#resumed = Date.now();
    this.#paused = { own: paused, told: false };
  }

  /** Events of `item`, or all events, that began before `at` may not come back. */
  forget(item: string | undefined, at = Date.now()): void {
    if (item === undefined) {
      this.#seen.all = Math.max(this.#seen.all, at);
      this.#seen.items.clear();
      return;
    }
    this.#seen.items.delete(item);
    this.#seen.items.set(item, at);
    if (this.#seen.items.size > MAX_FORGOTTEN) this.#seen.items.delete(this.#seen.items.keys().next().value!);
  }

  /** A view of `item` begins on this page. */
  look(item: string, page: string, since = Date.now()): Look {
    if (page !== this.#seen.page) this.#seen.appeared.clear();
    this.#seen.page = page;
    const appeared = Math.min(since, this.#seen.appeared.get(item) ?? since);
    this.#seen.appeared.set(item, appeared);
    return { since, appeared };
  }

  /** What was forgotten since `at`: the time of everything, and of single items. */
  forgottenSince(at: number): { all?: number; items: [string, number][] } {
    const items = [...this.#seen.items].filter(([, when]) => when >= at);
    return this.#seen.all >= at ? { all: this.#seen.all, items } : { items };
  }

  /**
   * A page that was away keeps to the decisions that it knew, and tells nobody: there may be later ones. If it may also
   * have missed decisions that keep less, everything that it showed counts as forgotten.
   */
  comeBack(missed: boolean, at = Date.now()): void {
    this.#consentDecision = this.#pauseDecision = undefined;
    if (missed) this.#seen.missed = at;
  }

  /** Whether an event may not come back: it was forgotten after it began. */
  isForgotten(event: Kept): boolean {
    return begun(event) < this.#forgottenAt(event.item);
  }

  /**
   * Whether this page may record an event now. It may not if the event's view began when nothing could be recorded, or
   * its item was already on this page when it was forgotten. `look` is the event's view, if known.
   */
  mayRecord({ item, at, dwell }: HistoryEvent, look = dwell === undefined ? undefined : { since: at - dwell, appeared: at - dwell }): boolean {
    if (!this.records || look === undefined) return this.records;
    const forgotten = Math.max(this.#forgottenAt(item), this.#seen.missed);
    return (look.appeared >= forgotten || at < forgotten) && (look.since >= this.#resumed || at < this.#resumed);
  }

  /** When this item was last forgotten, alone or with everything. */
  #forgottenAt(item: string): number {
    const now = Date.now();
    // A future time of a forgetting, from a clock that was ahead, must not bar later events.
    if (this.#seen.all > now) this.#seen.all = now;
    if ((this.#seen.items.get(item) ?? now) > now) this.#seen.items.set(item, now);
    return Math.max(this.#seen.all, this.#seen.items.get(item) ?? -Infinity);
  }
}

/** Limits times to now: a clock that is ahead, or a false message, must not override later decisions. */
function past(at: number): number {
  return Math.min(at, Date.now());
}
