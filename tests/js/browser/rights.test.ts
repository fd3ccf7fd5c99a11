// What the shopper may decide: consent, pause, forgetting, and that every tab agrees.

import { after, before, describe, test } from "node:test";
import { equal, ok, sleep, until } from "../check.js";
import { goldenHashes, type Site } from "../golden.js";
import { BROWSERS, ChromiumVisitor, launch, launchFirefox, launchKeepingPages, type Running, serveShop, Visitor } from "./harness.js";

let site: Site;
before(async () => (site = await serveShop()));
after(() => site.close());

const ITEMS = ["sku-42", "sku-7", "sku-63"];
const NOTHING = { databases: [], caches: [], local: 0, session: 0, cookies: "" };

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, () => {
    let browser: Running;
    before(async () => (browser = await start()));
    after(() => browser.close());

    test("nothing is stored before consent, however much is asked", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open");
      await visitor.call("visit", ITEMS);
      equal(await visitor.call("history"), ITEMS);
      await visitor.call("recommend");
      equal(await visitor.call("stored"), { databases: [], caches: [], local: 0, session: 0, cookies: "" });
      await visitor.leave();
    });

    test("consent keeps what the visit had so far, and taking it back erases it", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open");
      await visitor.call("visit", ITEMS);
      await visitor.call("consent", "granted");
      const stored = await visitor.call("stored");
      equal([stored.databases, stored.caches], [["ingle"], ["ingle-bundles"]]);
      ok(ITEMS.every((item) => stored.events?.includes(item)), stored.events ?? "nothing");
      await visitor.reload();
      await visitor.call("open", { consent: "granted" });
      equal(await visitor.call("history"), ITEMS);
      await visitor.call("consent", "session");
      equal(await visitor.call("history"), ITEMS, "still in memory");
      equal(await visitor.call("stored"), { databases: [], caches: [], local: 0, session: 0, cookies: "" });
      await visitor.call("consent", "denied");
      await visitor.call("visit", ["sku-1"]);
      equal(await visitor.call("history"), []);
      await visitor.leave();
    });

    test("forgetting everything leaves no trace, not even a count", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", { consent: "granted" });
      await visitor.call("visit", ITEMS);
      await visitor.call("forget");
      const { databases, local, session, cookies } = await visitor.call("stored");
      equal([databases, local, session, cookies], [[], 0, 0, ""]);
      equal(Object.entries(await visitor.call("cached")).sort(), Object.entries(goldenHashes()).sort(), "the bundle's files are as the server has them");
      await visitor.call("visit", ["sku-9"]);
      equal(await visitor.call("firstKey"), 1);
      await visitor.leave();
    });

    test("Global Privacy Control keeps a granted history in memory, unless the shop says otherwise", async () => {
      const visitor = await browser.arrive(site, "/private");
      const { status } = await visitor.call("open", { consent: "granted" });
      equal([status.consent, status.globalPrivacyControl, status.storage.kind], ["session", true, "memory"]);
      ok(status.storage.reason?.includes("Global Privacy Control"), "the reason is given");
      await visitor.call("visit", ITEMS);
      equal((await visitor.call("stored")).databases, []);
      const { status: ignoring } = await visitor.call("open", { consent: "granted", globalPrivacyControl: "ignore" });
      equal([ignoring.consent, ignoring.globalPrivacyControl], ["granted", false]);
      await visitor.leave();
    });

    test("a pause holds in every tab and over a reload", async () => {
      const visitor = await browser.arrive(site);
      const other = await visitor.another(site);
      for (const tab of [visitor, other]) await tab.call("open", { consent: "granted" });
      await visitor.call("pause", true);
      await until(async () => (await other.call("status")).paused, "the other tab hears of it");
      await other.call("visit", ITEMS);
      equal(await other.call("history"), []);
      await visitor.reload();
      await visitor.call("open", { consent: "granted" });
      await until(async () => (await visitor.call("status")).paused, "it is remembered");
      await visitor.call("pause", false);
      await until(async () => !(await other.call("status")).paused, "and ends everywhere");
      await visitor.leave();
    });

    for (const consent of ["granted", "session"] as const) {
      test(`two tabs have one history, forget it together, and share consent (${consent})`, async () => {
        const visitor = await browser.arrive(site);
        await visitor.call("open", { consent });
        await visitor.call("visit", ["sku-42"]);
        const other = await visitor.another(site);
        await other.call("open", { consent });
        await until(async () => (await other.call("history")).join() === "sku-42", "a later tab has it too");
        await other.call("visit", ["sku-7"]);
        await until(async () => (await visitor.call("history")).join() === "sku-42,sku-7", "both have both");
        await visitor.call("forgetItem", "sku-42");
        await until(async () => (await other.call("history")).join() === "sku-7", "one is forgotten in both");
        await visitor.call("consent", "denied");
        await until(async () => (await other.call("status")).consent === "denied", "consent is shared");
        equal([await visitor.call("history"), await other.call("history")], [[], []]);
        await visitor.leave();
      });
    }

    test("a page that begins with a refusal erases what earlier visits stored, the bundle's files too", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", { consent: "granted" });
      await visitor.call("visit", ITEMS);
      const { databases, caches } = await visitor.call("stored");
      equal([databases, caches], [["ingle"], ["ingle-bundles"]]);
      await visitor.reload();
      await visitor.call("open", { consent: "denied" });
      await visitor.call("history");
      equal(await visitor.call("stored"), NOTHING);
      await visitor.leave();
    });

    test("consent is taken back without the core too, files included", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open", { consent: "granted" });
      await visitor.call("visit", ITEMS);
      const other = await visitor.another(site, "/no-core");
      await other.call("begin", { consent: "granted" });
      equal(await other.call("codeOfReady"), "engine/unavailable");
      await other.call("consent", "session");
      equal(await other.call("stored"), NOTHING);
      await visitor.leave();
    });

    test("the answer is remembered where the shop asks for that, a refusal only where it wants one", async () => {
      const visitor = await browser.arrive(site);
      const again = async (options: object = {}): Promise<unknown> => {
        await visitor.reload();
        await visitor.call("begin", { consent: "ask", ...options });
        const { consent, answered } = await visitor.call("status");
        return [consent, answered, await visitor.call("local")];
      };
      equal(await again(), ["session", false, {}]);
      await visitor.call("consent", "granted");
      await visitor.call("visit", ITEMS);
      equal(await again(), ["granted", true, { "ingle:ingle:consent": "granted" }]);
      equal(await visitor.call("history"), ITEMS);
      const asksForPrivacy = await visitor.another(site, "/private");
      await asksForPrivacy.call("begin", { consent: "ask" });
      const { consent, answered } = await asksForPrivacy.call("status");
      equal([consent, answered, await asksForPrivacy.call("history")], ["session", true, []]);
      // Else it would tell of what is decided below.
      await asksForPrivacy.tab.close();
      await visitor.call("consent", "session");
      equal(await again(), ["session", false, {}]);
      equal(await visitor.call("history"), []);
      await visitor.call("begin", { consent: "ask", rememberRefusal: true });
      await visitor.call("consent", "denied");
      equal(await again({ rememberRefusal: true }), ["denied", true, { "ingle:ingle:consent": "denied" }]);
      equal(await again(), ["session", false, { "ingle:ingle:consent": "denied" }], "a shop that does not remember refusals reads none");
      await visitor.call("consent", "denied");
      equal(await visitor.call("stored"), NOTHING);
      await visitor.leave();
    });

    test("what any script says to the tabs only ever lowers what they keep", async () => {
      for (const path of ["/", "/private"]) {
        const visitor = await browser.arrive(site, path);
        await visitor.call("begin", { consent: path === "/private" ? "granted" : "session" });
        await visitor.call("visit", ["sku-42"]);
        const at = Date.now() + 3_600_000;
        const other = await visitor.another(site);
        for (const message of [{ kind: "consent", consent: "granted", at }, { kind: "paused", paused: false, at }, { kind: "stored" }, null, { kind: "events", events: [{ item: 7 }, { item: "sku-9", type: "view", at: 5, dwell: -1 }] }, { kind: "forget", item: {}, at }, { kind: "events", events: { length: 1e9 } }]) await other.call("say", message);
        await other.call("say", { kind: "forget", item: "sku-1", at: 1 });
        await visitor.call("visit", ["sku-7"]);
        equal([(await visitor.call("status")).consent, await visitor.call("history")], ["session", ["sku-42", "sku-7"]]);
        equal(await visitor.call("stored"), NOTHING);
        await other.call("say", { kind: "events", events: Array.from({ length: 5_000 }, (_, n) => ({ item: `other-${n}`, type: "view", at: Date.now() - 10_000 + n, more: "x".repeat(100) })) });
        await until(async () => (await visitor.call("history")).length > 2, "events are taken in");
        equal((await visitor.call("history")).length, 200, "as many as are kept");
        await other.call("say", { kind: "consent", consent: "denied", at: Date.now() });
        await until(async () => (await visitor.call("status")).consent === "denied", "it is denied");
        equal(await visitor.call("history"), []);
        await visitor.leave();
      }
    });

    test("a tab hears what another one records whose clock is a little ahead, and nothing of tomorrow", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("begin", { consent: "session" });
      const other = await visitor.another(site);
      const says = (item: string, ahead: number): Promise<unknown> => other.call("say", { kind: "events", events: [{ item, type: "view", at: Date.now() + ahead }] });
      await says("sku-1", 86_400_000);
      await says("sku-2", 500);
      await until(async () => (await visitor.call("history")).length > 0, "it is heard");
      equal(await visitor.call("history"), ["sku-2"]);
      await visitor.call("visit", ["sku-3"]);
      equal(await visitor.call("history"), ["sku-2", "sku-3"]);
      await visitor.leave();
    });

    test("consent given in three tabs at once stores what each of them has heard once", async () => {
      const visitor = await browser.arrive(site);
      const tabs = [visitor, await visitor.another(site), await visitor.another(site)];
      for (const tab of tabs) await tab.call("begin", { consent: "session" });
      await visitor.call("visit", ITEMS);
      await visitor.call("visit", ["sku-9"]);
      for (const tab of tabs) await until(async () => (await tab.call("history")).length === 4, "every tab has all");
      await Promise.all(tabs.map((tab) => tab.call("consent", "granted")));
      for (const tab of tabs) equal(await tab.call("history"), [...ITEMS, "sku-9"]);
      equal((JSON.parse((await visitor.call("stored")).events ?? "[]") as unknown[]).length, 4);
      await visitor.leave();
    });

    test("a clock that is set back loses no event and keeps their order", async () => {
      const visitor = await browser.arrive(site);
      const options = { consent: "granted", storage: { collapseMs: 0 } } as const;
      await visitor.call("clock", 86_400_000);
      await visitor.call("open", options);
      await visitor.call("visit", ITEMS);
      await visitor.call("clock", -86_400_000);
      await visitor.call("visit", ["sku-5"]);
      equal(await visitor.call("history"), [...ITEMS, "sku-5"]);
      await visitor.reload();
      await visitor.call("open", options);
      await visitor.call("visit", ["sku-6"]);
      const events = await visitor.call("events");
      equal(events.map(({ item }) => item), [...ITEMS, "sku-5", "sku-6"]);
      ok(events.every(({ at }) => at <= Date.now()), "none is in the future");
      ok((await visitor.call("recommend")).every(({ item }) => !ITEMS.includes(item)), "all of it counts");
      await visitor.leave();
    });

    test("a hundred thousand stored events are read, added to and recommended from", { timeout: 400_000 }, async () => {
      const visitor = await browser.arrive(site);
      const storage = { retain: 100_000 };
      await visitor.call("open", { consent: "granted", storage });
      await visitor.call("visit", Array.from({ length: 100_000 }, (_, n) => `sku-${n % 300}`));
      await visitor.reload();
      await visitor.call("open", { consent: "granted", storage });
      await visitor.call("visit", ["sku-7"]);
      const history = await visitor.call("history");
      equal([history.length, history.at(-1)], [100_000, "sku-7"]);
      const seen = new Set(history.slice(-1000));
      ok((await visitor.call("recommend")).every(({ item }) => !seen.has(item)), "nothing that has been seen");
      await visitor.leave();
    });

    test("a bundle that is being written to the device when another tab withdraws does not stay there", async () => {
      const visitor = await browser.arrive(site);
      const other = await visitor.another(site);
      await visitor.call("holdWrites");
      await visitor.call("open", { consent: "granted" });
      await until(async () => (await visitor.call("heldWrites")) > 0, "it is being written");
      await other.call("begin", { consent: "session" });
      // Waits for the other tab, but not for ever.
      await other.call("consent", "denied");
      await visitor.call("letWrite");
      await sleep(1_000);
      equal(await visitor.call("stored"), NOTHING);
      await visitor.leave();
    });

    test("which engine is faster is forgotten while it is being written", async () => {
      const visitor = await browser.arrive(site);
      equal(await visitor.call("forgetVerdict"), []);
      await visitor.leave();
    });

    for (const consent of ["denied", undefined] as const) {
      test(`an event that is being written to the device when another tab ${consent ? "withdraws" : "forgets"} does not stay there`, async () => {
        const visitor = await browser.arrive(site);
        const other = await visitor.another(site);
        for (const tab of [visitor, other]) await tab.call("open", { consent: "granted" });
        await visitor.call("visit", ["sku-7"]);
        await visitor.call("holdHistory");
        const writing = visitor.call("visit", ["sku-9"]);
        await sleep(300);
        const erasing = consent ? other.call("consent", consent) : other.call("forget");
        await sleep(1_000);
        await visitor.call("letWrite");
        await Promise.all([writing, erasing]);
        for (const tab of [visitor, other]) await until(async () => (await tab.call("history")).length === 0, "nothing is left");
        await until(async () => (await other.call("stored")).databases.length === 0, "nor on the device");
        await visitor.leave();
      });
    }

    test("records what the markup shows, once it has been seen, and for how long", async () => {
      const visitor = await browser.arrive(site);
      await visitor.call("open");
      await visitor.call("markup");
      await until(async () => (await visitor.call("events")).some(({ item }) => item === "sku-42"), "the visible one");
      await visitor.call("buy");
      await visitor.call("takeAway");
      await until(async () => (await visitor.call("events")).some(({ dwell }) => (dwell ?? 0) > 0), "its dwell");
      const events = await visitor.call("events");
      equal(events.map(({ item, type }) => `${item} ${type}`).sort(), ["sku-42 cart", "sku-42 view"]);
      await visitor.leave();
    });
  });
}

