/** Which part of the shop shows, by the address's fragment, which never leaves the browser. */

import { findProduct, type Product } from "./products.js";

export type Place = { view: "home" } | { view: "category"; category: string } | { view: "product"; product: Product } | { view: "basket" } | { view: "you" };

export function placeOf(hash: string): Place {
  const [, view, name = ""] = decodeURIComponent(hash.slice(1)).split("/");
  if (view === "basket" || view === "you") return { view };
  if (view === "c" && name !== "") return { view: "category", category: name };
  const product = view === "p" ? findProduct(name) : undefined;
  return product ? { view: "product", product } : { view: "home" };
}

/** Shows the place that the address names, now and whenever it changes. */
export function startRouter(show: (place: Place, first: boolean) => void): void {
  const main = document.querySelector("main") as HTMLElement;
  const follow = (first: boolean): void => {
    const place = placeOf(location.hash);
    for (const part of document.querySelectorAll<HTMLElement>("main > [data-view]")) {
      const shown = part.dataset["view"]?.split(" ").includes(place.view) ?? false;
      part.toggleAttribute("data-elsewhere", !shown);
    }
    show(place, first);
    if (first) return;
    scrollTo({ top: 0, behavior: "instant" });
    main.focus({ preventScroll: true });
  };
  addEventListener("hashchange", () => follow(false));
  follow(true);
}
