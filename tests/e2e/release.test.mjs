/** The shop publishes a signed release while its page is open: as `./build.sh demo` does, in Chromium and in Firefox. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { until as untilSo } from "../examples/visit.mjs";
import { launchFirefox } from "../firefox.mjs";
import { launch } from "./visit.mjs";

const demo = process.env.INGLE_DEMO;
assert.ok(demo, "INGLE_DEMO names no program that serves the demo: run these tests by ./build.sh test");
/** INGLE_SHOTS names a folder to keep the pictures in. */
const shots = process.env.INGLE_SHOTS;

/** The demo's program: a line on its standard input publishes a release. */
async function openShop() {
  const program = spawn(demo, ["www/dist", "www/demo/bundle", "www/demo/next", "--addr", "127.0.0.1:0", "--after", "0"], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const said = async (words) => {
    for (;;) {
      const { value, done } = await lines.next();
      assert.ok(!done, `the program ended before it said ${words}`);
      if (words.test(value)) return value;
    }
  };
  const url = await said(/^http/);
  const publish = async (release) => {
    program.stdin.write("\n");
    await said(new RegExp(`^Release ${release} is out`));
  };
  return { url, publish, close: () => program.kill("SIGTERM") };
}

/** A visitor's page by either driver: `goto(url)`, `reload()`, `evaluate(function, argument)`. */
class Visitor {
  constructor(page) {
    this.page = page;
  }

  async arrive(url) {
    await this.page.goto(url);
    await this.answered();
  }

  async reload() {
    await this.page.reload();
    await this.answered();
  }

  /** A page asks for releases while it is seen; Firefox has its tabs in one window. */
  async front() {
    await this.page.bringToFront();
  }

  until(condition, argument) {
    return untilSo(String(condition), () => this.page.evaluate(condition, argument), (seen) => seen === true);
  }

  answered() {
    return this.until(() => /ms$/.test(document.querySelector("#answer-ms")?.textContent ?? "") && !!document.querySelector("#release"));
  }

  text(selector) {
    return this.page.evaluate((one) => document.querySelector(one)?.textContent ?? "", selector);
  }

  press(selector) {
    return this.page.evaluate((one) => document.querySelector(one).click(), selector);
  }

  release() {
    return this.page.evaluate(() => Number(document.querySelector("#release").dataset.release));
  }

  /** Looks at the first products of a department. */
  async lookAround() {
    await this.page.evaluate(() => void (location.hash = "#/c/Outdoor"));
    await this.until(() => document.querySelectorAll("#grid .card").length > 3);
    const items = await this.page.evaluate(() => [...document.querySelectorAll("#grid .card")].slice(0, 3).map(({ dataset }) => dataset.item));
    for (const item of items) {
      await this.page.evaluate((id) => void (location.hash = `#/p/${id}`), item);
      await this.until((id) => !!document.querySelector(`.click[data-item="${id}"]`), item);
    }
    await this.page.evaluate(() => void (location.hash = "#/"));
    return items.sort();
  }

  clicks() {
    return this.page.evaluate(() => [...document.querySelectorAll(".click")].map(({ dataset }) => dataset.item).sort());
  }

  /** Waits until the device has a whole bundle of this many files, each of which is what the manifest at the host says; gives its names. */
  async keeps() {
    const kept = async () => {
      if (!(await caches.has("ingle-bundles"))) return "nothing is kept";
      const cache = await caches.open("ingle-bundles");
      const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const { files } = await (await fetch("/bundle/manifest.json", { cache: "no-store" })).json();
      const urls = (await cache.keys()).map(({ url }) => url);
      if (urls.filter((url) => url.endsWith("/manifest.json")).length !== 1 || urls.length !== files.length + 1) return `${urls.length} files are kept`;
      for (const { name, sha256 } of files) {
        const url = urls.find((one) => one.endsWith(`/${name}`));
        const found = url && hex(await crypto.subtle.digest("SHA-256", await (await cache.match(url)).arrayBuffer()));
        if (found !== sha256) return `${name} is ${found ?? "not kept"}`;
      }
      return true;
    };
    await untilSo("the bundle at the host is kept, whole", () => this.page.evaluate(kept), (seen) => seen === true);
  }

  /** What of bundles was fetched so far, by the beginning of its name. */
  fetched() {
    return this.page.evaluate(() => performance.getEntriesByType("resource").flatMap(({ name }) => /\/bundle\/(delta|model|items|ids)-/.exec(name)?.[1] ?? []));
  }
}

const BROWSERS = {
  Chromium: async () => {
    const browser = await launch();
    return { browser, newPage: async () => (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage() };
  },
  Firefox: async () => {
    const browser = await launchFirefox();
    const newPage = async () => {
      const page = await (await browser.createBrowserContext()).newPage();
      await page.setViewport({ width: 1440, height: 900 });
      return page;
    };
    return { browser, newPage };
  },
};

// Most of the time is waiting, so both are visited at once.
describe("in each browser", { concurrency: true }, () => {
  for (const [name, start] of Object.entries(BROWSERS)) {
    test(`${name}: a page that is open moves to the release that the shop publishes, by the difference, and keeps the history`, { timeout: 300_000 }, async () => {
      const [shop, { browser, newPage }] = await Promise.all([openShop(), start()]);
      try {
        const [mine, other] = [new Visitor(await newPage()), new Visitor(await newPage())];
        for (const visitor of [mine, other]) await visitor.arrive(shop.url);
        assert.equal(await mine.release(), 1);
        assert.match(await mine.text(".release"), /Signed by inglenook/);
        await mine.press("#consent-yes");
        await other.press("#consent-no");
        await mine.front();
        await mine.keeps();
        const items = await mine.lookAround();
        await other.lookAround();
        const first = await mine.fetched();
        assert.ok(first.includes("model") && !first.includes("delta"), first.join());
        if (shots) await mine.page.screenshot({ path: `${shots}/${name}-before.png` });

        await shop.publish(2);
        await mine.until(() => document.querySelector("#release").dataset.release === "2" && /Fetched/.test(document.querySelector("#moved-words")?.textContent ?? ""));
        assert.match(await mine.text("#moved"), /Release 2 is here.*Your 3 clicks are still here/);
        assert.match(await mine.text("#moved-words"), /Moved from release 1 to 2 .* Fetched: \d\d kB, the difference, of a model of \d\d\d kB\. Your 3 clicks/);
        assert.deepEqual((await mine.fetched()).slice(first.length), ["delta"], "nothing is fetched whole");
        await mine.keeps();
        assert.deepEqual(await mine.clicks(), items);
        if (shots) {
          // Once the notice has faded in.
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          await mine.page.screenshot({ path: `${shots}/${name}-after.png` });
        }

        // Who does not want to be remembered has nothing that a difference could be made from.
        await other.front();
        await other.until(() => document.querySelector("#release").dataset.release === "2" && /whole files/.test(document.querySelector("#moved-words")?.textContent ?? ""));
        assert.ok(!(await other.fetched()).includes("delta"));
        assert.equal((await other.clicks()).length, 3);

        await mine.front();
        await mine.press("#moved button");
        assert.equal(await mine.text("#moved"), "");
        await mine.reload();
        assert.deepEqual([await mine.release(), await mine.text("#bytes-sent"), await mine.text("#moved")], [2, "0 bytes", ""]);
        await mine.until((count) => document.querySelectorAll(".click").length === count, items.length);

        // Taken back: a higher release, which has the first bundle again.
        await shop.publish(3);
        await mine.until(() => document.querySelector("#release").dataset.release === "3");
        await mine.keeps();
        assert.deepEqual(await mine.clicks(), items);

        // The second bundle tells accidents as the first one does.
        await shop.publish(4);
        await mine.until(() => document.querySelector("#release").dataset.release === "4");
        await mine.press("#play");
        await mine.until(() => /set aside/.test(document.querySelector("#play-note").textContent));
        assert.match(await mine.text("#play-note"), /set aside 3 of 3 accidents and [01] of 8/);
      } finally {
        await browser.close();
        shop.close();
      }
    });
  }
});
