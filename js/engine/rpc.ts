/**
 * Calls over a message port: each has an id, and its answer has the same id.
 *
 * If the port fails, all running and later calls reject, so that no promise stays pending.
 */

import { deferred } from "../common/deferred.js";
import { IngleError } from "../errors.js";
import type { CallName, Calls, Reply, Request } from "./protocol.js";
import { unpackError } from "./protocol.js";

/** The common part of `Worker` and `MessagePort`. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

/** Two ports in one thread: messages arrive uncopied and without waiting for a task. */
export function portPair(): [LocalPort, LocalPort] {
  const [a, b] = [new LocalPort(), new LocalPort()];
  [a.other, b.other] = [b, a];
  return [a, b];
}

class LocalPort implements Port {
  onmessage: ((event: MessageEvent) => void) | null = null;
  other: LocalPort | undefined;

  postMessage(data: unknown): void {
    queueMicrotask(() => this.other?.onmessage?.({ data } as MessageEvent));
  }

  /** No more messages arrive at either end. */
  close(): void {
    if (this.other) this.other.other = undefined;
    this.other = undefined;
  }
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  transfer?: Transferable[];
  timeoutMs?: number;
}

interface Pending {
  resolve: (body: never) => void;
  reject: (error: unknown) => void;
}

export class Rpc {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  readonly #greeting = deferred<string>();
  #nextId = 1;
  #death: IngleError | undefined;

  /** Called once if the other side stops by itself. */
  onDeath: ((error: IngleError) => void) | undefined;

  constructor(port: Port) {
    this.#port = port;
    port.onmessage = (event: MessageEvent<Reply>) => this.#receive(event.data);
    // Waiting callers get the error; without any, it must not be an unhandled rejection.
    this.#greeting.promise.catch(() => {});
  }

  /** Resolves with the name of the other side's build once its code is loaded and running. */
  get greeting(): Promise<string> {
    return this.#greeting.promise;
  }

  async call<N extends CallName>(call: N, body: Calls[N]["request"], options: CallOptions = {}): Promise<Calls[N]["reply"]> {
    const { signal, transfer = [], timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#death) throw this.#death;
    const id = this.#nextId++;
    const { promise, resolve, reject } = deferred<Calls[N]["reply"]>();
    this.#pending.set(id, { resolve, reject });
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.die(timedOut(call, timeoutMs)), timeoutMs);
    try {
      this.#port.postMessage({ id, call, body } as Request, transfer);
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#pending.delete(id);
    }
  }

  /** Ends the connection: all running and later calls reject with `error`. */
  die(error: IngleError): void {
    if (this.#death) return;
    this.#death = error;
    this.#port.onmessage = null;
    this.#greeting.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.onDeath?.(error);
  }

  #receive(reply: Reply): void {
    switch (reply.kind) {
      case "hello":
        return this.#greeting.resolve(reply.release);
      case "answer":
        // A missing entry is a call that was aborted.
        return this.#pending.get(reply.id)?.resolve(reply.body as never);
      case "error":
        return this.#pending.get(reply.id)?.reject(unpackError(reply.error));
      case "fatal":
        return this.die(unpackError(reply.error));
    }
  }
}

function timedOut(call: CallName, timeoutMs: number): IngleError {
  return new IngleError("engine/timeout", `The engine did not answer "${call}" within ${timeoutMs / 1000} s.`);
}
