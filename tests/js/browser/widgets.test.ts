// The web components and the wrappers for React and Vue, in a real page of a shop.

import { after, before, test } from "node:test";
import type { Browser, Page as Tab } from "playwright-core";
import { equal, ok, sleep, until } from "../check.js";
import type { Site } from "../golden.js";
import { launch, launchFirefox, serveShop } from "./harness.js";
import type { Widgets } from "./widgets.js";

let site: Site, browser: Browser, firefox: Awaited<ReturnType<typeof launchFirefox>>;
before(async () => ([site, browser, firefox] = await Promise.all([serveShop(), launch(), launchFirefox()])));
after(async () => {
  await Promise.all([browser.close(), firefox.close()]);
  await site.close();
});

type Context = Parameters<Browser["newContext"]>[0];

async function open(options: Context = {}): Promise<{ tab: Tab; errors: string[] }> {
  const tab = await (await browser.newContext(options)).newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  await tab.goto(new URL("/widgets", site.url).href);
  await tab.waitForFunction(() => "page" in globalThis);
  return { tab, errors };
}

async function close({ tab, errors }: { tab: Tab; errors: string[] }): Promise<void> {
  await tab.context().close();
  equal(errors, []);
}

const call = <K extends keyof Widgets>(tab: Tab, name: K, ...args: unknown[]): Promise<unknown> =>
  tab.evaluate(([name, args]) => (globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> }).page[name as string]?.(...(args as unknown[])), [name, args] as const);

const slides = (tab: Tab) => tab.locator("ingle-shelf > [role=group]").evaluateAll((all) => all.map((slide) => slide.getAttribute("data-item")));

test("a shelf shows recommendations in the shop's markup, and follows the history", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "show");
  equal((await slides(tab)).length, 8);
  const first = tab.locator("ingle-shelf > [role=group]").first();
  equal([await first.getAttribute("aria-label"), await first.getAttribute("aria-roledescription")], ["1 of 8", "slide"]);
  ok(/^\/p\/sku-\d+$/.test((await first.locator("a.mine").getAttribute("href")) ?? ""), "the link of the template");
  equal(await first.locator("i").textContent(), "Popular");
  const popular = await slides(tab);
  await call(tab, "visit", ["sku-63", "sku-192", "sku-273"]);
  await until(async () => (await slides(tab)).join() !== popular.join(), "it follows");
  ok((await first.locator("i").textContent())?.startsWith("Because you viewed Product"), "the reason");
  await close(page);
});

test("elements are told everything by attributes, and share what they load", async () => {
  const from = site.requests.length;
  const page = await open();
  const { tab } = page;
  await call(tab, "declare");
  await until(async () => ((await call(tab, "titles")) as string[]).length === 6, "both shelves answer");
  ok(((await call(tab, "titles")) as string[]).every((title) => /^Thing \d+$/.test(title)), "titles from the catalogue");
  await tab.locator("ingle-privacy").getByText("Nothing is kept about you here.").waitFor();
  ok(/^sku-\d+$/.test((await call(tab, "clickFirst")) as string), "a click tells what was clicked");
  const asked = site.requests.slice(from).flatMap(({ url = "" }) => (/manifest|products/.test(url) ? [url] : []));
  // One for these elements, one for the recommender that this page always makes.
  equal(asked.sort(), ["/b/manifest.json", "/b/manifest.json", "/products.json"]);
  await close(page);
});

test("every word can be another language's", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "show");
  await call(tab, "translate");
  await until(async () => String(await call(tab, "shelfSays")).includes("1 von 8 Karte"), "slides");
  const says = String(await call(tab, "shelfSays"));
  for (const word of ["Weiter", "Zurück", "Karussell"]) ok(says.includes(word), `${word} in ${says}`);
  equal((await call(tab, "reasons")) as string[], Array.from({ length: 8 }, () => "Beliebt"));
  for (const words of ["Was über Sie bekannt ist", "Alles vergessen", "Nichts ist bekannt."]) await tab.locator("ingle-privacy").getByText(words).waitFor();
  await close(page);
});

test("a shelf glides, but not for those who want less motion", async () => {
  for (const [reducedMotion, motion] of [["no-preference", "smooth"], ["reduce", "auto"]] as const) {
    const page = await open({ reducedMotion });
    await call(page.tab, "show");
    equal(await call(page.tab, "motion"), motion);
    await close(page);
  }
});

test("skeletons hold the places, so that nothing moves when the answer comes", async () => {
  const page = await open({ viewport: { width: 800, height: 600 } });
  const { tab } = page;
  await tab.evaluate(() => {
    const shifts: number[] = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push((entry as PerformanceEntry & { value: number }).value))).observe({ type: "layout-shift", buffered: true });
    Object.assign(globalThis, { shifts });
  });
  await call(tab, "show");
  await tab.waitForTimeout(300);
  equal(await tab.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts.filter((value) => value > 0.01)), []);
  await close(page);
});

