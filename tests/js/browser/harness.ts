/** Chromium, a site that serves the package as a shop would, and calls into its pages. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page as Tab, type Request } from "playwright-core";
import { goldenFiles, root, serveSite, type Site } from "../golden.js";
import type { Page } from "./page.js";

/** WebGPU on an adapter made of software: what Chromium has without a GPU. */
export const SWIFTSHADER = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".map": "application/json",
};

/** A page per policy: `/` has none, the others are sent with it. */
export const POLICIES: Record<string, string> = {
  "/strict": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
  "/no-wasm": "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'",
  "/no-worker": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'; connect-src 'self'",
};

/** As strict as a shop's policy can be, styles included. */
const STRICT_STYLE = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'";

export async function serveShop(): Promise<Site> {
  const golden = goldenFiles();
  return serveSite(({ url = "/" }, response) => {
    const send = (bytes: Uint8Array | string, type: string, headers = {}): void =>
      void response.writeHead(200, { "content-type": type, ...headers }).end(bytes);
    try {
      if (url === "/" || url in POLICIES) {
        const policy = POLICIES[url];
        return send('<!doctype html><title>shop</title><script type="module" src="/page.js"></script>', "text/html", {
          ...(policy && { "content-security-policy": policy }),
        });
      }
      const type = TYPES[extname(url)] ?? "application/octet-stream";
      if (url === "/widgets") return send('<!doctype html><script type="module" src="/widgets.js"></script>', "text/html", { "content-security-policy": STRICT_STYLE });
      if (url === "/page.js" || url === "/widgets.js") return send(readFileSync(join(process.env["INGLE_TESTS"] ?? "", url)), type);
      if (/^\/((worker-)?[cg]pu\.(js|wasm))$/.test(url)) return send(readFileSync(join(root, "pkg/dist", url)), type);
      // A worker obeys the policy that its own script is sent with.
      const policy = response.req.headers.referer?.endsWith("/no-wasm") ? POLICIES["/no-wasm"] : undefined;
      const headers = policy ? { "content-security-policy": policy } : {};
      if (/^\/ingle\/[\w.-]+\.(js|wasm)(\.map)?$/.test(url)) return send(readFileSync(join(root, "pkg/dist", url.slice(7))), type, headers);
      const file = url.startsWith("/b/") ? golden.get(url.slice(3)) : undefined;
      if (file) return send(file, type, { "cache-control": url.endsWith("manifest.json") ? "no-cache" : "max-age=31536000, immutable" });
    } catch {
      // A file that is not there: told below.
    }
    response.writeHead(404).end();
  });
}

export function launch(args: string[] = []): Promise<Browser> {
  const executablePath = process.env["CHROME"] ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...args] });
}

/** One visitor's tab, with storage of its own. */
export class Visitor {
  readonly tab: Tab;
  /** Every request that the browser made for this visitor. */
  readonly requests: Request[] = [];

  private constructor(tab: Tab) {
    this.tab = tab;
    tab.context().on("request", (request) => this.requests.push(request));
  }

  static async arrive(browser: Browser, site: Site, path = "/"): Promise<Visitor> {
    return Visitor.arriveIn(await browser.newContext(), site, path);
  }

  /** Another tab of the same browser. */
  another(site: Site): Promise<Visitor> {
    return Visitor.arriveIn(this.tab.context(), site);
  }

  static async arriveIn(context: BrowserContext, site: Site, path = "/"): Promise<Visitor> {
    const visitor = new Visitor(await context.newPage());
    await visitor.tab.goto(new URL(path, site.url).href);
    await visitor.loaded();
    return visitor;
  }

  loaded(): Promise<unknown> {
    return this.tab.waitForFunction(() => "page" in globalThis);
  }

  /** Calls a function of `page.ts` in the tab. */
  call<K extends { [N in keyof Page]: Page[N] extends (...args: never[]) => unknown ? N : never }[keyof Page]>(
    name: K,
    ...args: Parameters<Page[K]>
  ): Promise<Awaited<ReturnType<Page[K]>>> {
    return this.tab.evaluate(
      ([name, args]) => {
        const { page } = globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> };
        return page[name]?.(...args);
      },
      [name, args] as [string, unknown[]],
    ) as Promise<Awaited<ReturnType<Page[K]>>>;
  }

  async leave(): Promise<void> {
    await this.tab.context().close();
  }
}
