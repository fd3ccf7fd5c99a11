/** Safari's engine for tests, by WebDriver: on Linux WebKitGTK's browser on a screen of its own, on macOS Safari itself. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./examples/shop.mjs";

/** How long to wait for the driver and for the browser that it starts, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Starts the driver and its browser. The page has the part of Puppeteer's that the visit needs: `goto`, `reload` and
 * `evaluate`. A new browser has nothing stored.
 */
export async function launchWebKit() {
  const screen = process.platform === "darwin" ? null : await openScreen();
  const port = await freePort();
  const [program, capabilities] = screen
    ? ["WebKitWebDriver", { "webkitgtk:browserOptions": { args: ["--automation"] } }]
    : ["safaridriver", { browserName: "safari" }];
  const args = screen ? [`--port=${port}`] : ["--port", String(port)];
  const driver = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...(screen && { DISPLAY: screen.display }) } });
  let failure = null;
  driver.on("error", (error) => (failure = error));

  const ask = async (method, path, body) => {
    const init = body ? { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } } : { method };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  const stop = () => {
    driver.kill();
    screen?.close();
  };
  try {
    const started = Date.now();
    while (!(await ask("GET", "/status").catch(() => null))) {
      if (failure) throw new Error(`${program} could not be started: ${failure.message}`);
      if (Date.now() - started > PATIENCE_MS) throw new Error(`${program} does not answer`);
      await sleep(100);
    }
    const { sessionId, capabilities: granted } = await ask("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
    const session = `/session/${sessionId}`;
    await ask("POST", `${session}/timeouts`, { script: PATIENCE_MS, pageLoad: PATIENCE_MS });
    return {
      name: `${granted.browserName} ${granted.browserVersion}`,
      goto: (url) => ask("POST", `${session}/url`, { url }),
      reload: () => ask("POST", `${session}/refresh`, {}),
      evaluate: (run, ...args) => ask("POST", `${session}/execute/sync`, { script: `return (${run}).apply(null, arguments)`, args }),
      /** A picture of what is seen, as a PNG. */
      screenshot: async () => Buffer.from(await ask("GET", `${session}/screenshot`), "base64"),
      async close() {
        await ask("DELETE", session).catch(() => {});
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** A screen in memory: WebKitGTK's browser does not start without one. */
async function openScreen() {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1440x900x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const ready = once(server.stdio[3], "data");
  const failed = once(server, "error").then(([error]) => {
    throw new Error(`Xvfb could not be started: ${error.message}`);
  });
  const [number] = await Promise.race([ready, failed]);
  return { display: `:${String(number).trim()}`, close: () => server.kill() };
}
