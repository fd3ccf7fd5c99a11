/**
 * Measures what this page fetches and what it sends.
 *
 * Fetched: the browser's own resource timing. Sent: every way a page has of sending a body, counted where
 * it leaves. Requests that workers make are not in the page's timing; the panel names them itself.
 */

export interface Fetched {
  path: string;
  /** Bytes over the network, headers included; 0 from a cache. */
  bytes: number;
  at: number;
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
    this.fetched.push({ path: origin === location.origin ? pathname : origin + pathname, bytes: transferSize, at: startTime });
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

/** Bytes of a body; at least one for a body whose size cannot be told, so that none goes unseen. */
function sizeOf(body: unknown): number {
  if (typeof body === "string") return new TextEncoder().encode(body).length;
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  if (body instanceof URLSearchParams) return body.toString().length;
  return 1;
}
