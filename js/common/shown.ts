/** When a page is first shown: a browser may render one that nobody opens, and what runs there was not seen. */

/** In a page that is rendered ahead: resolves when it is opened. Nothing in one that is shown already. */
export function shown(): Promise<void> | undefined {
  if (typeof document === "undefined" || !(document as { prerendering?: boolean }).prerendering) return undefined;
  return new Promise((resolve) => document.addEventListener("prerenderingchange", () => resolve(), { once: true }));
}
