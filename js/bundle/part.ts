/** A file that is being downloaded, as its bytes arrive. */

import type { Bytes } from "./bundle.js";

/** Initial buffer size. Memory grows as bytes arrive, so that a manifest's size alone reserves no more than this. */
const FIRST_BYTES = 2 ** 16;

export class Part {
  /** Number of bytes of the current response. */
  loaded = 0;
  readonly #most: number;
  #room: Bytes;

  constructor(most: number) {
    this.#most = most;
    this.#room = new Uint8Array(Math.min(most, FIRST_BYTES));
  }

  /** The bytes so far. */
  get bytes(): Bytes {
    return this.loaded === this.#room.length ? this.#room : this.#room.slice(0, this.loaded);
  }

  /** Adds a chunk; says whether it fitted. */
  add(chunk: Uint8Array): boolean {
    const loaded = this.loaded + chunk.length;
    if (loaded > this.#most) return false;
    if (loaded > this.#room.length) {
      const room = new Uint8Array(Math.min(this.#most, Math.max(loaded, 2 * this.#room.length)));
      room.set(this.#room.subarray(0, this.loaded));
      this.#room = room;
    }
    this.#room.set(chunk, this.loaded);
    this.loaded = loaded;
    return true;
  }
}

export async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) {
    yield new Uint8Array(await response.arrayBuffer());
    return;
  }
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // After an error on our side this cancels the rest; after the end it does nothing.
    reader.cancel().catch(() => {});
  }
}

/** The first byte of a partial response; from another origin the header may not be readable. */
export function firstByte({ headers }: Response, asked: number): number {
  return Number(/^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] ?? asked);
}
