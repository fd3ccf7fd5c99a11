// What the contenders are told in the address, and how items are called: the catalogue is invented, and
// item `item-12` is its row 12.
const asked = new URLSearchParams(location.hash.slice(1));

/** The history, oldest click first. */
export const ids = () => asked.getAll("history");

export const wanted = () => ({ worker: asked.get("worker") === "true", engine: asked.get("engine"), bundle: asked.get("bundle"), model: asked.get("model"), k: Number(asked.get("k")) });

export const rowOf = (id) => Number(id.slice("item-".length));
