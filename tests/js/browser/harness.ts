/** Browsers, their visitors, and calls into the pages that these visit. */

import { execFileSync } from "node:child_process";
import { type Browser, type BrowserContext, chromium, type Page as Tab, type Request } from "playwright-core";
import puppeteer from "puppeteer-core";
import { launchFirefox } from "../../firefox.mjs";
import { equal, sleep, until } from "../check.js";
import type { Site } from "../golden.js";
import type { Page } from "./page.js";

export { launchFirefox } from "../../firefox.mjs";
export { serveShop } from "./site.js";

/** WebGPU on an adapter made of software: what Chromium has without a GPU. */
export const SWIFTSHADER = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** What Playwright's and Puppeteer's tabs have in common. */
export interface AnyTab {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  bringToFront(): Promise<unknown>;
  close(): Promise<void>;
  evaluate<A, R>(work: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  on(event: "pageerror", heard: (error: Error) => void): unknown;
}

/** Tabs that share their storage, as those of one visitor do. */
export interface AnyContext<T extends AnyTab> {
  newPage(): Promise<T>;
  close(): Promise<void>;
}

/** An answer, or that there is none: a page that goes or comes back may never give one. */
function soon<R>(asked: Promise<R>): Promise<R | false> {
  return Promise.race([asked.catch(() => false as const), sleep(5_000).then(() => false as const)]);
}

/** One visitor's tab, with storage of its own. An error that nothing has caught fails `leave`. */
export class Visitor<T extends AnyTab = AnyTab> {
  readonly tab: T;
  readonly #context: AnyContext<T>;
  readonly #errors: string[];

  protected constructor(context: AnyContext<T>, tab: T, errors: string[]) {
    this.#context = context;
    this.tab = tab;
    this.#errors = errors;
    // Firefox counts what a policy blocks, and what another origin does not answer, among the errors; here that is what pages are for.
    tab.on("pageerror", ({ message }) => /^(Content-Security-Policy|Cross-Origin Request Blocked)/.test(message) || this.#errors.push(message));
  }

  static async visit<T extends AnyTab>(context: AnyContext<T>, site: Site, path: string, errors: string[] = []): Promise<Visitor<T>> {
    const visitor = new Visitor(context, await context.newPage(), errors);
    await visitor.tab.goto(new URL(path, site.url).href);
    await visitor.loaded();
    return visitor;
  }

  /** Another tab of the same browser. */
  another(site: Site, path = "/"): Promise<Visitor<T>> {
    return Visitor.visit(this.#context, site, path, this.#errors);
  }

  async reload(): Promise<void> {
    await this.tab.reload();
    await this.loaded();
  }

  /** Goes back to the page before this one. */
  async goBack(): Promise<void> {
    const from = await this.tab.evaluate(() => location.href, undefined);
    // The page goes while it is being asked to, and with it sometimes the answer.
    await soon(this.tab.evaluate(() => history.back(), undefined));
    await until(async () => soon(this.tab.evaluate((old) => location.href !== old && "page" in globalThis, from)), "the page before");
  }

  async loaded(): Promise<void> {
    await until(() => soon(this.tab.evaluate(() => "page" in globalThis, undefined)), "the page's script has run", 60_000);
  }

  /** Calls a function of `page.ts` in the tab. */
  call<K extends { [N in keyof Page]: Page[N] extends (...args: never[]) => unknown ? N : never }[keyof Page]>(
    name: K,
    ...args: Parameters<Page[K]>
  ): Promise<Awaited<ReturnType<Page[K]>>> {
    const run = ([name, args]: [string, unknown[]]): unknown => {
      const { page } = globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> };
      return page[name]?.(...args);
    };
    return this.tab.evaluate(run, [name, args]) as Promise<Awaited<ReturnType<Page[K]>>>;
  }

  async leave(): Promise<void> {
    await this.#context.close();
    equal(this.#errors, [], "uncaught errors");
  }
}

/** A visitor whom Playwright watches. */
export class ChromiumVisitor extends Visitor<Tab> {
  /** Every request that the browser made for this visitor. */
  readonly requests: Request[] = [];

  static async arrive(browser: Browser, site: Site, path = "/"): Promise<ChromiumVisitor> {
    return ChromiumVisitor.arriveIn(await browser.newContext(), site, path);
  }

  static async arriveIn(context: BrowserContext, site: Site, path = "/"): Promise<ChromiumVisitor> {
    const visitor = new ChromiumVisitor(context, await context.newPage(), []);
    context.on("request", (request) => visitor.requests.push(request));
    await visitor.tab.goto(new URL(path, site.url).href);
    await visitor.loaded();
    return visitor;
  }
}

/** A browser that is running, whichever it is. */
export interface Running {
  arrive(site: Site, path?: string): Promise<Visitor>;
  close(): Promise<void>;
}

/** The browsers that every test of the CPU engine, the API and the shopper's rights runs in. */
export const BROWSERS: Record<string, () => Promise<Running>> = {
  Chromium: async () => {
    const browser = await launch();
    return { arrive: (site, path) => ChromiumVisitor.arrive(browser, site, path), close: () => browser.close() };
  },

  Firefox: async () => {
    const browser = await launchFirefox();
    const arrive = async (site: Site, path = "/"): Promise<Visitor> => Visitor.visit((await browser.createBrowserContext()) as unknown as AnyContext<AnyTab>, site, path);
    return { arrive, close: () => browser.close() };
  },
};

export function launch(args: string[] = [], options: Parameters<typeof chromium.launch>[0] = {}): Promise<Browser> {
  return chromium.launch({ executablePath: executable("CHROME", "chromium"), args: ["--no-sandbox", ...args], ...options });
}

/** A Chromium that keeps the pages one leaves; Playwright cannot follow it there. */
export function launchKeepingPages(): ReturnType<typeof puppeteer.launch> {
  return puppeteer.launch({ executablePath: executable("CHROME", "chromium"), args: ["--no-sandbox"], timeout: 120_000, ignoreDefaultArgs: ["--disable-back-forward-cache"] });
}

/** The program that a variable names, or the one on the path. */
export function executable(variable: string, name: string): string {
  return process.env[variable] ?? execFileSync("which", [name], { encoding: "utf8" }).trim();
}
