/**
 * Messages between the open tabs of a shop, so that all of them agree: over a `BroadcastChannel`, which never leaves
 * the browser and stores nothing.
 *
 * Any script of the origin can write to the channel, so messages are validated.
 */

import { deferred, within } from "../common/deferred.js";
import type { Consent } from "../types.js";
import { isId } from "../common/ids.js";
import { isEvent, type Kept, keptEvent } from "./events.js";

export type Message =
  /** A tab that was just opened, or came back, asks for decisions; one without storage also asks for events. */
  | { kind: "hello"; events: boolean }
  /** Events that are in memory only. */
  | { kind: "events"; events: Kept[] }
  /** What is stored has changed. */
  | { kind: "stored" }
  /** Decisions, and when they were made. */
  | { kind: "forget"; item?: string; at: number }
  | { kind: "consent"; consent: Consent; at: number }
  | { kind: "paused"; paused: boolean; at: number };

/** A tab's message to itself: when it arrives, all earlier messages have arrived. */
type Echo = { kind: "echo"; id: number };

/** How long a tab waits for a message to itself, in milliseconds. */
const ECHO_MS = 2_000;

/** Receives the messages. */
export interface TabHost {
  hear(message: Message): void;
  /** The page goes into the back-forward cache; says whether it keeps anything there that may have to be erased. */
  onAway(): boolean;
  /** It comes back from there. */
  onBack(): void;
  /** It is frozen, as browsers do with tabs in the background. */
  onFreeze(): void;
  /** It was frozen, and goes on. */
  onThaw(): void;
}

/**
 * Whether this browser drops a page from the back-forward cache when it receives a message: Chromium, which alone has
 * `onfreeze`, and Firefox do. Such a page has missed nothing when it comes back.
 */
const dropsKeptPages = (): boolean => "onfreeze" in document || "mozInnerScreenX" in globalThis;

export class Tabs {
  readonly #name: string;
  readonly #host: TabHost;
  /** Most events of a message. */
  readonly #most: number;
  #channel: BroadcastChannel | undefined;
  /** The channel of a page in the back-forward cache: only messages that it must not miss are sent there. */
  #away: BroadcastChannel | undefined;
  readonly #echoes = new Map<number, () => void>();

  constructor(name: string, most: number, host: TabHost) {
    this.#name = `ingle:${name}`;
    this.#most = most;
    this.#host = host;
    // A server has no tabs, and its shoppers must not receive each other's messages.
    if (typeof document === "undefined") return;
    this.#channel = this.#open();
    addEventListener("pagehide", this.#hide);
    addEventListener("pageshow", this.#show);
    document.addEventListener("freeze", this.#freeze);
    document.addEventListener("resume", this.#thaw);
  }

  /** Whether other tabs can be reached at all. */
  get open(): boolean {
    return this.#channel !== undefined;
  }

  /** Whether a page that comes back may have missed messages. */
  get mayHaveMissed(): boolean {
    return !dropsKeptPages();
  }

  tell(message: Message): void {
    this.#channel?.postMessage(message);
    if (!lowers(message)) return;
    const away = this.#open(true);
    away?.postMessage(message);
    away?.close();
  }

  /** Resolves when all messages sent until now have been received. */
  async caughtUp(): Promise<void> {
    const probe = this.#channel && this.#open();
    if (!probe) return;
    const id = Math.random();
    const heard = deferred<void>();
    this.#echoes.set(id, heard.resolve);
    probe.postMessage({ kind: "echo", id } satisfies Echo);
    await within(heard.promise, ECHO_MS, () => new Error("the channel is silent")).catch(() => {});
    this.#echoes.delete(id);
    probe.close();
  }

  close(): void {
    this.#channel?.close();
    this.#away?.close();
    this.#channel = this.#away = undefined;
    if (typeof document === "undefined") return;
    removeEventListener("pagehide", this.#hide);
    removeEventListener("pageshow", this.#show);
    document.removeEventListener("freeze", this.#freeze);
    document.removeEventListener("resume", this.#thaw);
  }

  #open(away = false): BroadcastChannel | undefined {
    if (typeof BroadcastChannel === "undefined") return undefined;
    try {
      const channel = new BroadcastChannel(away ? `${this.#name}:away` : this.#name);
      if (!away) channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#hear(data);
      return channel;
    } catch {
      // Pages of an opaque origin may have no channel; they have no other tabs either.
      return undefined;
    }
  }

  #hear(data: unknown): void {
    const { kind, id } = (data ?? {}) as Partial<Echo>;
    if (kind === "echo") return this.#echoes.get(Number(id))?.();
    const message = readMessage(data, this.#most);
    if (message) this.#host.hear(message);
  }

  /** A page in the back-forward cache is dropped when it receives a message, so it listens to little. */
  readonly #hide = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    this.#channel?.close();
    this.#channel = undefined;
    if (this.#host.onAway()) this.#away = this.#open(true);
  };

  readonly #show = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    this.#away?.close();
    this.#away = undefined;
    this.#channel = this.#open();
    this.#host.onBack();
  };

  readonly #freeze = (): void => this.#host.onFreeze();

  readonly #thaw = (): void => this.#host.onThaw();
}

/** Whether a message reduces what may be kept: no page may miss such a message. */
function lowers(message: Message): boolean {
  if (message.kind === "consent") return message.consent !== "granted";
  return message.kind === "forget" || (message.kind === "paused" && message.paused);
}

const CONSENTS: unknown[] = ["granted", "session", "denied"];

/** A valid message of another page with at most `most` events, or `undefined`. */
export function readMessage(data: unknown, most: number): Message | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { kind, events, item, at, consent, paused } = data as Record<string, unknown>;
  const dated = typeof at === "number" && Number.isFinite(at) ? at : undefined;
  switch (kind) {
    case "hello":
      return { kind, events: events === true };
    case "events":
      // A tab that keeps more events than this one sends more; the latest are enough.
      return Array.isArray(events) ? { kind, events: events.slice(-most).filter(isEvent).map(keptEvent) } : undefined;
    case "stored":
      return { kind };
    case "forget":
      if (dated === undefined || (item !== undefined && !isId(item))) return undefined;
      return item === undefined ? { kind, at: dated } : { kind, item, at: dated };
    case "consent":
      return dated !== undefined && CONSENTS.includes(consent) ? { kind, consent: consent as Consent, at: dated } : undefined;
    case "paused":
      return dated !== undefined && typeof paused === "boolean" ? { kind, paused, at: dated } : undefined;
    default:
      return undefined;
  }
}
