/** The web components. Importing this defines nothing: call `define`, or import `ingle/element/define`. */

import { defined } from "./elements/hydration.js";
import { InglePrivacy } from "./elements/privacy.js";
import { IngleShelf } from "./elements/shelf.js";

export type { Question, QuestionKind } from "./common/ask.js";
export type { ListedProduct, Product, Products } from "./elements/products.js";
export { IngleElement } from "./elements/base.js";
export { InglePrivacy } from "./elements/privacy.js";
export { IngleShelf } from "./elements/shelf.js";
export { ENGLISH, type Strings } from "./elements/strings.js";
export { sharedRecommender } from "./shared.js";

/** Defines `<ingle-shelf>` and `<ingle-privacy>` where they are not defined yet; on a server it does nothing. */
export function define(registry: CustomElementRegistry | undefined = globalThis.customElements): void {
  if (!registry) return;
  defined(() => {
    if (!registry.get("ingle-shelf")) registry.define("ingle-shelf", IngleShelf);
    if (!registry.get("ingle-privacy")) registry.define("ingle-privacy", InglePrivacy);
  });
}

declare global {
  interface HTMLElementTagNameMap {
    "ingle-shelf": IngleShelf;
    "ingle-privacy": InglePrivacy;
  }
}
