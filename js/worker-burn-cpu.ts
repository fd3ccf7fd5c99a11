/** The general engine's worker on the CPU, and on pages without workers its module: bindings and server in one file. */

import * as glue from "ingle:burn-cpu";
import type { Port } from "./engine/rpc.js";
import { serve, serveWorker } from "./engine/serve.js";

/** Serves the other end of `port` from this thread. */
export function servePort(port: Port): void {
  serve(port, "burn-cpu", glue);
}

serveWorker("burn-cpu", glue);
