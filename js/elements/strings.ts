/** Every word that the elements show; a shop may replace any of them. */

import type { Reason, Verdict } from "../types.js";

/** Strings and small functions that make them. `strings` of an element takes any part of this. */
export interface Strings {
  carousel: string;
  slide: string;
  previous: string;
  next: string;
  /** Names a slide to assistive technology. */
  position(place: number, count: number): string;
  /** Told politely when a shelf has a new answer. */
  updated(count: number): string;
  nothing: string;
  /** Why an item is there; `title` is that of the item it is because of, empty where there is none. */
  reason(reason: Reason, title: string): string;
  privacyHeading: string;
  privacyIntro: string;
  stored: Record<"indexeddb" | "memory" | "none", string>;
  consentLegend: string;
  consent: Record<"granted" | "session" | "denied", string>;
  privacySignal: string;
  pause: string;
  download: string;
  forgetAll: string;
  forgetOne(title: string): string;
  forgotten: string;
  empty: string;
  /** Events stored by earlier visits, which this page may not use. */
  earlier(count: number): string;
  /** What was learnt from that many clicks, those aside that are ignored, and the titles of items that it moved up; there may be none. */
  learnt(clicks: number, titles: readonly string[]): string;
  /** Something that was to be erased is still on the device. */
  unerased: string;
  /** What is stored cannot be looked at. */
  unreadable: string;
  /** Something else went wrong. */
  failed: string;
  more(count: number): string;
  events: Record<string, string>;
  verdicts: Record<Verdict, string>;
  noise: string;
  prior: string;
  posterior: string;
  weight: string;
}

const DID: ReadonlyMap<string, string> = new Map([["cart", "put in your basket"], ["purchase", "bought"]]);

export const ENGLISH: Strings = {
  carousel: "carousel",
  slide: "slide",
  previous: "Previous",
  next: "Next",
  position: (place, count) => `${place} of ${count}`,
  updated: (count) => `${count} recommendations`,
  nothing: "Nothing to show yet.",
  reason: (reason, title) => {
    switch (reason.kind) {
      case "history":
        return `Because you ${DID.get(reason.type) ?? "viewed"} ${title}`;
      case "similar":
        return `Like ${title}`;
      case "complete":
        return `Goes with ${title}`;
      case "popular":
        return "Popular";
      case "recent":
        return "Viewed recently";
      case "pinned":
      case "given":
        return "";
    }
  },
  privacyHeading: "What this browser keeps about you",
  privacyIntro: "Recommendations are worked out on this device from what you looked at. This list is not sent to anyone for that.",
  stored: {
    indexeddb: "Kept on this device until you forget it or it is too old.",
    memory: "Kept in the memory of the open pages only.",
    none: "Nothing is recorded.",
  },
  consentLegend: "What may be kept",
  consent: { granted: "Remember my visits on this device", session: "Only while the shop is open", denied: "Record nothing" },
  privacySignal: "Your browser asks for privacy, so nothing new is kept once the shop is closed.",
  pause: "Pause recording",
  download: "Download",
  forgetAll: "Forget everything",
  forgetOne: (title) => `Forget ${title}`,
  forgotten: "Forgotten.",
  empty: "Nothing is kept about you here.",
  earlier: (count) => `${count === 1 ? "One of these was" : `${count} of these were`} stored by an earlier visit and not used now.`,
  learnt: (clicks, titles) => `This page has learnt from your latest ${clicks} clicks, but those it ignores. ${titles.length > 0 ? `They moved these up: ${titles.join(", ")}.` : "They moved nothing up."}`,
  unerased: "Not everything could be erased from this device. It is tried again at your next visit, or when you choose to forget again.",
  unreadable: "What is stored on this device cannot be read just now.",
  failed: "That did not work.",
  more: (count) => `Show ${count} more`,
  events: { view: "viewed", click: "clicked", cart: "put in the basket", purchase: "bought", remove: "taken out of the basket" },
  verdicts: {
    kept: "Counts in full",
    less: "Counts a little less: it half fits the rest",
    ignored: "Ignored: it does not fit the rest",
    unknown: "Not used",
  },
  noise: "Chance of a mistake",
  prior: "by what it is",
  posterior: "by what shoppers do with it",
  weight: "Counts with",
};
