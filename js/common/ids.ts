/** Item ids: validation, and the string form in which they are stored and compared. A cart's JSON may have numbers. */

import { IngleError } from "../errors.js";
import type { ItemId } from "../types.js";

/** Longer than any catalogue's ids, and short enough not to fill the storage. */
export const MAX_ID = 1024;

/** Whether a value is an id in string form; event types are limited in the same way. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_ID;
}

/** An id as a string; `where` names the option or call that it was given to. */
export function idOf(given: unknown, where: string): string {
  if (Number.isSafeInteger(given)) return String(given);
  if (isId(given)) return given;
  const found = typeof given === "string" ? `a string of ${given.length} characters` : String(given);
  throw new IngleError("input/item", `${where} takes an item id, a string of 1 to ${MAX_ID} characters or a whole number, not ${found}.`);
}

/** A list of ids as strings. */
export function idsOf(given: unknown, where: string): string[] {
  if (typeof given === "string" || typeof (given as Iterable<unknown> | null | undefined)?.[Symbol.iterator] !== "function") {
    throw new IngleError("input/options", `${where} takes a list of item ids, not ${typeof given === "string" ? JSON.stringify(given) : String(given)}.`);
  }
  return Array.from(given as Iterable<unknown>, (id) => idOf(id, where));
}

/** One id or a list of them. */
export function oneOrMore(given: unknown, where: string): string[] {
  return typeof given === "object" && given !== null && Symbol.iterator in given ? idsOf(given, where) : [idOf(given, where)];
}

/** Looks an id up in a map whose keys the shop may have as numbers. */
export function byId<T>(map: ReadonlyMap<ItemId, T>, id: string): T | undefined {
  return map.get(id) ?? (String(Number(id)) === id ? map.get(Number(id)) : undefined);
}
