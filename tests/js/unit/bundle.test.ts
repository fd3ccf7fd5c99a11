import { afterEach, test } from "node:test";
import { type BundleOptions, BundleSource, type FileEntry } from "../../../js/bundle/bundle.js";
import { eraseBundles } from "../../../js/bundle/cache.js";
import { IngleError } from "../../../js/errors.js";
import { sha256 } from "../../../js/bundle/hash.js";
import { KeptBundles } from "../../../js/bundle/kept.js";
import { readPopular } from "../../../js/bundle/popular.js";
import type { Progress } from "../../../js/types.js";
import { codeOf, equal, ok, until } from "../check.js";
import { FakeCaches } from "../caches.js";
import { filesUnder, goldenAgain, goldenFiles, goldenNext, type Handler, serveSite, type Site } from "../golden.js";

const sites: Site[] = [];
afterEach(async () => {
  Reflect.deleteProperty(globalThis, "caches");
  await Promise.all(sites.splice(0).map((site) => site.close()));
});

/** Gives the page the caches of a browser. */
function haveCaches(step?: (what: string) => Promise<void>): FakeCaches {
  const caches = new FakeCaches(step);
  Object.assign(globalThis, { caches });
  return caches;
}

async function serve(handler: Handler = filesUnder("/b/", goldenFiles())): Promise<Site> {
  const site = await serveSite(handler);
  sites.push(site);
  return site;
}

/** The golden bundle with a changed manifest. */
function withManifest(change: (manifest: { files: { name: string; bytes: number; role: string }[] }) => void): Handler {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as Parameters<typeof change>[0];
  change(manifest);
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  return filesUnder("/b/", files);
}

const paths = ({ requests }: Site) => requests.map(({ url }) => url);

test("brings the manifest and every file, byte for byte", async () => {
  const { url } = await serve();
  const { manifest, files } = await new BundleSource(`${url}b/`).open();
  const golden = goldenFiles();
  equal([...manifest], [...(golden.get("manifest.json") ?? [])]);
  golden.delete("manifest.json");
  equal([...files.keys()].sort(), [...golden.keys()].sort());
  for (const [name, bytes] of files) equal(Buffer.compare(bytes, golden.get(name) ?? new Uint8Array()), 0, name);
});

for (const address of ["b", "b/", "b/manifest.json"]) {
  test(`understands ${address} as the bundle's address`, async () => {
    const { url } = await serve();
    equal(new BundleSource(url + address).base.href, `${url}b/`);
    await new BundleSource(url + address).open();
  });
}

test("asks with GET, without query, cookies, referrer or headers of its own", async () => {
  const site = await serve();
  await new BundleSource(`${site.url}b/`).open();
  const usual = ["host", "connection", "accept", "accept-language", "sec-fetch-mode", "user-agent", "accept-encoding", "cache-control", "pragma"];
  for (const { method, url = "", headers } of site.requests) {
    equal(method, "GET");
    ok(/^\/b\/[a-z0-9-]+\.(json|safetensors)$/.test(url), `${url} is a plain file`);
    for (const name of Object.keys(headers)) ok(usual.includes(name), `header ${name} is one that fetch sends`);
  }
});

test("asks for the manifest first and then for files in its order", async () => {
  const site = await serve();
  const { entries } = await new BundleSource(`${site.url}b/`).open();
  equal(paths(site)[0], "/b/manifest.json");
  equal(paths(site).slice(1).sort(), entries.map(({ name }) => `/b/${name}`).sort());
});

test("reports every byte against the exact total", async () => {
  const { url } = await serve();
  const seen: Progress[] = [];
  const { entries } = await new BundleSource(`${url}b/`, { onProgress: (progress) => seen.push(progress) }).open();
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  ok(seen.every((progress, n) => progress.total === total && progress.loaded > (seen[n - 1]?.loaded ?? 0)), "it grows");
  equal(seen.at(-1)?.loaded, total);
});

test("opens again from its cache, with the same manifest and bytes that are the caller's", async () => {
  const site = await serve();
  const source = new BundleSource(`${site.url}b/`);
  const first = await source.open();
  const asked = paths(site).length;
  for (const file of first.files.values()) structuredClone(file, { transfer: [file.buffer] });
  const second = await source.open();
  equal(paths(site).length, asked);
  ok([...second.files.values()].every(({ length }) => length > 0), "nothing was moved away");
});

test("fetches nothing twice for those who ask at once", async () => {
  const site = await serve();
  const source = new BundleSource(`${site.url}b/`);
  const [one, other] = await Promise.all([source.open(), source.open(), source.manifest()]);
  equal(paths(site).length, new Set(paths(site)).size);
  equal([...other.files.keys()].sort(), [...one.files.keys()].sort());
  ok([...one.files].every(([name, bytes]) => other.files.get(name)?.buffer !== bytes.buffer), "each has bytes of its own");
});

