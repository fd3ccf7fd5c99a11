/** Writing into a cache of ours: only what may be kept, also by the time that it is there. */

/** Writes while `mayStore`; says whether it is there now. Throws if the cache cannot be written to. */
export async function putWhile(mayStore: () => boolean, name: string, url: string, body: BodyInit): Promise<boolean> {
  if (!mayStore()) return false;
  await (await caches.open(name)).put(url, new Response(body));
  if (mayStore()) return true;
  // Another tab may have erased all of it while this was on its way.
  await (await caches.open(name)).delete(url);
  await dropEmpty(name);
  return false;
}

/** Deletes a cache that nothing is in: to open one makes it. Only while nobody writes to it. */
export async function dropEmpty(name: string): Promise<void> {
  if ((await (await caches.open(name)).keys()).length === 0) await caches.delete(name);
}