for (const [name, start] of Object.entries({ Chromium: launchKeepingPages, Firefox: launchFirefox })) {
  test(`in ${name} a page that comes back from the back-forward cache knows what other tabs did`, async (t) => {
    const browser = await start();
    t.after(() => browser.close());
    const visitor = await Visitor.visit((await browser.createBrowserContext()) as never, site, "/");
    await visitor.call("open", { consent: "granted" });
    await visitor.call("visit", ["sku-42"]);
    await visitor.call("leaveATrace");
    await visitor.call("stored");
    await visitor.tab.goto(new URL("/strict", site.url).href);
    const other = await visitor.another(site);
    await other.call("open", { consent: "granted" });
    await other.call("visit", ["sku-7"]);
    await visitor.goBack();
    ok(await visitor.call("wasKept"), "the page is the one that was left");
    equal(await visitor.call("history"), ["sku-42", "sku-7"]);
    equal((await visitor.call("recommend")).length, 10);
    await visitor.leave();
  });
}

/** What a shopper may do about an item that is on the screen. */
const FORGETTING: Record<string, (visitor: Visitor) => Promise<void>> = {
  "forgotten with everything": (visitor) => visitor.call("forget"),
  "forgotten by itself": (visitor) => visitor.call("forgetItem", "sku-42"),
  "withdrawn, and consent is granted again,": async (visitor) => {
    await visitor.call("consent", "denied");
    await visitor.call("consent", "granted");
  },
};

