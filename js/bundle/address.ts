/** A bundle's address, as a shop gives it. */

import { IngleError } from "../errors.js";

/** The folder a bundle's address means: given as the folder itself or as its manifest. */
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
