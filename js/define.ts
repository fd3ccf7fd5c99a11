/** Importing this defines `<ingle-shelf>` and `<ingle-privacy>`; on a server it does nothing. */

import { define } from "./element.js";

define();
