/** Asks once what may be kept. A yes is remembered, because it allows that; a no leaves no trace. */

import type { Consent } from "ingle";
import { byId } from "./ui/dom.js";

const KEY = "inglenook-consent";
const bar = byId("consent");

/** What the visitor has allowed on an earlier visit. */
export function consentSoFar(): Consent {
  try {
    return localStorage.getItem(KEY) === "granted" ? "granted" : "session";
  } catch {
    return "session";
  }
}

/** Shows the question until it is answered. */
export function startConsent(apply: (consent: Consent) => Promise<void>): void {
  bar.hidden = consentSoFar() === "granted";
  if (bar.hidden) keepOffline();
  const answer = async (consent: Consent): Promise<void> => {
    await Promise.all([decide(consent), apply(consent)]);
  };
  byId("consent-yes").addEventListener("click", () => void answer("granted"));
  byId("consent-no").addEventListener("click", () => void answer("session"));
}

/** Keeps the shop's own things as the visitor decides, or takes them all back. */
export async function decide(consent: Consent): Promise<void> {
  bar.hidden = true;
  if (consent === "granted") {
    localStorage.setItem(KEY, consent);
    return keepOffline();
  }
  localStorage.clear();
  for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  for (const name of await caches.keys()) if (name.startsWith("inglenook-")) await caches.delete(name);
}

/** Only what the build made has a service worker. */
function keepOffline(): void {
  if (import.meta.env.PROD && "serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
}
