/** When a page is first shown: a browser may render a page before it is opened, and what runs then was not seen. */

/** In a prerendered page, resolves when it is opened; `undefined` in a page that is already shown. */
export function shown(): Promise<void> | undefined {
  if (typeof document === "undefined" || !(document as { prerendering?: boolean }).prerendering) return undefined;
  return new Promise((resolve) => document.addEventListener("prerenderingchange", () => resolve(), { once: true }));
}