test("asks again after a manifest that did not come", async () => {
  let broken = true;
  const whole = filesUnder("/b/", goldenFiles());
  const { url } = await serve((request, response) => (broken ? response.writeHead(503).end() : whole(request, response)));
  const source = new BundleSource(`${url}b/`);
  const codes = await Promise.all([source.open(), source.open()].map(codeOf));
  equal(codes, ["bundle/http", "bundle/http"]);
  broken = false;
  ok((await source.open()).files.size > 0, "it is there now");
});

test("does not download roles of later releases", async () => {
  const site = await serve(withManifest(({ files }) => files.push({ role: "codes", name: "codes-0123456789abcdef.json", bytes: 3, sha256: "0123456789abcdef".repeat(4) } as never)));
  await new BundleSource(`${site.url}b/`).open();
  ok(!paths(site).some((path) => path?.includes("codes")), "codes were not asked for");
});

test("a missing bundle is an http error that names the address", async () => {
  const { url } = await serve();
  const opened = new BundleSource(`${url}elsewhere/`).open();
  equal(await codeOf(opened), "bundle/http");
  ok(await opened.catch(({ message }: Error) => message.includes("404") && message.includes("/elsewhere/manifest.json")), "status and address");
});

test("a dead server is a network error", async () => {
  const site = await serve();
  await site.close();
  equal(await codeOf(new BundleSource(`${site.url}b/`).open()), "bundle/network");
});

/** Serves the golden bundle, but the model only so many bytes at a time before the connection breaks. */
function breaking(step: number, ranges: boolean): { handler: Handler; asked: (string | undefined)[] } {
  const files = goldenFiles();
  const asked: (string | undefined)[] = [];
  const good = filesUnder("/b/", files);
  const handler: Handler = (request, response) => {
    const bytes = files.get(request.url?.slice(3) ?? "");
    if (!bytes || !request.url?.includes("model")) return good(request, response);
    asked.push(request.headers.range);
    const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
    const range = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(from > 0 ? 206 : 200, { "content-length": bytes.length - from, ...(from > 0 && range) });
    const end = ranges ? from + step : step * asked.length;
    response.write(bytes.subarray(from, end), () => (end < bytes.length ? response.destroy() : response.end()));
  };
  return { handler, asked };
}

for (const ranges of [true, false]) {
  test(`a file that breaks off is ${ranges ? "taken up where it broke" : "begun again where a host sends no parts"}`, async () => {
    const { handler, asked } = breaking(200_000, ranges);
    const { url } = await serve(handler);
    const seen: Progress[] = [];
    const { files } = await new BundleSource(`${url}b/`, { pausesMs: [1], onProgress: (progress) => seen.push(progress) }).open();
    const [name, model] = [...goldenFiles()].find(([name]) => name.startsWith("model"))!;
    equal(Buffer.compare(files.get(name)!, model), 0);
    equal(asked.length, Math.ceil(model.length / 200_000));
    ok(asked.slice(1).every((range, n) => range === `bytes=${ranges ? (n + 1) * 200_000 : 200_000 * (n + 1)}-`), asked.join());
    equal(seen.at(-1)?.loaded, seen.at(-1)?.total, "every byte is reported once");
  });
}

test("a connection that always breaks at one place is a network error", async () => {
  const good = filesUnder("/b/", goldenFiles());
  let asked = 0;
  const { url } = await serve((request, response) => {
    if (!request.url?.includes("model")) return good(request, response);
    asked++;
    response.writeHead(200, { "content-length": 100_000 });
    response.write("half", () => response.destroy());
  });
  equal(await codeOf(new BundleSource(`${url}b/`, { pausesMs: [1, 1] }).open()), "bundle/network");
  equal(asked, 3);
});

test("an abort ends the wait for a file that broke off", async () => {
  const { handler, asked } = breaking(200_000, true);
  const { url } = await serve(handler);
  const controller = new AbortController();
  const opened = new BundleSource(`${url}b/`, { pausesMs: [60_000] }).open(controller.signal).catch((error: unknown) => error);
  await until(() => asked.length === 1, "the model is being sent");
  setTimeout(() => controller.abort("enough"), 50);
  equal(await opened, "enough");
});

for (const [what, page] of Object.entries({ "a web page": "<!doctype html>", nothing: "", "a list": "[]", "null": "null", "files that are none": '{"files":[1]}' })) {
  test(`${what} in the manifest's place is a manifest error`, async () => {
    const { url } = await serve((_, response) => response.end(page));
    equal(await codeOf(new BundleSource(`${url}b/`).open()), "bundle/manifest");
  });
}

for (const name of ["../secrets-0123456789abcdef.json", "/etc/passwd", "model-0123456789abcdef.json?user=7", "https://elsewhere/model-0123456789abcdef.json"]) {
  test(`a manifest that names ${name} is refused before anything is asked for`, async () => {
    const site = await serve(withManifest(({ files }) => files.forEach((file) => (file.name = name))));
    equal(await codeOf(new BundleSource(`${site.url}b/`).open()), "bundle/name");
    equal(paths(site), ["/b/manifest.json"]);
  });
}

