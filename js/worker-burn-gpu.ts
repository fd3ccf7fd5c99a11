/** The general engine's worker on the GPU, and on pages without workers its module: bindings and server in one file. */

import * as glue from "ingle:burn-gpu";
import type { Port } from "./engine/rpc.js";
import { serve, serveWorker } from "./engine/serve.js";

/** Serves the other end of `port` from this thread. */
export function servePort(port: Port): void {
  serve(port, "burn-gpu", glue);
}

serveWorker("burn-gpu", glue);
