/**
 * The service worker: the shop's own files, so that it opens without a network. The bundle is not its
 * business: the recommender keeps that itself. Registered only once the visitor has allowed storage.
 */

const worker = self as unknown as ServiceWorkerGlobalScope;

/** Written in by the build: every file of the shop, and a hash of their names. */
declare const SHOP_FILES: string[];
declare const SHOP_VERSION: string;

const CACHE = `inglenook-${SHOP_VERSION}`;

worker.addEventListener("install", (event) => {
  const keep = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    // One by one, because `addAll` would name this script as the referrer.
    for (const file of SHOP_FILES) {
      const response = await fetch(file, { credentials: "omit", referrer: "", referrerPolicy: "no-referrer" });
      if (!response.ok) throw new Error(`${file}: HTTP ${response.status}`);
      await cache.put(file, response);
    }
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

worker.addEventListener("activate", (event) => {
  const tidy = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith("inglenook-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

worker.addEventListener("fetch", (event) => {
  const { method, url, mode } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== worker.location.origin || pathname.startsWith("/bundle/")) return;
  // The page itself from the network where there is one, so that a new release is seen at once.
  const answer = async (): Promise<Response> => {
    const cache = await caches.open(CACHE);
    if (mode === "navigate") return fetch(event.request).catch(async () => (await cache.match("/")) ?? Response.error());
    return (await cache.match(pathname)) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
export {};
