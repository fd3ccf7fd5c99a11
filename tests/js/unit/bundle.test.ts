// What a page fetches of a bundle, and what of it it believes.

import { test } from "node:test";
import { BundleSource } from "../../../js/bundle/bundle.js";
import { readPopular } from "../../../js/bundle/popular.js";
import type { Progress } from "../../../js/types.js";
import { codeOf, equal, ok, until } from "../check.js";
import { filesUnder, goldenFiles, type Handler } from "../golden.js";
import { changing, paths, serve } from "../unsigned-visits.js";

/** The golden bundle with a changed manifest. */
function withManifest(change: (manifest: { files: { name: string; bytes: number; role: string }[] }) => void): Handler {
  const files = goldenFiles();
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as Parameters<typeof change>[0];
  change(manifest);
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  return filesUnder("/b/", files);
}

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
