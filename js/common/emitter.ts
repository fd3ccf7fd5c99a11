/** An `EventTarget` whose events are typed by name. */

import type { RecommenderEventMap } from "../types.js";

export class Emitter extends EventTarget {
  override addEventListener<K extends keyof RecommenderEventMap>(
    type: K,
    listener: ((event: RecommenderEventMap[K]) => void) | { handleEvent(event: RecommenderEventMap[K]): void } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options);
  }

  override removeEventListener<K extends keyof RecommenderEventMap>(
    type: K,
    listener: ((event: RecommenderEventMap[K]) => void) | { handleEvent(event: RecommenderEventMap[K]): void } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener, options);
  }
}
