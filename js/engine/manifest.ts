/** What a page reads of a bundle's manifest; the engine checks all of it. */

export interface Manifest {
  backbone?: { kind?: unknown };
  method?: { name?: unknown };
  items?: { width?: unknown };
  adapter?: { learning?: { clicks?: unknown } };
  self_test?: { history?: unknown; items?: unknown };
}

/** The manifest's fields; none if it cannot be read, which is for the engine to refuse. */
export function manifestOf(bytes: Uint8Array): Manifest {
  try {
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Manifest;
  } catch {
    return {};
  }
}