for (const direction of ["ltr", "rtl"] as const) {
  test(`a shelf is walked by keys and buttons (${direction})`, async () => {
    const page = await open({ viewport: { width: 500, height: 600 }, reducedMotion: "reduce" });
    const { tab } = page;
    await tab.evaluate((direction) => (document.documentElement.dir = direction), direction);
    await call(tab, "show");
    const focused = () => tab.evaluate(() => document.activeElement?.closest("[role=group]")?.getAttribute("aria-label"));
    await tab.locator("ingle-shelf a").first().focus();
    const [onward, back] = direction === "ltr" ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    await tab.keyboard.press(onward);
    equal(await focused(), "2 of 8");
    await tab.keyboard.press("End");
    equal(await focused(), "8 of 8");
    await tab.keyboard.press(back);
    equal(await focused(), "7 of 8");
    await tab.keyboard.press("Home");
    equal(await focused(), "1 of 8");
    const [previous, next] = [tab.getByRole("button", { name: "Previous" }), tab.getByRole("button", { name: "Next" })];
    await until(() => previous.isDisabled(), "there is nothing before the first");
    await next.click();
    await until(() => previous.isEnabled(), "it moved");
    await close(page);
  });
}

test("the panel tells, forgets one and all, pauses and downloads", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "show");
  await call(tab, "visit", ["sku-63", "sku-192", "sku-273"]);
  const panel = tab.locator("ingle-privacy");
  await panel.getByText("Product 273").waitFor();
  await panel.getByText(/Chance of a mistake/).first().waitFor();
  await panel.getByRole("button", { name: "Forget Product 192" }).click();
  await panel.getByText("Product 192").waitFor({ state: "detached" });
  equal(await call(tab, "history"), ["sku-63", "sku-273"]);
  const download = tab.waitForEvent("download");
  await panel.getByRole("button", { name: "Download" }).click();
  equal((await download).suggestedFilename(), "my-history.json");
  await panel.getByRole("switch", { name: "Pause recording" }).click();
  await call(tab, "visit", ["sku-1"]);
  equal(await call(tab, "history"), ["sku-63", "sku-273"]);
  await panel.getByRole("button", { name: "Forget everything" }).click();
  await panel.getByText("Nothing is kept about you here.").waitFor();
  equal(await call(tab, "history"), []);
  await panel.getByRole("radio", { name: "Record nothing" }).click();
  await until(async () => (await panel.getByText("Nothing is recorded.").count()) > 0, "consent is shown");
  await close(page);
});

const PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=";
const PLACES = ["image", "Ä", "É3", "AQ", "木", "KR"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`a default card without an image, or with one that cannot be had, shows the title's initials in its place (${colorScheme})`, async (t) => {
    const site = await serveShop(undefined, { "/cards": { body: '<!doctype html><title>shop</title><style>:root { color-scheme: light dark } body { font: 1rem/1.5 system-ui; margin: 2rem }</style><script type="module" src="/widgets.js"></script>' } });
    t.after(() => site.close());
    const tab = await (await browser.newContext({ colorScheme, viewport: { width: 1200, height: 420 } })).newPage();
    await tab.goto(new URL("/cards", site.url).href);
    await tab.waitForFunction(() => "page" in globalThis);
    await call(tab, "pictures", PIXEL);
    await until(async () => String(await call(tab, "places")) === String(PLACES), "places").catch(async () => equal(await call(tab, "places"), PLACES));
    const boxes = await tab.locator(".ingle-picture").evaluateAll((all) => all.map((place) => Math.round(place.clientHeight)));
    equal([new Set(boxes).size, (boxes[0] ?? 0) > 100], [1, true], "all as high as an image");
    equal((await tab.locator("ingle-shelf > [role=group]").nth(1).innerText()).split("\n"), ["Ärmelschal", "£5", "Popular"], "initials are no text");
    equal(await call(tab, "violations"), []);
    if (process.env["INGLE_SHOTS"]) await tab.screenshot({ path: `${process.env["INGLE_SHOTS"]}/cards-${colorScheme}.png` });
    await tab.context().close();
  });
}

