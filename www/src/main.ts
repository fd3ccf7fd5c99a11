/** The shop: draws itself first, then lets the recommender load beside it. */

import { NetworkMeter } from "./network.js";
import { products } from "./products.js";
import { SHELF, Session } from "./session.js";
import { tile } from "./ui/card.js";
import { byId } from "./ui/dom.js";
import { startGrid } from "./ui/grid.js";
import { startPanel } from "./ui/panel.js";
import { startProductPages } from "./ui/product.js";
import { showShelf, showSkeletons } from "./ui/shelf.js";
import { startVisits } from "./visit.js";

const meter = new NetworkMeter();
meter.start();
showSkeletons(SHELF);
startGrid();
showHero();

const session = new Session();
session.on("view", ({ shelf, clicks }) => showShelf(shelf, clicks.length));
startPanel(session, meter);
startProductPages(session);
startVisits(session);

/** A still life of things from different departments. */
function showHero(): void {
  const motifs = ["lantern", "teapot", "armchair", "fox", "globe", "kite"];
  const chosen = motifs.flatMap((motif) => products.find((product) => product.motif === motif) ?? []);
  byId("hero-art").replaceChildren(...chosen.map(tile));
}
