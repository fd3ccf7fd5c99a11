/** What to do about an error, for a developer's console; `docs/guides/errors.md` has it at length. */

/** By the beginning of a code; the first that fits. */
const REMEDIES: [string, string][] = [
  ["bundle/network", "Check the address, and across origins CORS and connect-src."],
  ["bundle/http", "Check the address: the folder that `ingle export` wrote belongs there, with every file."],
  ["bundle/manifest", "Check the address: many servers answer unknown ones with their index page."],
  ["bundle/format", "Update the package."],
  ["backbone/", "Use the build of the package that was made with this backbone."],
  ["method/", "Update the package."],
  ["bundle/size", "Upload the bundle again."],
  ["bundle/hash", "Upload the bundle again."],
  ["bundle/", "Export the bundle again."],
  ["model/", "Export the bundle again."],
  ["engine/blocked", "Add 'wasm-unsafe-eval' to script-src."],
  ["engine/wasm", 'In Vite\'s development server add optimizeDeps: { exclude: ["ingle"] }; elsewhere pass the option wasm.'],
  ["engine/unavailable", "Upload all files of the package together."],
  ["storage/", "The history goes on in memory."],
];

const MORE = "`ingle doctor` checks a page and its host; docs/guides/errors.md in Ingle's repository explains every code.";

export function remedyOf(code: unknown): string {
  if (typeof code !== "string") return "";
  const [, remedy] = REMEDIES.find(([start]) => code.startsWith(start)) ?? [];
  return remedy ? `${remedy} ${MORE}` : MORE;
}
