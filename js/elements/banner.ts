/**
 * Follows the shop's consent banner by what banners have in common: WordPress's consent API, which many of its banners
 * tell, and Shopify's customer privacy. Both have a category for preferences, which recommendations are.
 *
 * Loaded only where an element says `consent="banner"`.
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

/** What was answered until now; nothing where no banner is there to say. */
function allowed(): boolean | undefined {
  return banners.wp_has_consent?.("preferences") ?? banners.Shopify?.customerPrivacy?.preferencesProcessingAllowed?.();
}

const followers = new Set<Recommender>();

function tell(granted: boolean): void {
  for (const recommender of followers) {
    if (recommender.disposed) followers.delete(recommender);
    // What fails stands in the status.
    else recommender.consent(granted ? "granted" : "session").catch(() => {});
  }
}

/** A page that finds no grant begins as it is: nobody has taken anything back. */
function recall(): void {
  if (allowed() === true) tell(true);
}

/** Tells a recommender what the shopper has answered, and answers from now on. */
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
  // The banner's own script may come later than ours.
  void scriptsRun()?.then(recall);
  banners.Shopify?.loadFeatures?.([{ name: "consent-tracking-api", version: "0.1" }], recall);
}
