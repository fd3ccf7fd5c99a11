/**
 * The Cache API of a browser, as far as the package uses it; `step` is waited for before whatever looks into a cache or
 * changes it.
 */

export class FakeCaches {
  /** The bytes of every cache by address. */
  readonly stores = new Map<string, Map<string, Uint8Array<ArrayBuffer>>>();
  readonly #step: (what: string) => Promise<void>;

  constructor(step: (what: string) => Promise<void> = async () => {}) {
    this.#step = step;
  }

  async has(name: string): Promise<boolean> {
    return this.stores.has(name);
  }

  async delete(name: string): Promise<boolean> {
    await this.#step(`delete ${name}`);
    return this.stores.delete(name);
  }

  async match(url: string, { cacheName }: { cacheName?: string } = {}): Promise<Response | undefined> {
    await this.#step(`match ${url}`);
    const searched = [...this.stores].filter(([name]) => cacheName === undefined || name === cacheName);
    const bytes = searched.map(([, store]) => store.get(url)).find((found) => found !== undefined);
    return bytes && ({ arrayBuffer: async () => bytes.slice().buffer } as Response);
  }

  async open(name: string): Promise<{ keys(): Promise<{ url: string }[]>; put(url: string, response: Response): Promise<void>; delete(url: string): Promise<boolean> }> {
    const store = this.stores.get(name) ?? new Map<string, Uint8Array<ArrayBuffer>>();
    this.stores.set(name, store);
    return {
      keys: async () => {
        await this.#step(`keys ${name}`);
        return [...store.keys()].map((url) => ({ url }));
      },
      put: async (url, response) => {
        const bytes = new Uint8Array(await response.arrayBuffer());
        await this.#step(`put ${url}`);
        store.set(url, bytes);
      },
      delete: async (url) => {
        await this.#step(`delete ${url}`);
        return store.delete(url);
      },
    };
  }
}