for (const [where, hidden] of [["far below", false], ["hidden", true]] as const) {
  test(`what the panel says holds while it is ${where}: it need not be scrolled to`, async () => {
    const page = await open();
    const { tab } = page;
    equal(await call(tab, "panelUnseen", hidden), "", "it says nothing before it knows");
    await says(tab, "Nothing is kept about you here.");
    await call(tab, "visit", ["sku-63"]);
    await says(tab, "Product 63");
    ok(!String(await call(tab, "panelSays")).includes("Nothing is kept"), "and no more that nothing is kept");
    if (!hidden) {
      ok((await tab.locator("ingle-privacy").ariaSnapshot()).includes("Product 63"), "read out");
      await tab.emulateMedia({ media: "print" });
      ok((await tab.locator("ingle-privacy ol").innerText()).includes("Product 63"), "on paper");
    }
    await call(tab, "forget");
    await says(tab, "Nothing is kept about you here.");
    equal(await tab.evaluate(() => scrollY), 0, "nobody scrolled");
    await close(page);
  });
}

test("the panel without its products shows ids, and forgets", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "panelUnseen", false, "/none.json");
  await call(tab, "visit", ["sku-63"]);
  await says(tab, "sku-63");
  await tab.locator("ingle-privacy").getByRole("button", { name: "Forget sku-63" }).click();
  await says(tab, "Nothing is kept about you here.");
  await close(page);
});

test("the panel of a page without consent lists and forgets what earlier visits stored, and says what could not be erased", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "visit", ["sku-63", "sku-192", "sku-273"]);
  await call(tab, "panelOnly");
  const panel = tab.locator("ingle-privacy");
  await says(tab, "3 of these were stored by an earlier visit and not used now.");
  await panel.getByRole("button", { name: "Forget Thing 192" }).click();
  await says(tab, "2 of these were stored");
  await call(tab, "breakErasing", true);
  await panel.getByRole("button", { name: "Forget everything" }).click();
  await says(tab, "Not everything could be erased");
  ok(!String(await call(tab, "panelSays")).includes("Nothing is kept about you here."), "and claims nothing else");
  equal(await call(tab, "databases"), ["ingle"]);
  await call(tab, "breakErasing", false);
  await panel.getByRole("button", { name: "Forget everything" }).click();
  await says(tab, "Nothing is kept about you here.");
  equal(await call(tab, "databases"), []);
  await close(page);
});

test("the panel says what the page has learnt from the clicks, until they are forgotten", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "panelOfLearning", ["sku-42", "sku-7", "sku-63", "sku-9", "sku-42", "sku-7"]);
  await says(tab, "This page has learnt from your latest 6 clicks, but those it ignores. They moved these up: Thing ");
  await tab.locator("ingle-privacy").getByRole("button", { name: "Forget everything" }).click();
  await says(tab, "Nothing is kept about you here.");
  ok(!String(await call(tab, "panelSays")).includes("learnt"), "what was learnt is gone");
  await close(page);
});

test("a consent attribute that changes is a choice", async () => {
  const page = await open();
  const { tab } = page;
  await call(tab, "panelOnly");
  await says(tab, "Kept in the memory of the open pages only.");
  await call(tab, "attribute", "consent", "granted");
  await says(tab, "Kept on this device until you forget it");
  await call(tab, "visit", ["sku-63"]);
  equal(await call(tab, "databases"), ["ingle"]);
  await call(tab, "attribute", "consent", "denied");
  await says(tab, "Nothing is recorded.");
  await until(async () => ((await call(tab, "databases")) as unknown[]).length === 0, "what was stored is erased");
  await close(page);
});

