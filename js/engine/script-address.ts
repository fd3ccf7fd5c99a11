/**
 * Where the plain script came from. It knows that only while it runs for the first time, so this is read before all
 * else and not when an engine is first needed: by then another script may be running.
 */

export const own = addressOf(typeof document === "undefined" ? null : document.currentScript);

/** Markup with `name="currentScript"` would pass for the script, so what is none has no say. */
function addressOf(script: Element | null): string {
  return script instanceof HTMLScriptElement ? script.src : "";
}
