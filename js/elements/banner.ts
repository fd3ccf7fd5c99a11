/**
 * Follows the shop's consent banner through common interfaces: WordPress's consent API, which many of its banners use,
 * and Shopify's customer privacy API. Both have a category for preferences, to which recommendations belong.
 *
 * Loaded only if an element has `consent="banner"`.
 */

import type { Recommender } from "../recommender.js";
import { scriptsRun } from "./hydration.js";

interface Banners {
  wp_has_consent?: (category: string) => boolean;
  Shopify?: {
    customerPrivacy?: { preferencesProcessingAllowed?: () => boolean };
    loadFeatures?: (features: { name: string; version: string }[], done: (error?: unknown) => void) => void;
  };
}

const banners = globalThis as Banners;

/** The current answer; `undefined` if there is no banner. */
function allowed(): boolean | undefined {
  return banners.wp_has_consent?.("preferences") ?? banners.Shopify?.customerPrivacy?.preferencesProcessingAllowed?.();
}

const followers = new Set<Recommender>();

function tell(granted: boolean): void {
  for (const recommender of followers) {
    if (recommender.disposed) followers.delete(recommender);
    // Failures are reported in the status.
    else recommender.consent(granted ? "granted" : "session").catch(() => {});
  }
}

/** Without a grant nothing is changed when the page starts: nothing was withdrawn. */
function recall(): void {
  if (allowed() === true) tell(true);
}

/** Passes the shopper's answer to a recommender, now and whenever it changes. */
export function followBanner(recommender: Recommender): void {
  if (followers.has(recommender)) return;
  listen();
  followers.add(recommender);
  recall();
}

let listening = false;
function listen(): void {
  if (listening) return;
  listening = true;
  document.addEventListener("wp_listen_for_consent_change", (event) => {
    const { preferences } = ((event as CustomEvent).detail ?? {}) as Record<string, unknown>;
    if (preferences === "allow" || preferences === "deny") tell(preferences === "allow");
  });
  document.addEventListener("wp_consent_type_defined", recall);
  document.addEventListener("visitorConsentCollected", () => tell(allowed() === true));
  // The banner's script may run after ours.
  void scriptsRun()?.then(recall);
  banners.Shopify?.loadFeatures?.([{ name: "consent-tracking-api", version: "0.1" }], recall);
}
