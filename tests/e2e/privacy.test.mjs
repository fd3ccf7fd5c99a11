/** Nothing about the shopper leaves the browser: seen by the browser's own log, and on the wire. */
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { department, keptOffline, launch, SHOP, storedText, visit } from "./visit.mjs";

const origin = new URL(SHOP).origin;

/**
 * A proxy that writes down every request to the shop's server, whoever makes it: page, worker or beacon.
 * What the browser's own services ask elsewhere (updates, autofill) is no page's doing and is cut off;
 * a page's request to anyone else would stand in the browser's log of that page, which is checked too.
 */
async function wiretap() {
  const log = [];
  const server = createServer((incoming, outgoing) => {
    if (new URL(incoming.url).origin !== origin) return outgoing.destroy();
    const entry = { method: incoming.method, url: incoming.url, headers: incoming.headers, bodyBytes: 0 };
    log.push(entry);
    incoming.on("data", (chunk) => (entry.bodyBytes += chunk.length));
    const onward = request(incoming.url, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (_, socket) => socket.destroy());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { log, address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Looks at products, puts some of them into the basket and takes them out again: so many events in all. */
async function wander(page, items, events) {
  const add = page.locator("#add");
  for (let n = 0; n < events; n++) {
    if (n % 10 === 9) {
      await add.click();
      continue;
    }
    const item = items[n % items.length];
    await page.evaluate((id) => (location.hash = `#/p/${id}`), item);
    await page.locator(`#product[data-item="${item}"]`).waitFor();
  }
  await page.locator(`#click-count:text-is("${events}")`).waitFor();
}

/** One visit in a fresh browser: what was clicked, what the browser logged and what went over the wire. */
async function watchedVisit(departmentName, events) {
  const tap = await wiretap();
  const browser = await launch({ args: [`--proxy-server=${tap.address}`, "--proxy-bypass-list=<-loopback>"] });
  const logged = [];
  const watch = async (page, context) => {
    const devtools = await context.newCDPSession(page);
    await devtools.send("Network.enable");
    devtools.on("Network.requestWillBeSent", ({ request: sent }) => logged.push(sent));
    // The page's session does not see its workers; these events do.
    context.on("request", (sent) => logged.push({ url: sent.url(), method: sent.method(), hasPostData: sent.postData() !== null }));
  };
  try {
    const { context, page, end } = await visit(browser, { watch });
    await keptOffline(page);
    const loaded = tap.log.length;
    const items = departmentName ? await department(page, departmentName) : [];
    await wander(page, items, events);
    const stored = await storedText(page);
    assert.ok(items.slice(0, Math.min(events, 9)).every((item) => stored.includes(item)), "the visit was recorded on the device");
    assert.equal(await page.locator("#bytes-sent").textContent(), "0 bytes");
    const cookies = await context.cookies();
    await end();
    return { items, logged, wire: tap.log, loaded, cookies };
  } finally {
    await browser.close();
    tap.close();
  }
}

let visits;
before(async () => {
  visits = [await watchedVisit("Outdoor", 200), await watchedVisit("Books", 3), await watchedVisit("", 0)];
});

const addresses = (entries) => [...new Set(entries.map(({ url }) => url.replace(/#.*$/, "")))].sort();

test("only fetches the page's and the bundle's files", () => {
  for (const { logged, wire } of visits) {
    assert.ok(logged.length > 5 && wire.length > 5, "the logs saw the visit");
    for (const { url, method } of [...logged, ...wire]) {
      assert.equal(method, "GET", `${method} ${url}`);
      assert.equal(new URL(url).origin, origin, url);
      assert.equal(new URL(url).search, "", url);
      assert.match(new URL(url).pathname, /^\/(|sw\.js|icon\.svg|manifest\.webmanifest|assets\/[\w-]+\.\w+|bundle\/(manifest\.json|[a-z]+-[0-9a-f]{16}\.(safetensors|json)))$/);
    }
    const unseen = addresses(wire).filter((url) => !addresses(logged).includes(url));
    assert.deepEqual(unseen, [], "the browser's log has every request, the workers' included");
    const paths = addresses(wire).map((url) => new URL(url).pathname);
    assert.ok(paths.includes("/bundle/manifest.json") && paths.some((path) => path.endsWith(".wasm")), paths.join());
  }
});

test("asks for the same addresses in the same words whatever was clicked and however often", () => {
  const [most, ...others] = visits;
  const words = ({ wire }) => wire.map((sent) => JSON.stringify(sent)).sort();
  for (const other of others) {
    assert.notDeepEqual(most.items, other.items);
    assert.deepEqual(addresses(most.logged), addresses(other.logged));
    assert.deepEqual(words(most), words(other));
  }
});

test("asks for everything while it loads, and for nothing from the first click on", () => {
  for (const { wire, loaded } of visits) {
    const bundle = wire.flatMap(({ url }) => (url.includes("/bundle/") ? [new URL(url).pathname] : []));
    assert.equal(new Set(bundle).size, bundle.length, `nothing of the bundle is asked for twice: ${bundle}`);
    assert.deepEqual(wire.slice(loaded).map(({ url }) => url), []);
  }
});

test("sends no bodies, no cookies, no referrer and no word of what was clicked", () => {
  for (const { items, logged, wire, cookies } of visits) {
    assert.deepEqual(cookies, []);
    assert.ok(logged.every((sent) => !sent.hasPostData));
    for (const { url, headers, bodyBytes } of wire) {
      assert.equal(bodyBytes, 0, url);
      assert.equal(headers.cookie, undefined, url);
      assert.equal(headers.referer, undefined, url);
      const sent = decodeURIComponent(url) + JSON.stringify(headers);
      assert.ok(!items.some((item) => sent.includes(item)), url);
    }
  }
});

test("the page forbids itself to talk to anyone else", async () => {
  const browser = await launch();
  after(() => browser.close());
  const { page, context } = await visit(browser);
  const policy = await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content");
  for (const rule of ["default-src 'self'", "connect-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "form-action 'none'"]) {
    assert.ok(policy.includes(rule), rule);
  }
  const refused = await page.evaluate(() => fetch("http://127.0.0.1:9/", { mode: "no-cors" }).then(() => "sent", () => "refused"));
  assert.equal(refused, "refused");
  await context.close();
});

test("importing the package on a server touches nothing", async () => {
  const names = ["fetch", "indexedDB", "caches", "Worker", "localStorage", "document", "navigator"];
  const touched = [];
  const saved = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const name of names) Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
  const before = Object.keys(globalThis);
  try {
    const { createRecommender } = await import("ingle");
    assert.equal(typeof createRecommender, "function");
    assert.deepEqual(touched, []);
    assert.deepEqual(Object.keys(globalThis), before);
  } finally {
    for (const [name, descriptor] of saved) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }
});
