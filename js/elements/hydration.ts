/**
 * A framework that takes over what a server rendered compares every element with what was sent: one that has changed
 * its children or attributes by then makes the framework render the page anew. So an element that a server may have
 * sent draws in its shadow only, until the page's scripts have run and the browser is idle.
 */

let defining = false;
let over = false;
let waiting: Promise<void> | undefined;

/** Defines elements; those that are in the page by then were sent. */
export function defined(define: () => void): void {
  void hydration();
  defining = true;
  try {
    define();
  } finally {
    defining = false;
  }
}

/** Whether an element that is being constructed may have been sent by a server, and was not made by a script. */
export function isSent(): boolean {
  return defining || (typeof document !== "undefined" && document.readyState === "loading");
}

/** Nothing once a framework has had its chance, counted from the definition; until then, when it will have. */
export function hydration(): Promise<void> | undefined {
  if (over) return undefined;
  return (waiting ??= parsed()
    .then(idle)
    .then(() => void (over = true)));
}

async function parsed(): Promise<void> {
  if (document.readyState === "loading") await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

/**
 * Nothing once the page's own scripts have run, those that wait for the end of the page included; until then, when
 * they will have.
 */
export function scriptsRun(): Promise<void> | undefined {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const begun = document.readyState !== "loading" && navigation?.domContentLoadedEventStart !== 0;
  if (begun || document.readyState === "complete") return undefined;
  return new Promise((resolve) => {
    document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
    // Where the browser coarsens its times, the moment may be over.
    addEventListener("load", () => resolve(), { once: true });
  });
}

/** A page that never rests is no reason to wait for ever, in milliseconds. */
const PATIENCE_MS = 2_000;

function idle(): Promise<unknown> {
  // Safari has no idle callbacks.
  return new Promise((resolve) => (typeof requestIdleCallback === "undefined" ? setTimeout(resolve, 100) : requestIdleCallback(resolve, { timeout: PATIENCE_MS })));
}
