/** Everything for a plain `<script>`: the API as the global `Ingle`, and both elements, defined. */

import { define } from "./element.js";

export * from "./index.js";
export { IngleElement, IngleShelf, InglePrivacy } from "./element.js";

define();
