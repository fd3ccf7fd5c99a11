/**
 * What the open tabs of a shop tell each other, so that all of them agree: over a `BroadcastChannel`,
 * which never leaves the browser and stores nothing.
 */

import type { Consent, HistoryEvent } from "../types.js";

export type Message =
  /** A tab without stored history asks the others for theirs. */
  | { kind: "hello" }
  /** Events that are in memory only. */
  | { kind: "events"; events: HistoryEvent[] }
  /** What is stored has changed. */
  | { kind: "stored" }
  | { kind: "forget"; item?: string }
  | { kind: "consent"; consent: Consent }
  | { kind: "paused"; paused: boolean };

export class Tabs {
  readonly #name: string;
  readonly #hear: (message: Message) => void;
  readonly #back: () => void;
  #channel: BroadcastChannel | undefined;

  /** `hear` is told of every message; `back` of a page that comes back and may have missed some. */
  constructor(name: string, hear: (message: Message) => void, back: () => void) {
    this.#name = `ingle:${name}`;
    this.#hear = hear;
    this.#back = back;
    this.#open();
    if (typeof addEventListener === "undefined") return;
    addEventListener("pagehide", this.#hide);
    addEventListener("pageshow", this.#show);
  }

  /** Whether other tabs can be heard at all. */
  get open(): boolean {
    return this.#channel !== undefined;
  }

  tell(message: Message): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    if (typeof removeEventListener === "undefined") return;
    removeEventListener("pagehide", this.#hide);
    removeEventListener("pageshow", this.#show);
  }

  #open(): void {
    if (typeof BroadcastChannel === "undefined") return;
    try {
      this.#channel = new BroadcastChannel(this.#name);
    } catch {
      // Pages of an opaque origin may not have one; they are alone anyway.
      return;
    }
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    // On a server an open channel would keep the process running.
    (this.#channel as { unref?: () => void }).unref?.();
  }

  /** A page in the back-forward cache must not be woken by messages: browsers would drop it instead. */
  readonly #hide = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    this.#channel?.close();
    this.#channel = undefined;
  };

  readonly #show = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    this.#open();
    this.#back();
  };
}
