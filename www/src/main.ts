/** The shop: draws itself first, then lets the recommender load beside it. */

import { Basket } from "./basket.js";
import { consentSoFar, startConsent } from "./consent.js";
import { NetworkMeter } from "./network.js";
import { findProduct, products } from "./products.js";
import { type Place, startRouter } from "./router.js";
import { Session, type View } from "./session.js";
import { startBasket } from "./ui/basket.js";
import { tile } from "./ui/card.js";
import { breathe, byId } from "./ui/dom.js";
import { filter, orderBy, startGrid } from "./ui/grid.js";
import { startPanel } from "./ui/panel.js";
import { startPrivacy } from "./ui/privacy.js";
import { showProduct } from "./ui/product.js";
import { startShelves } from "./ui/shelves.js";
import { startVisits } from "./visit.js";

const meter = new NetworkMeter();
meter.start();
showHero();
await breathe();

startGrid();
await breathe();

const session = new Session(consentSoFar());
const basket = new Basket();
await breathe();

startShelves(session);
orderBy(session);
await breathe();

startPanel(session, meter);
startVisits(session);
startBasket(basket, session);
await breathe();

startConsent(async (consent) => {
  await session.allow(consent);
  if (consent === "granted") basket.save();
});
startPrivacy(session);
startRouter(show);
session.on("view", showNotes);
basket.addEventListener("change", aboutBasket);
aboutBasket();

function show(place: Place): void {
  if (place.view === "home") filter("");
  if (place.view === "category") filter(place.category);
  if (place.view === "product") {
    const { product } = place;
    showProduct(product, session, basket);
    for (const id of ["goes-with", "more-like"]) byId(id).setAttribute("items", product.item_id);
    void session.record(product.item_id);
  }
  const name = { home: "Good things for a warm house", basket: "Your basket", you: "Your choices", category: place.view === "category" ? place.category : "", product: place.view === "product" ? place.product.title : "" }[place.view];
  document.title = `${name} · Inglenook`;
}

/** What stands beside the shelves follows the visit. */
function showNotes({ shelf, clicks }: View): void {
  const source = shelf[0]?.source;
  const words = clicks.length === 1 ? "one click" : `${clicks.length} clicks`;
  const known = source === "cpu" || source === "gpu" ? `From your ${words}, worked out on this device.` : "No engine runs here, so this is what everybody likes.";
  byId("shelf-note").textContent = clicks.length === 0 ? "What everybody likes, until you have looked at something." : known;
  const latest = clicks.findLast(({ verdict }) => verdict !== "ignored");
  const product = latest && findProduct(latest.item);
  byId("like-box").hidden = !product;
  byId("recent-box").hidden = clicks.length === 0;
  if (!product) return;
  byId("like").setAttribute("heading", `Because you looked at ${product.title}`);
  byId("like").setAttribute("items", product.item_id);
}

/** What goes with all that is in the basket. */
function aboutBasket(): void {
  byId("complete-box").hidden = basket.count === 0;
  byId("complete").setAttribute("items", basket.lines.map(([item]) => item).join(" "));
}

/** A still life of things from different departments. */
function showHero(): void {
  const motifs = ["lantern", "teapot", "armchair", "fox", "globe", "kite"];
  const chosen = motifs.flatMap((motif) => products.find((product) => product.motif === motif) ?? []);
  byId("hero-art").replaceChildren(...chosen.map(tile));
}
