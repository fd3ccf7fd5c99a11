/** Hosts of a bundle that is not signed, and visits to them. */

import { afterEach } from "node:test";
import { type BundleOptions, BundleSource } from "../../js/bundle/bundle.js";
import { FakeCaches } from "./caches.js";
import { filesUnder, goldenFiles, type Handler, serveSite, type Site } from "./golden.js";

const sites: Site[] = [];
afterEach(async () => {
  Reflect.deleteProperty(globalThis, "caches");
  await Promise.all(sites.splice(0).map((site) => site.close()));
});

/** Gives the page the caches of a browser. */
export function haveCaches(step?: (what: string) => Promise<void>): FakeCaches {
  const caches = new FakeCaches(step);
  Object.assign(globalThis, { caches });
  return caches;
}

export async function serve(handler: Handler = filesUnder("/b/", goldenFiles())): Promise<Site> {
  const site = await serveSite(handler);
  sites.push(site);
  return site;
}
/** The paths that a host was asked for. */
export const paths = ({ requests }: Site) => requests.map(({ url }) => url);

/** A host whose files are those of `now.files`, and that goes wrong as `now.wrong` says. */
export async function changing(): Promise<{ now: { files: Map<string, Uint8Array>; wrong?: (name: string) => Handler | undefined }; url: string; site: Site }> {
  const now: Awaited<ReturnType<typeof changing>>["now"] = { files: goldenFiles() };
  const site = await serve((request, response) => (now.wrong?.(request.url?.slice(3) ?? "") ?? filesUnder("/b/", now.files))(request, response));
  return { now, url: `${site.url}b/`, site };
}

export const nameIn = (manifest: Uint8Array): unknown => (JSON.parse(new TextDecoder().decode(manifest)) as { name: unknown }).name;

/** Opens the bundle as a visit does whose engine works. */
export async function visit(url: string, options: BundleOptions = {}): Promise<{ source: BundleSource; name: unknown }> {
  const source = new BundleSource(url, options);
  const { manifest } = await source.open();
  await source.accept();
  return { source, name: nameIn(manifest) };
}