for (const [name, start] of Object.entries({ Chromium: launchKeepingPages, Firefox: launchFirefox })) {
  describe(`on a screen in ${name}`, () => {
    let browser: Awaited<ReturnType<typeof start>>;
    before(async () => (browser = await start()));
    after(() => browser.close());

    for (const [how, forget] of Object.entries(FORGETTING)) test(`what is ${how} is not seen again on that page`, async () => {
      const visitor = await Visitor.visit((await browser.createBrowserContext()) as never, site, "/");
      const other = await visitor.another(site);
      const toFront = ({ tab }: Visitor): Promise<void> => (tab as unknown as { bringToFront(): Promise<void> }).bringToFront();
      const shows = (state: string): Promise<void> => until(async () => (await visitor.call("visibility")) === state, `the tab is ${state}`);
      const nowhere = async (when: string): Promise<void> => {
        // Ten times as long as a look takes to count.
        await sleep(500);
        equal([await visitor.call("history"), (await visitor.call("stored")).events?.includes("sku-42") ?? false], [[], false], when);
      };
      await toFront(visitor);
      await shows("visible");
      await visitor.call("open", { consent: "granted" });
      await visitor.call("leaveATrace");
      await visitor.call("markup");
      await until(async () => (await visitor.call("history")).join() === "sku-42", "it is seen");
      await forget(visitor);
      await nowhere("while it stays on the screen");
      await toFront(other);
      await shows("hidden");
      await toFront(visitor);
      await shows("visible");
      await nowhere("in a tab that is shown again");
      await visitor.call("showAgain");
      await nowhere("when the shop shows it again");
      await visitor.call("open", { consent: "granted" });
      await visitor.call("showAgain");
      await nowhere("when the recommender is made again");
      await visitor.tab.goto(new URL("/strict", site.url).href);
      await visitor.goBack();
      ok(await visitor.call("wasKept"), "the page is the one that was left");
      await nowhere("when the shopper comes back to the page");
      await visitor.call("takeAway");
      await nowhere("when it goes");
      const later = await visitor.another(site);
      await later.call("open", { consent: "granted" });
      equal(await later.call("history"), [], "at the next visit");
      await toFront(later);
      await later.call("markup");
      await until(async () => (await later.call("history")).join() === "sku-42", "a page that is opened anew is seen");
      await forget(later);
      await later.call("buy");
      await until(async () => (await later.call("history")).length > 0, "a click is new");
      await sleep(500);
      equal((await later.call("events")).map(({ item, type }) => `${item} ${type}`), ["sku-42 cart"], "and the look is not");
      await visitor.leave();
    });
  });
}

