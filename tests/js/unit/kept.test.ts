// The bundle on the device: what answers when the host does not, and what is written, kept and replaced.

import { test } from "node:test";
import { BundleSource, type FileEntry } from "../../../js/bundle/bundle.js";
import { eraseBundles } from "../../../js/bundle/cache.js";
import { IngleError } from "../../../js/errors.js";
import { sha256 } from "../../../js/bundle/hash.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import { codeOf, equal, ok, until } from "../check.js";
import { filesUnder, goldenAgain, goldenFiles, goldenNext, type Handler } from "../golden.js";
import { changing, haveCaches, nameIn, paths, visit } from "../unsigned-visits.js";

const FAULTS: Record<string, [string, (name: string) => Handler | undefined]> = {
  "a manifest that is missing": ["bundle/http", (name) => (name === "manifest.json" ? (_, response) => response.writeHead(404).end() : undefined)],
  "a portal's page in place of the manifest": ["bundle/manifest", (name) => (name === "manifest.json" ? (_, response) => response.end("<!doctype html>") : undefined)],
  "a manifest of another format": ["bundle/format", (name) => (name === "manifest.json" ? (_, response) => response.end('{"format":2}') : undefined)],
  "a manifest that redirects": ["bundle/http", (name) => (name === "manifest.json" ? (_, response) => response.writeHead(302, { location: "/b/other.json" }).end() : undefined)],
  "a manifest without an end": ["bundle/manifest", (name) => (name === "manifest.json" ? endless : undefined)],
  "a host that hangs": ["bundle/network", () => () => {}],
  "a file that is missing": ["bundle/http", (name) => (name.startsWith("model") ? (_, response) => response.writeHead(404).end() : undefined)],
  "a file with one wrong byte": ["bundle/hash", (name) => (name.startsWith("model") ? damaged(name) : undefined)],
};

const endless: Handler = (_, response) => {
  const more = () => response.destroyed || response.write(" ".repeat(2 ** 16), more);
  more();
};

function damaged(name: string): Handler {
  const bytes = (goldenFiles().get(name) ?? goldenNext().get(name))!.slice();
  bytes[bytes.length - 1]! ^= 1;
  return (_, response) => response.end(bytes);
}

for (const [what, [code, wrong]] of Object.entries(FAULTS)) {
  test(`${what} is told, and the bundle that is kept answers`, async () => {
    const { now, url } = await changing();
    // Who hangs is told at once; everybody else has the time that a busy machine takes.
    const stallMs = what === "a host that hangs" ? 100 : 15_000;
    now.wrong = wrong;
    equal(await codeOf(visit(url, { stallMs })), code, "without one that is kept");
    haveCaches();
    delete now.wrong;
    equal((await visit(url)).name, "golden");
    now.files = goldenNext();
    now.wrong = wrong;
    const { source, name } = await visit(url, { stallMs, patienceMs: 60_000 });
    equal([name, source.stale?.code], ["golden", code]);
    delete now.wrong;
    const after = await visit(url);
    equal([after.name, after.source.stale], ["golden next", undefined], "once the host is well again");
  });
}

test("a host that is slow is not waited for where a bundle is kept, and its bundle is told of when it comes", async () => {
  haveCaches();
  const { now, url } = await changing();
  await visit(url);
  now.files = goldenAgain();
  let answer = (): void => {};
  now.wrong = (name) => (name === "manifest.json" ? (request, response) => void (answer = () => filesUnder("/b/", now.files)(request, response)) : undefined);
  let late = 0;
  const { source, name } = await visit(url, { patienceMs: 50, onLate: () => late++ });
  equal([name, source.stale?.code, late], ["golden", "bundle/network", 0]);
  answer();
  await until(() => late === 1, "it is told of");
  delete now.wrong;
  equal((await visit(url)).name, "golden again");
});

