/**
 * The shopper's answer to the consent question, for `consent: "ask"`. It is in `localStorage` under
 * `ingle:NAME:consent`: a grant always, a refusal only if the shop wants that. If storage is not available, nothing is
 * remembered.
 */

import type { Consent } from "../types.js";

export class Answer {
  readonly #key: string;
  readonly #refusals: boolean;

  constructor(name: string, refusals: boolean) {
    this.#key = `ingle:${name}:consent`;
    this.#refusals = refusals;
  }

  /** What was answered on an earlier visit. */
  recall(): Consent | undefined {
    try {
      const answer = localStorage.getItem(this.#key);
      return answer === "granted" || (this.#refusals && (answer === "session" || answer === "denied")) ? answer : undefined;
    } catch {
      return undefined;
    }
  }

  /** Remembers an answer and deletes the one before; a refusal that is not remembered leaves no trace. */
  keep(consent: Consent | undefined): void {
    try {
      if (consent === "granted" || (consent !== undefined && this.#refusals)) localStorage.setItem(this.#key, consent);
      else localStorage.removeItem(this.#key);
    } catch {
      // The next visit asks again.
    }
  }
}
