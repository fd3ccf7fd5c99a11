// The shop without a network: what was fetched once is answered from the cache, pages from the network where there is one.
// The bundle is not its business: the recommender keeps that itself, once the shopper allows it.
const CACHE = "shop-1";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { method, url, mode } = event.request;
  const { origin, pathname } = new URL(url);
  if (method === "GET" && origin === location.origin && !pathname.startsWith("/recommender/")) event.respondWith(answer(event.request, pathname, mode));
});

async function answer(request, pathname, mode) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(pathname);
  if (kept && mode !== "navigate") return kept;
  const fresh = await fetch(request).catch(() => kept ?? Response.error());
  if (fresh.ok && fresh !== kept) await cache.put(pathname, fresh.clone());
  return fresh;
}
