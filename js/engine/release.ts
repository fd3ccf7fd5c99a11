/** The build of the package that this script belongs to; the wasm of the same build carries the same name. */

/** Put in by the build: a hash of all that the package is made of. */
declare const INGLE_RELEASE: string;

export const RELEASE = INGLE_RELEASE;

/** The custom section of the wasm that names its build. */
const SECTION = "ingle-release";

/** What a compiled engine says which build it is of. */
export function releaseOf(module: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  return section ? new TextDecoder().decode(section) : "none";
}
