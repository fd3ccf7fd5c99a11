/** A view of an item for as long as a component shows it, for the framework wrappers. */

import type { Recommender } from "../recommender.js";
import { shown } from "./shown.js";
import type { ItemId } from "../types.js";

/** Records a view once the page is shown; the function that it returns records how long it has been. */
export function view(recommender: Recommender, item: ItemId): () => void {
  let look: ((over?: boolean) => void) | undefined;
  let over = false;
  const begin = (): void => {
    if (over) return;
    look = recommender.look(item);
    look();
  };
  const waiting = shown();
  if (waiting) void waiting.then(begin);
  else begin();
  return () => {
    over = true;
    look?.(true);
  };
}
