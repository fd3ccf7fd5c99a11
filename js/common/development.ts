/** What a developer is told in the console: causes that a shopper's page keeps in `status` and in events. */

/**
 * Whether the page runs on a developer's machine. A shopper's console must not show what was looked at, as monitoring
 * tools send it on.
 */
export function isDevelopers(): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]|.*\.(localhost|local|test)|)$/.test(globalThis.location?.hostname ?? "");
}

const told = new Set<string>();
/** What to do about errors; on other machines it is not loaded. */
let remedies: Promise<(code: unknown) => string> | undefined;

/** Loads what a developer may be told, with every recommender: a request must not depend on what was clicked, here neither. */
export function prepareAdvice(): void {
  if (isDevelopers()) remedies ??= import("./remedies.js").then(({ remedyOf }) => remedyOf, () => () => "");
}

/** On a developer's machine, warns once of an error that no caller sees, and says what to do about it. */
export function advise(error: unknown): void {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const words = `ingle: ${typeof code === "string" ? `${code}: ` : ""}${String(message ?? error)}`;
  if (!isNews(words)) return;
  // Where the package's files are missing, the cause must do.
  void Promise.resolve(remedies).then((remedyOf) => console.warn([words, remedyOf?.(code)].filter(Boolean).join(" ")));
}

/** The same of something that is no error. */
export function mention(words: string, level: "warn" | "info" = "warn"): void {
  if (isNews(words)) console[level](`ingle: ${words}`);
}

function isNews(words: string): boolean {
  if (!isDevelopers() || told.has(words)) return false;
  told.add(words);
  return true;
}