/** Waits until the panel says so; else the failure has what it does say. */
async function says(tab: Tab, words: string): Promise<void> {
  const there = async (): Promise<string> => String(await call(tab, "panelSays"));
  await until(async () => (await there()).includes(words), words).catch(async (error: Error) => {
    throw new Error(`${error.message}; the panel says: ${await there()}`);
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing wrong (${colorScheme})`, async () => {
    const page = await open({ colorScheme });
    const { tab } = page;
    await call(tab, "show");
    await call(tab, "visit", ["sku-63", "sku-192", "sku-273"]);
    await tab.locator("ingle-privacy").getByText("Product 273").waitFor();
    equal(await call(tab, "violations"), []);
    await close(page);
  });
}

test("in Firefox the shelf follows the history and is walked by keys, and the panel does what it is told", async () => {
  const tab = await (await firefox.createBrowserContext()).newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  await tab.goto(new URL("/widgets", site.url).href);
  const page = <K extends keyof Widgets>(name: K, ...args: unknown[]): Promise<unknown> => call(tab as unknown as Tab, name, ...args);
  const says = async (words: string): Promise<boolean> => String(await page("panelSays")).includes(words);

  await page("show");
  const popular = await page("slides");
  equal((popular as string[]).length, 8);
  await page("visit", ["sku-63", "sku-192", "sku-273"]);
  await until(async () => String(await page("slides")) !== String(popular), "the shelf follows");
  ok(String(await page("reasons")).startsWith("Because you viewed Product"), "the reason");
  await page("focusFirst");
  for (const [key, place] of [["ArrowRight", "2 of 8"], ["End", "8 of 8"], ["Home", "1 of 8"]] as const) {
    await tab.keyboard.press(key);
    equal(await page("focused"), place);
  }
  equal(await page("violations"), []);

  await until(() => says("Chance of a mistake"), "verdicts");
  await page("panelUse", "Forget Product 192");
  await until(async () => !(await says("Product 192")), "one is forgotten");
  equal(await page("history"), ["sku-63", "sku-273"]);
  await page("panelUse", "Pause recording");
  await page("visit", ["sku-1"]);
  equal(await page("history"), ["sku-63", "sku-273"]);
  await page("panelUse", "Forget everything");
  await until(() => says("Nothing is kept about you here."), "all is forgotten");
  equal([await page("history"), errors], [[], []]);
  // This page's policy forbids the image.
  await page("pictures", PIXEL);
  await until(async () => String(await page("places")) === String(["OD", ...PLACES.slice(1)]), "initials where there is no image");
  await page("panelUnseen", false);
  await until(() => says("Nothing is kept about you here."), "it says so unasked");
  await page("panelUse", "Pause recording");
  await page("visit", ["sku-63"]);
  await until(() => says("Product 63"), "it need not be scrolled to");
});

for (const name of ["Chromium", "Firefox"]) {
  test(`a consent option that changes in a React provider is a choice, in ${name}`, async () => {
    const context = name === "Firefox" ? await firefox.createBrowserContext() : await browser.newContext();
    const tab = (await context.newPage()) as unknown as Tab;
    await tab.goto(new URL("/widgets", site.url).href);
    const shows = async (consent: string | undefined, words: string, stored: boolean): Promise<void> => {
      await call(tab, "reactWithConsent", ...(consent === undefined ? [] : [consent]));
      await until(async () => (await call(tab, "reactSays")) === words, words);
      await until(async () => ((await call(tab, "databases")) as string[]).includes("react") === stored, `the device ${stored ? "has" : "does not have"} the view`);
    };
    await shows(undefined, "session memory", false);
    await shows("granted", "granted indexeddb", true);
    await shows("session", "session memory", false);
    await shows("granted", "granted indexeddb", true);
    await shows(undefined, "session memory", false);
    await shows("denied", "denied none", false);
    await call(tab, "reactWithConsent", "granted");
    await until(async () => (await call(tab, "reactSays")) === "granted indexeddb", "it is granted again");
    await call(tab, "reactGoes");
    await sleep(300);
    equal(((await call(tab, "databases")) as string[]).includes("react"), false, "the view that was there when it was withdrawn is not recorded as the component goes");
    await context.close();
  });

  test(`a list stands in the shopper's order in a shelf, in React and in Vue, and until then as it was given, in ${name}`, async () => {
    const context = name === "Firefox" ? await firefox.createBrowserContext() : await browser.newContext();
    const tab = (await context.newPage()) as unknown as Tab;
    await tab.goto(new URL("/widgets", site.url).href);
    await call(tab, "visit", ["sku-63", "sku-192", "sku-273"]);
    const list = ["sku-81", "new", "sku-82", "sku-154", "sku-273", "sku-90", "sku-91", "sku-92", "sku-93", "sku-94", "sku-95", "sku-96"];
    const due = String(await call(tab, "order", list));
    ok(due.split("given").length === 2 && due.split(",")[1] === "new given" && due !== list.join(), due);
    await call(tab, "ranked", list);
    const items = due.replaceAll(/ \w+/g, "");
    await until(async () => String(await call(tab, "slides")) === items, "the shelf, all of the list");
    const first = list.map((item) => `${item} given`).join();
    await until(async () => JSON.stringify(await call(tab, "drawings")) === JSON.stringify([[first, due], [first, due]]), "React and Vue").catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await call(tab, "drawings"))}`);
    });
    await context.close();
  });

  for (const framework of ["react", "vue"] as const) {
    test(`${framework} in ${name} shows recommendations, status and verdicts, and records the view`, async () => {
      const context = name === "Firefox" ? await firefox.createBrowserContext() : await browser.newContext();
      const tab = (await context.newPage()) as unknown as Tab;
      await tab.goto(new URL("/widgets", site.url).href);
      await call(tab, framework);
      await until(async () => (await call(tab, "drawn", framework)) !== undefined, "everything is there");
      equal(String(await call(tab, "drawn", framework)).split(" ").length, 3);
      equal(await call(tab, "history"), ["sku-42"]);
      await context.close();
    });
  }
}