for (const [what, by] of [["longer", -1], ["shorter", 1]] as const) {
  test(`a file that is ${what} than the manifest says is a size error`, async () => {
    const { url } = await serve(withManifest(({ files }) => files.forEach((file) => (file.bytes += by))));
    equal(await codeOf(new BundleSource(`${url}b/`).open()), "bundle/size");
  });
}

test("an abort rejects with its reason and stops the download", async () => {
  const good = filesUnder("/b/", goldenFiles());
  const site = await serve((request, response) => (request.url?.includes("model") ? void response.writeHead(200).write("slow") : good(request, response)));
  const controller = new AbortController();
  const opened = new BundleSource(`${site.url}b/`).open(controller.signal).catch((error: unknown) => error);
  await until(() => paths(site).some((path) => path?.includes("model")), "the model is being sent");
  controller.abort("enough");
  equal(await opened, "enough");
});

for (const address of ["https://", "/relative/", "https://shop.test/b/?user=7", "https://shop.test/b/#top"]) {
  test(`refuses ${address} as an address`, async () => {
    equal(await codeOf((async () => new BundleSource(address))()), "input/options");
  });
}

/** A host whose files are those of `now.files`, and that goes wrong as `now.wrong` says. */
async function changing(): Promise<{ now: { files: Map<string, Uint8Array>; wrong?: (name: string) => Handler | undefined }; url: string; site: Site }> {
  const now: Awaited<ReturnType<typeof changing>>["now"] = { files: goldenFiles() };
  const site = await serve((request, response) => (now.wrong?.(request.url?.slice(3) ?? "") ?? filesUnder("/b/", now.files))(request, response));
  return { now, url: `${site.url}b/`, site };
}

const nameIn = (manifest: Uint8Array): unknown => (JSON.parse(new TextDecoder().decode(manifest)) as { name: unknown }).name;

/** Opens the bundle as a visit does whose engine works. */
async function visit(url: string, options: BundleOptions = {}): Promise<{ source: BundleSource; name: unknown }> {
  const source = new BundleSource(url, options);
  const { manifest } = await source.open();
  await source.accept();
  return { source, name: nameIn(manifest) };
}

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

test("equal blocks are one file, fetched once", async () => {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as { files: { role: string; first_row?: number; rows?: number }[] };
  const block = manifest.files.find(({ role, first_row }) => role === "items" && first_row === 0)!;
  manifest.files.push({ ...block, first_row: 300 });
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  const site = await serve(filesUnder("/b/", files));
  const seen: Progress[] = [];
  const { entries } = await new BundleSource(`${site.url}b/`, { onProgress: (progress) => seen.push(progress) }).open();
  equal(paths(site).length, new Set(paths(site)).size);
  equal(entries.length, manifest.files.length);
  equal(seen.at(-1)?.loaded, seen.at(-1)?.total);
});

for (const [what, change] of Object.entries({
  "more files than there may be": (files: Entry[]) => files.push(...Array.from({ length: 1025 }, (_, n) => ({ ...files[0]!, role: "later", name: `later-${n.toString(16).padStart(16, "0")}.json`, sha256: n.toString(16).padStart(16, "0") }))),
  "more bytes in all than there may be": (files: Entry[]) => files.forEach((file) => (file.bytes = 2 ** 30)),
})) {
  test(`a manifest of ${what} is refused before anything is asked for`, async () => {
    const site = await serve(withManifest(({ files }) => change(files as Entry[])));
    equal(await codeOf(new BundleSource(`${site.url}b/`).open()), "bundle/manifest");
    equal(paths(site), ["/b/manifest.json"]);
  });
}

type Entry = { role: string; name: string; bytes: number; sha256: string };

test("a manifest's word reserves no memory", async () => {
  const made: number[] = [];
  const Whole = globalThis.Uint8Array;
  // 2 GiB in one file, of which the host sends nothing.
  const { url } = await serve(withManifest(({ files }) => files.forEach((file, n) => (file.bytes = n === 0 ? 2 ** 31 - 2 ** 20 : 100))));
  globalThis.Uint8Array = new Proxy(Whole, {
    construct(target, given, self) {
      if (typeof given[0] === "number") made.push(given[0]);
      return Reflect.construct(target, given, self) as object;
    },
  });
  try {
    await codeOf(new BundleSource(`${url}b/`).open());
  } finally {
    globalThis.Uint8Array = Whole;
  }
  ok(Math.max(...made) < 2 ** 22, `at most ${Math.max(...made)} bytes at once`);
});

test("the most popular items can be read while the model is still on its way", async () => {
  const { now, url } = await changing();
  now.wrong = (name) => (name.startsWith("model") ? () => {} : undefined);
  const controller = new AbortController();
  const source = new BundleSource(url, { signal: controller.signal });
  const popular = readPopular(await source.part("items", "ids"));
  equal(popular.length, 300);
  ok(popular.every(({ share }, n) => share > 0 && share <= (popular[n - 1]?.share ?? 1)), "most popular first");
  controller.abort("enough");
});
