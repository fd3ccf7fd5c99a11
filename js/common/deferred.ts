/** `Promise.withResolvers` for browsers of before 2024, and waiting that ends. */

export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>["resolve"];
  let reject!: Deferred<T>["reject"];
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Rejects with what `error` makes if `promise` takes longer than `ms`; does not cancel the work itself. */
export async function within<T>(promise: Promise<T>, ms: number, error: () => Error): Promise<T> {
  const late = deferred<never>();
  const timer = setTimeout(() => late.reject(error()), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves as `promise` does, unless `signal` aborts first: then rejects with its reason. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  // Whoever stopped waiting does not want to hear how it ended.
  promise.catch(() => {});
  signal.throwIfAborted();
  const aborted = deferred<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Resolves after `ms`, unless `signal` aborts first: then rejects with its reason. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await unlessAborted(new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Aborts a signal once nothing has been heard for so long, or when another signal does. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #ms: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, outer?: AbortSignal) {
    this.#ms = ms;
    this.#outer = outer;
    outer?.throwIfAborted();
    outer?.addEventListener("abort", this.end);
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.end, this.#ms);
  }

  /** What is still under way is not wanted any more. */
  readonly end = (): void => {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.end);
    this.#controller.abort();
  };
}