test("where only the host's bundle is wanted a kept one does not stand in for it", async () => {
  haveCaches();
  const { now, url } = await changing();
  await visit(url);
  now.wrong = () => (_, response) => response.writeHead(503).end();
  equal(await codeOf(visit(url, { fallback: false })), "bundle/http");
});

test("nothing is kept before an engine has accepted it, and one that it refuses leaves the last good one", async () => {
  haveCaches();
  const { now, url } = await changing();
  await new BundleSource(url).open();
  equal(await new KeptBundles().latest(url), undefined);
  await visit(url);
  now.files = goldenAgain();
  const source = new BundleSource(url);
  equal(nameIn((await source.open()).manifest), "golden again");
  equal(await source.refuse(new IngleError("engine/wasm", "not the bundle's fault")), false);
  equal(await source.refuse(new IngleError("method/unknown", "of a later release")), true);
  equal([nameIn((await source.open()).manifest), source.stale?.code], ["golden", "method/unknown"]);
  await source.accept();
  equal(nameIn((await new KeptBundles().latest(url))!.manifest), "golden");
  equal(await source.refuse(new IngleError("bundle/tensor", "too late")), false);
});

test("a kept bundle that an engine refuses is not tried for ever", async () => {
  haveCaches();
  const { now, url } = await changing();
  await visit(url);
  now.wrong = () => (_, response) => response.writeHead(503).end();
  const source = new BundleSource(url);
  await source.open();
  equal(await source.refuse(new IngleError("model/config", "of an earlier release")), false);
  equal(await codeOf(source.open()), "bundle/http");
});

test("damage that only an engine can see is fetched past every cache, once", async () => {
  const asked: (RequestCache | undefined)[] = [];
  const { url } = await changing();
  const source = new BundleSource(url, { fetch: (input, init) => (asked.push(init?.cache), fetch(input, init)) });
  await source.open();
  equal(await source.refuse(new IngleError("bundle/hash", "damaged")), true);
  asked.length = 0;
  await source.open();
  equal([...new Set(asked)], ["no-store", "reload"]);
  equal(await source.refuse(new IngleError("bundle/hash", "damaged")), false);
});

test("a file with a wrong byte in a cache on the way is fetched once more past it", async () => {
  const { url } = await changing();
  const asked: string[] = [];
  const poisoned: typeof fetch = async (input, init) => {
    const name = String(input).split("/").at(-1)!;
    asked.push(`${name.split("-")[0]} ${init?.cache}`);
    return init?.cache === "force-cache" && name.startsWith("ids") ? new Response("[]") : fetch(input, init);
  };
  const { files } = await new BundleSource(url, { fetch: poisoned }).open();
  const [name, ids] = [...goldenFiles()].find(([name]) => name.startsWith("ids"))!;
  equal(Buffer.compare(files.get(name)!, ids), 0);
  equal(asked.filter((one) => one.startsWith("ids")), ["ids force-cache", "ids reload"]);
  equal(asked[0], "manifest.json no-store");
});

test("a browser's cache that has kept an answer without the file is passed over", async () => {
  const { url } = await changing();
  const asked: string[] = [];
  const cached: typeof fetch = async (input, init) => {
    const name = String(input).slice(url.length);
    if (name.startsWith("model")) asked.push(init?.cache ?? "default");
    return name.startsWith("model") && init?.cache === "force-cache" ? new Response(null, { status: 404 }) : fetch(input, init);
  };
  equal((await visit(url, { fetch: cached })).name, "golden");
  equal(asked, ["force-cache", "reload"]);
});

test("a damaged file on the device is fetched anew and put back", async () => {
  const caches = haveCaches();
  const { now, url, site } = await changing();
  await visit(url);
  const store = caches.stores.get("ingle-bundles")!;
  const [address, bytes] = [...store].find(([address]) => address.includes("/ids-"))!;
  bytes[7]! ^= 1;
  now.wrong = (name) => (name === "manifest.json" ? (_, response) => response.writeHead(503).end() : undefined);
  const asked = paths(site).length;
  const { source } = await visit(url);
  equal(source.stale?.code, "bundle/http");
  equal(paths(site).slice(asked).length, 2, "the manifest and this file");
  equal(Buffer.compare(store.get(address)!, goldenFiles().get(address.split("/").at(-1)!)!), 0);
});

