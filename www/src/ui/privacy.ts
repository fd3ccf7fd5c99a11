/** The page of the shopper's rights: the package's own panel. */

import type { Consent } from "ingle";
import type { InglePrivacy } from "ingle/element";
import { decide } from "../consent.js";
import type { Session } from "../session.js";
import { byId } from "./dom.js";
import { shown } from "./shelves.js";

export function startPrivacy(session: Session): void {
  const panel = byId<InglePrivacy>("privacy");
  panel.strings = { privacyHeading: "What you looked at" };
  panel.products = shown;
  panel.recommender = session.recommender;
  session.on("replaced", (recommender) => (panel.recommender = recommender));
  // The panel tells the recommender itself; the shop has storage of its own to see to.
  panel.addEventListener("ingle-consent", (event) => void decide((event as CustomEvent<Consent>).detail));
}
