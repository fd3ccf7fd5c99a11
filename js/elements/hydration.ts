/**
 * A framework that hydrates a server's markup compares every element with what was sent. An element that has changed
 * its children or attributes by then makes the framework render the page anew. So an element that a server may have
 * sent draws in its shadow only, until the page's scripts have run and the browser is idle.
 */

let defining = false;
let over = false;
let waiting: Promise<void> | undefined;

/** Defines elements; those already in the page were sent by the server. */
export function defined(define: () => void): void {
  void hydration();
  defining = true;
  try {
    define();
  } finally {
    defining = false;
  }
}

/** Whether an element under construction may have been sent by a server, and was not made by a script. */
export function isSent(): boolean {
  return defining || (typeof document !== "undefined" && document.readyState === "loading");
}

/** `undefined` if a framework has had time to hydrate since the definition; otherwise resolves when it has. */
export function hydration(): Promise<void> | undefined {
  if (over) return undefined;
  return (waiting ??= parsed()
    .then(idle)
    .then(() => void (over = true)));
}

async function parsed(): Promise<void> {
  if (document.readyState === "loading") await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

/** `undefined` if the page's own scripts have run, deferred ones included; otherwise resolves when they have. */
export function scriptsRun(): Promise<void> | undefined {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const begun = document.readyState !== "loading" && navigation?.domContentLoadedEventStart !== 0;
  if (begun || document.readyState === "complete") return undefined;
  return new Promise((resolve) => {
    document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
    // If the browser rounds its times, the event may be over already.
    addEventListener("load", () => resolve(), { once: true });
  });
}

/** Longest wait for an idle browser, in milliseconds. */
const PATIENCE_MS = 2_000;

function idle(): Promise<unknown> {
  // Safari has no idle callbacks.
  return new Promise((resolve) => (typeof requestIdleCallback === "undefined" ? setTimeout(resolve, 100) : requestIdleCallback(resolve, { timeout: PATIENCE_MS })));
}
