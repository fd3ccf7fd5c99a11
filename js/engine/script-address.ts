/**
 * The address of the plain script. It is available only while the script runs for the first time, so this is read first
 * and not when an engine is needed.
 */

export const own = addressOf(typeof document === "undefined" ? null : document.currentScript);

/** An element with `name="currentScript"` would shadow the property, so anything but a script is ignored. */
function addressOf(script: Element | null): string {
  return script instanceof HTMLScriptElement ? script.src : "";
}