test("what came of a bundle that did not come whole is not fetched again at the next visit", async () => {
  const caches = haveCaches();
  const { now, url, site } = await changing();
  now.wrong = (name) => (name.startsWith("model") ? (_, response) => response.writeHead(503).end() : undefined);
  equal(await codeOf(visit(url)), "bundle/http");
  delete now.wrong;
  const asked = paths(site).length;
  await visit(url);
  ok(paths(site).slice(asked).every((path) => /manifest|model/.test(path ?? "")), paths(site).slice(asked).join());
  ok(![...caches.stores.get("ingle-bundles")!.keys()].some((address) => address.includes("/staged/")), "and does not lie there twice");
});

test("a bundle that shares files with the kept one fetches the others, and replaces it", async () => {
  const caches = haveCaches();
  const { now, url, site } = await changing();
  await visit(url);
  now.files = goldenAgain();
  const asked = paths(site).length;
  await visit(url);
  equal(paths(site).slice(asked), ["/b/manifest.json"]);
  const kept = [...caches.stores.get("ingle-bundles")!.keys()];
  equal(kept.length, goldenFiles().size, "the earlier one is gone");
  ok(kept.every((address) => !address.startsWith(site.url) && new URL(address).hostname.endsWith(".invalid")), "under addresses that nobody asks for");
});

test("what is on the device goes with every bundle, and only where it may be stored is anything written", async () => {
  const caches = haveCaches();
  const { url } = await changing();
  let may = false;
  const cache = new KeptBundles(() => may);
  await visit(url, { cache });
  equal(caches.stores.size, 0);
  may = true;
  await cache.settle();
  equal(nameIn((await cache.latest(url))!.manifest), "golden");
  await eraseBundles();
  equal(caches.stores.size, 0);
});

test("what is on its way to the device when it may not be kept any more does not stay there", async () => {
  const base = "https://shop.example/b/";
  const bytes = new TextEncoder().encode("a file");
  const entry = { role: "items", name: "items.bin", bytes: bytes.length, sha256: (await sha256(bytes))!, dtype: "ids" } as unknown as FileEntry;
  const ways: Record<string, (kept: KeptBundles) => Promise<void>> = {
    "a bundle": (kept) => kept.accept({ base, manifest: bytes, entries: [entry], since: [], ask: async () => bytes }),
    "a part of one": (kept) => kept.stage(base, [entry]),
    "a file that is put back": (kept) => kept.mend(base, "1-1-1", entry.name, bytes),
  };
  for (const [what, write] of Object.entries(ways)) {
    for (const refuse of [true, false]) {
      let may = true;
      let puts = 0;
      const caches = haveCaches(async (step) => {
        if (!step.startsWith("put")) return;
        puts++;
        may &&= !refuse;
      });
      const kept = new KeptBundles(() => may);
      kept.hold(base, entry.name, bytes);
      await write(kept);
      ok(puts > 0, `${what} is written`);
      equal(caches.stores.size, refuse ? 0 : 1, `${what}, refused: ${refuse}`);
    }
  }
});

test("a disk that is full keeps the last bundle whole and the new one in memory", async () => {
  const caches = haveCaches();
  const { now, url } = await changing();
  await visit(url);
  now.files = goldenAgain();
  const { open } = caches;
  caches.open = async (name) => ({ ...(await open.call(caches, name)), put: () => Promise.reject(new DOMException("full", "QuotaExceededError")) });
  const { source, name } = await visit(url);
  equal(name, "golden again");
  ok((await source.open()).files.size > 0, "it can be opened again");
  equal(nameIn((await new KeptBundles().latest(url))!.manifest), "golden");
});
