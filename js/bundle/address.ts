/** A bundle's address, as a shop gives it. */

import { IngleError } from "../errors.js";

/** The folder of a bundle, from the address of the folder or of its manifest. */
export function folderOf(url: string | URL): URL {
  const page = typeof document === "undefined" ? undefined : document.baseURI;
  let folder: URL;
  try {
    folder = new URL(url, page);
  } catch {
    throw new IngleError("input/options", `"${url}" is not an address that a bundle can be fetched from.`);
  }
  if (folder.search || folder.hash) {
    throw new IngleError("input/options", `A bundle's address has no query and no fragment: ${folder.href}`);
  }
  const path = folder.pathname.replace(/\/manifest\.json$/, "/");
  folder.pathname = path.endsWith("/") ? path : `${path}/`;
  return folder;
}
