/** Writes to the package's caches, only while that is allowed, also at the end of the writing. */

/** Writes while `mayStore` is true; says whether it is stored. Throws if the cache cannot be written to. */
export async function putWhile(mayStore: () => boolean, name: string, url: string, body: BodyInit): Promise<boolean> {
  if (!mayStore()) return false;
  await (await caches.open(name)).put(url, new Response(body));
  if (mayStore()) return true;
  // Another tab may have erased everything during the writing.
  await (await caches.open(name)).delete(url);
  await dropEmpty(name);
  return false;
}

/** Deletes an empty cache, as opening one creates it. Only while no other code writes to it. */
export async function dropEmpty(name: string): Promise<void> {
  if ((await (await caches.open(name)).keys()).length === 0) await caches.delete(name);
}
