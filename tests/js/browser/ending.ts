/** Inside a page: ends its work before one of its steps, and says what a device keeps. */

/** What the page did, step by step. */
const trace: string[] = [];
let over = false;

/** The calls by which the package asks hosts, hashes, verifies, stores and asks its engine. */
const STEPS: [object, string][] = [
  [globalThis, "fetch"],
  ...["has", "open", "match", "delete"].map((name): [object, string] => [CacheStorage.prototype, name]),
  ...["keys", "put", "delete"].map((name): [object, string] => [Cache.prototype, name]),
  ...["digest", "importKey", "verify"].map((name): [object, string] => [SubtleCrypto.prototype, name]),
  ...["arrayBuffer"].map((name): [object, string] => [Response.prototype, name]),
];

export const ending = {
  /** From now on nothing of the page's work goes on once it has made so many steps: the next one never begins. */
  endAt(at: number): void {
    /** Whether this step may begin. */
    const may = (what: string): boolean => {
      if (!over && trace.push(what) > at) over = true;
      return !over;
    };
    for (const [of, name] of STEPS) {
      const real = (of as Record<string, (...given: unknown[]) => Promise<unknown>>)[name]!;
      const step = function (this: unknown, ...given: unknown[]): Promise<unknown> {
        return may(`${name} ${String(given[0] instanceof Request ? given[0].url : given[0]).slice(0, 200)}`) ? real.apply(this, given) : new Promise(() => {});
      };
      Object.defineProperty(of, name, { value: step, configurable: true, writable: true });
    }
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...given: [unknown]) {
      if (may("ask the engine")) postMessage.apply(this, given);
    } as typeof postMessage;
  },

  /** The steps so far, and whether the page has ended. */
  steps: (): { trace: string[]; over: boolean } => ({ trace, over }),

  /** The names of the whole bundles on the device, by their manifests; how many entries there are; and the release that was seen. */
  async kept(): Promise<{ whole: string[]; broken: string[]; entries: number; seen: unknown }> {
    const found = { whole: [] as string[], broken: [] as string[], entries: 0, seen: null as unknown };
    const bytesOf = async (url: string): Promise<ArrayBuffer | undefined> => (await caches.match(url))?.arrayBuffer();
    const textOf = async (url: string): Promise<string> => new TextDecoder().decode(await bytesOf(url));
    for (const name of await caches.keys()) {
      const urls = (await (await caches.open(name)).keys()).map(({ url }) => url);
      found.entries += urls.length;
      const release = urls.find((url) => url.endsWith("/release"));
      if (release) found.seen = JSON.parse(await textOf(release));
      for (const url of urls.filter((one) => one.endsWith("/manifest.json"))) {
        const { name, files } = JSON.parse(await textOf(url)) as { name: string; files: { name: string; sha256: string }[] };
        const right = await Promise.all(
          files.map(async (file) => {
            const bytes = await bytesOf(url.replace(/manifest\.json$/, file.name));
            const digest = bytes && new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
            return digest && [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") === file.sha256;
          }),
        );
        found[right.every(Boolean) ? "whole" : "broken"].push(name);
      }
    }
    return found;
  },
};
