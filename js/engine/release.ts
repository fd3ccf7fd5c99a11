/** The name of the build that this script belongs to; the wasm of the same build has the same name. */

/** Set by the build: a hash of all parts of the package. */
declare const INGLE_RELEASE: string;

export const RELEASE = INGLE_RELEASE;

/** Set by the build: whether its general engine has backbones that the small engines do not have. */
declare const INGLE_HAS_MORE: boolean;

export const HAS_MORE = INGLE_HAS_MORE;

/** The custom section of the wasm that names its build. */
const SECTION = "ingle-release";

/** The build that a compiled engine names. */
export function releaseOf(module: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  return section ? new TextDecoder().decode(section) : "none";
}
