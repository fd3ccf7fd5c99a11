/**
 * Records from a page's markup: views of elements that are on the screen long enough, and clicks on marked elements.
 *
 * Loaded only if it is used.
 */

import type { ObserveOptions, RecordInput } from "../types.js";

const ITEM = "data-ingle-item";
const EVENT = "data-ingle-event";
/** Visible shares of an element at which the browser reports: enough to detect half a screen of a tall one. */
const STEPS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];

/** Receives what happens on the page. */
interface Recorder {
  record(event: RecordInput): Promise<unknown>;
  /** A view begins. Calling the result says that the view counts; calling it with `true` says that it is over. */
  look(item: string): (over?: boolean) => void;
}

/**
 * The current observer of a part of the page for a history: the last one, so that a script that runs again records
 * nothing twice.
 */
const watching = new WeakMap<Node, Map<unknown, AbortController>>();
/** During a click, the histories that have recorded it, because observed parts can be nested. */
const NOTED = Symbol.for("ingle.noted");

/** Observes a part of the page until `stop` aborts, or another observer starts for the same `history`. */
export function observe(root: ParentNode & Node, { afterMs = 1_000 }: ObserveOptions, recorder: Recorder, history: unknown, stop: AbortController): void {
  const { signal } = stop;
  if (signal.aborted) return;
  const others = watching.get(root) ?? new Map<unknown, AbortController>();
  others.get(history)?.abort();
  watching.set(root, others.set(history, stop));
  const looks = new Looks(afterMs, recorder);
  const changes = new MutationObserver((records) => looks.changed(records));
  looks.watch(root);
  changes.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: [ITEM] });
  root.addEventListener("click", (event) => noteClick(event, history, recorder), { signal, capture: true });
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? looks.pause() : looks.resume()), { signal });
  addEventListener("pagehide", () => looks.pause(), { signal });
  signal.addEventListener("abort", () => {
    changes.disconnect();
    looks.stop();
  });
}

/** An element that is being viewed. */
interface Look {
  item: string;
  /** Tells of it. */
  tell(over?: boolean): void;
  /** The timer until the view counts. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

class Looks {
  readonly #afterMs: number;
  readonly #recorder: Recorder;
  readonly #looks = new Map<Element, Look>();
  /** Elements on the screen, also while the page is in the background. */
  readonly #onScreen = new Set<Element>();
  readonly #watcher = new IntersectionObserver((entries) => entries.forEach((entry) => this.#see(entry)), { threshold: STEPS });

  constructor(afterMs: number, recorder: Recorder) {
    this.#afterMs = afterMs;
    this.#recorder = recorder;
  }

  watch(node: Node): void {
    for (const element of viewed(node)) this.#watcher.observe(element);
  }

  changed(records: MutationRecord[]): void {
    for (const { target, type, addedNodes, removedNodes } of records) {
      if (type === "attributes") this.#renamed(target as Element);
      removedNodes.forEach((node) => this.#unwatch(node));
      addedNodes.forEach((node) => this.watch(node));
    }
  }

  pause(): void {
    for (const element of [...this.#looks.keys()]) this.#end(element);
  }

  resume(): void {
    for (const element of this.#onScreen) this.#begin(element);
  }

  stop(): void {
    this.#watcher.disconnect();
    for (const { timer } of this.#looks.values()) clearTimeout(timer);
    this.#looks.clear();
  }

  #see({ target, isIntersecting, intersectionRatio, intersectionRect, rootBounds }: IntersectionObserverEntry): void {
    // Half of a small element, or half of the screen for a larger one.
    const filling = rootBounds !== null && intersectionRect.height >= rootBounds.height / 2;
    if (isIntersecting && target.isConnected && (intersectionRatio >= 0.5 || filling)) {
      this.#onScreen.add(target);
      this.#begin(target);
    } else {
      this.#onScreen.delete(target);
      this.#end(target);
    }
  }

  #begin(element: Element): void {
    const item = element.getAttribute(ITEM);
    if (!item || this.#looks.has(element) || document.visibilityState === "hidden" || isPreview()) return;
    const look: Look = { item, tell: this.#recorder.look(item), timer: undefined };
    look.timer = setTimeout(() => {
      look.timer = undefined;
      look.tell();
    }, this.#afterMs);
    this.#looks.set(element, look);
  }

  #end(element: Element): void {
    const look = this.#looks.get(element);
    if (!look) return;
    this.#looks.delete(element);
    clearTimeout(look.timer);
    if (look.timer === undefined) look.tell(true);
  }

  /** The element now shows another item. */
  #renamed(element: Element): void {
    if (!this.#onScreen.has(element)) return this.watch(element);
    if (this.#looks.get(element)?.item === element.getAttribute(ITEM)) return;
    this.#end(element);
    this.#begin(element);
  }

  #unwatch(node: Node): void {
    for (const element of viewed(node)) {
      this.#watcher.unobserve(element);
      this.#onScreen.delete(element);
      this.#end(element);
    }
  }
}

function noteClick(event: Event, history: unknown, recorder: Recorder): void {
  const noted = ((event as { [NOTED]?: Set<unknown> })[NOTED] ??= new Set());
  if (noted.has(history)) return;
  noted.add(history);
  const target = event.target instanceof Element ? event.target.closest(`[${ITEM}][${EVENT}]`) : null;
  const [item, type] = [target?.getAttribute(ITEM), target?.getAttribute(EVENT)];
  // Storage failures are reported elsewhere.
  if (item && type && type !== "view") recorder.record({ item, type }).catch(() => {});
}

/** Turbo shows a cached copy of a page while the page itself is loading: views of the copy do not count. */
function isPreview(): boolean {
  return document.documentElement.matches("[data-turbo-preview], [data-turbolinks-preview]");
}

/** All elements in a part of the page that represent a view of an item. */
function viewed(node: Node): Element[] {
  const found = node instanceof Element || node instanceof Document || node instanceof DocumentFragment ? [...node.querySelectorAll(`[${ITEM}]`)] : [];
  if (node instanceof Element && node.hasAttribute(ITEM)) found.push(node);
  return found.filter((element) => (element.getAttribute(EVENT) ?? "view") === "view");
}