test("a browser that keeps pages whatever they are told brings nothing back with them", async (t) => {
  const browser = await launchKeepingPages();
  t.after(() => browser.close());
  const leaveAndReturn = async (consent: "session" | "granted", action: "forget" | "consent") => {
    const visitor = await Visitor.visit((await browser.createBrowserContext()) as never, site, "/keeps");
    await visitor.call("begin", { consent });
    await visitor.call("visit", ITEMS);
    await visitor.call("leaveATrace");
    await visitor.tab.goto(new URL("/private", site.url).href);
    await visitor.loaded();
    await visitor.call("begin", { consent: "session" });
    await (action === "forget" ? visitor.call("forget") : visitor.call("consent", "denied"));
    await visitor.goBack();
    return visitor;
  };
  for (const [consent, action] of [["session", "forget"], ["granted", "consent"]] as const) {
    let visitor = await leaveAndReturn(consent, action);
    // Whether a page is kept is for the browser to say, which drops it when it is busy.
    for (let again = 0; again < 2 && !(await visitor.call("wasKept")); again++) {
      await visitor.leave();
      visitor = await leaveAndReturn(consent, action);
    }
    ok(await visitor.call("wasKept"), "the page is the one that was left");
    equal([await visitor.call("history"), (await visitor.call("status")).consent], [[], "session"]);
    await visitor.call("visit", ["sku-9"]);
    equal([await visitor.call("history"), (await visitor.call("stored")).databases], [["sku-9"], []]);
    await visitor.leave();
  }
});

test("storage that is full loses no event, and says so", async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const visitor = await ChromiumVisitor.arrive(browser, site);
  // Before the first write: Chromium asks how much is left now and then only.
  const session = await visitor.tab.context().newCDPSession(visitor.tab);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(site.url).origin, quotaSize: 300_000 });
  await visitor.call("open", { consent: "granted", storage: { retain: 1000 } });
  await visitor.call("visit", ["sku-42"]);
  equal((await visitor.call("status")).storage.kind, "indexeddb", "there is room for one");
  await visitor.call("visit", Array.from({ length: 600 }, (_, n) => `sku-${n}-${"x".repeat(1000)}`));
  const history = await visitor.call("history");
  equal([history.length, history.includes("sku-42")], [601, true]);
  const { storage } = await visitor.call("status");
  ok(storage.kind === "memory" && storage.reason, JSON.stringify(storage));
  equal((await visitor.call("recommend")).length, 10);
  await visitor.leave();
});
