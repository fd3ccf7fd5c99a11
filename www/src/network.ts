/**
 * Measures what this page fetches and what it sends.
 *
 * Fetched: the browser's own resource timing. Sent: every way a page has of sending a body, counted where
 * it leaves. Requests that workers make are not in the page's timing; the panel names them itself.
 */

export interface Fetched {
  path: string;
  /** Bytes over the network in all, headers included; 0 from a cache. */
  bytes: number;
  /** When it was first fetched. */
  at: number;
  times: number;
  last: { at: number; bytes: number };
}

export class NetworkMeter extends EventTarget {
  readonly fetched: Fetched[] = [];
  /** Bytes in request bodies, and in addresses beyond the path. */
  sent = 0;

  start(): void {
    this.#watchBodies();
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as PerformanceResourceTiming[]) this.#add(entry);
      this.dispatchEvent(new Event("change"));
    });
    observer.observe({ type: "navigation", buffered: true });
    observer.observe({ type: "resource", buffered: true });
  }

  #add({ name, transferSize, startTime }: PerformanceResourceTiming): void {
    const { origin, pathname, search } = new URL(name);
    this.sent += search.length;
    const path = origin === location.origin ? pathname : origin + pathname;
    const last = { at: startTime, bytes: transferSize };
    const before = this.fetched.find((one) => one.path === path);
    if (before) Object.assign(before, { bytes: before.bytes + transferSize, times: before.times + 1, last });
    else this.fetched.push({ path, bytes: transferSize, at: startTime, times: 1, last });
  }

  #watchBodies(): void {
    const count = (body: unknown): void => {
      this.sent += sizeOf(body);
      this.dispatchEvent(new Event("change"));
    };
    const { fetch } = window;
    window.fetch = (input, init) => {
      if (init?.body != null) count(init.body);
      else if (input instanceof Request && input.body) count(input.body);
      return fetch.call(window, input, init);
    };
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (body) {
      if (body != null) count(body);
      send.call(this, body);
    };
    const { sendBeacon } = navigator;
    navigator.sendBeacon = (url, body) => {
      count(body ?? "");
      return sendBeacon.call(navigator, url, body);
    };
  }
}

/** Bytes in words. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Bytes of a body; at least one for a body whose size cannot be told, so that none goes unseen. */
function sizeOf(body: unknown): number {
  if (typeof body === "string") return new TextEncoder().encode(body).length;
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  if (body instanceof URLSearchParams) return body.toString().length;
  return 1;
}
