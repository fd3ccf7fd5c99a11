/** Visits to a shop that signs its releases, with a device whose caches are memory. */

import { afterEach } from "node:test";
import { type BundleOptions, BundleSource } from "../../js/bundle/bundle.js";
import { forgetSeen } from "../../js/bundle/ratchet.js";
import { FakeCaches } from "./caches.js";
import { codeOf, equal } from "./check.js";
import { goldenFiles, type Handler, serveSite, type Site } from "./golden.js";
import { Shop } from "./signed.js";

const sites: Site[] = [];
afterEach(async () => {
  Reflect.deleteProperty(globalThis, "caches");
  forgetSeen();
  await Promise.all(sites.splice(0).map((site) => site.close()));
});

export const nameIn = (manifest: Uint8Array): unknown => (JSON.parse(new TextDecoder().decode(manifest)) as { name: unknown }).name;

/** A shop that has published a first release, its host, and a device with caches. */
export async function open(wrong: { at?: (name: string) => Handler | undefined } = {}) {
  const caches = new FakeCaches();
  Object.assign(globalThis, { caches });
  const shop = new Shop();
  shop.publish(goldenFiles());
  const site = await serveSite((request, response) => {
    const name = request.url?.slice(3) ?? "";
    const other = wrong.at?.(name);
    if (other) return other(request, response);
    const bytes = shop.files.get(name);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  sites.push(site);
  const url = `${site.url}b/`;
  /** A visit whose engine works: what is in use then. */
  const visit = async (options: BundleOptions = {}) => {
    const source = new BundleSource(url, { trust: shop.trust, patienceMs: 60_000, ...options });
    const { manifest, signed } = await source.open();
    await source.accept();
    return { source, name: nameIn(manifest), signed, stale: source.stale?.code };
  };
  /** The next page of the same device. */
  const later = (options: BundleOptions = {}) => (forgetSeen(), visit(options));
  const asked = () => site.requests.map(({ url }) => url?.slice(3));
  return { shop, site, url, visit, later, asked, caches };
}

/** Visits once while all is well, then again after something happened: the first bundle stays, and the code says why. */
export async function refused(code: string, happens: (shop: Shop) => void | Promise<void>): Promise<void> {
  const { shop, visit, later } = await open();
  equal((await visit()).name, "golden");
  const trust = shop.trust;
  await happens(shop);
  const { name, stale, source } = await later({ trust });
  equal([name, stale], ["golden", code], "the returning visitor");
  equal(nameIn((await source.open()).manifest), "golden");
  // Who has nothing on the device gets nothing of it.
  Object.assign(globalThis, { caches: new FakeCaches() });
  equal(await codeOf(later({ trust })), code, "the new visitor");
}
