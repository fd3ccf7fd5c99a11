/**
 * Everything for a plain `<script>`: the API as the global `Ingle`, and both elements, defined. Loaded again, it
 * leaves what is there as it is.
 */

import "./engine/script-address.js";
import { define } from "./element.js";
import * as script from "./script.js";

const page = globalThis as { Ingle?: { createRecommender?: unknown } };
if (typeof page.Ingle?.createRecommender !== "function") page.Ingle = script;
define();
