/** What a developer is told in the console: causes that a shopper's page keeps in `status` and in events. */

/**
 * Whether the page runs on a developer's machine. A shopper's console must not show what was looked at, as monitoring
 * tools send it on.
 */
export function isDevelopers(): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]|.*\.(localhost|local|test)|)$/.test(globalThis.location?.hostname ?? "");
}

const told = new Set<string>();

/** On a developer's machine, warns once of an error that no caller sees. */
export function advise(error: unknown): void {
  const { code, message } = error as { code?: unknown; message?: unknown };
  tell(code, `ingle: ${typeof code === "string" ? `${code}: ` : ""}${String(message ?? error)}`);
}

/** The same of something that is no error; `level` is that of the console. */
export function mention(words: string, level: "warn" | "info" = "warn"): void {
  tell(undefined, `ingle: ${words}`, level);
}

function tell(code: unknown, words: string, level: "warn" | "info" = "warn"): void {
  if (!isDevelopers() || told.has(words)) return;
  told.add(words);
  // What to do about it is loaded here alone; where the package's files are missing, the cause must do.
  const remedy = import("./remedies.js").then(({ remedyOf }) => remedyOf(code), () => "");
  void remedy.then((what) => console[level](what ? `${words} ${what}` : words));
}
