/**
 * Records from a page's markup: views of what is on the screen long enough, and clicks on what says so.
 *
 * Loaded only where it is used.
 */

import type { ObserveOptions, RecordInput } from "../types.js";

const ITEM = "data-ingle-item";
const EVENT = "data-ingle-event";
/** Shares of an element at which the browser tells of it: enough to notice half a screen of a long one. */
const STEPS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];

/** Records an event; of a look also says when it began. */
type Record = (event: RecordInput, since?: number) => Promise<unknown>;

type Note = (event: RecordInput, since?: number) => void;

/** Who watches a part of the page for a history: the last who asked, so that a script that runs again records nothing twice. */
const watching = new WeakMap<Node, Map<unknown, AbortController>>();
/** On a click: the histories that have it, because parts that are watched may lie in each other. */
const NOTED = Symbol.for("ingle.noted");

/** Watches a part of the page until `stop` aborts, or somebody watches it for the same `history`. */
export function observe(root: ParentNode & Node, { afterMs = 1_000 }: ObserveOptions, record: Record, history: unknown, stop: AbortController): void {
  const { signal } = stop;
  if (signal.aborted) return;
  const others = watching.get(root) ?? new Map<unknown, AbortController>();
  others.get(history)?.abort();
  watching.set(root, others.set(history, stop));
  // Storage that fails tells so itself; a page that is going away has nobody to tell.
  const note: Note = (event, since) => void record(event, since).catch(() => {});
  const looks = new Looks(afterMs, note);
  const changes = new MutationObserver((records) => looks.changed(records));
  looks.watch(root);
  changes.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: [ITEM] });
  root.addEventListener("click", (event) => noteClick(event, history, note), { signal, capture: true });
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? looks.pause() : looks.resume()), { signal });
  addEventListener("pagehide", () => looks.pause(), { signal });
  signal.addEventListener("abort", () => {
    changes.disconnect();
    looks.stop();
  });
}

/** An element that is looked at now. */
interface Look {
  item: string;
  since: number;
  /** Runs until the look counts. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

class Looks {
  readonly #afterMs: number;
  readonly #note: Note;
  readonly #looks = new Map<Element, Look>();
  /** Elements on the screen, also while the page is in the background. */
  readonly #onScreen = new Set<Element>();
  readonly #watcher = new IntersectionObserver((entries) => entries.forEach((entry) => this.#see(entry)), { threshold: STEPS });

  constructor(afterMs: number, note: Note) {
    this.#afterMs = afterMs;
    this.#note = note;
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
    // Half of a small element, or half of the screen of one that is larger than that.
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
    const look: Look = { item, since: Date.now(), timer: undefined };
    look.timer = setTimeout(() => {
      look.timer = undefined;
      this.#note({ item, type: "view" }, look.since);
    }, this.#afterMs);
    this.#looks.set(element, look);
  }

  #end(element: Element): void {
    const look = this.#looks.get(element);
    if (!look) return;
    this.#looks.delete(element);
    clearTimeout(look.timer);
    if (look.timer === undefined) this.#note({ item: look.item, type: "view", dwell: Date.now() - look.since }, look.since);
  }

  /** The same element shows another item now. */
  #renamed(element: Element): void {
    if (!this.#onScreen.has(element)) return this.watch(element);
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

function noteClick(event: Event, history: unknown, note: Note): void {
  const noted = ((event as { [NOTED]?: Set<unknown> })[NOTED] ??= new Set());
  if (noted.has(history)) return;
  noted.add(history);
  const target = event.target instanceof Element ? event.target.closest(`[${ITEM}][${EVENT}]`) : null;
  const [item, type] = [target?.getAttribute(ITEM), target?.getAttribute(EVENT)];
  if (item && type && type !== "view") note({ item, type });
}

/** Turbo shows a page as it was last while the page itself is on its way: what is seen then is not the page. */
function isPreview(): boolean {
  return document.documentElement.matches("[data-turbo-preview], [data-turbolinks-preview]");
}

/** Every element in a part of the page that stands for a view of an item. */
function viewed(node: Node): Element[] {
  const found = node instanceof Element || node instanceof Document || node instanceof DocumentFragment ? [...node.querySelectorAll(`[${ITEM}]`)] : [];
  if (node instanceof Element && node.hasAttribute(ITEM)) found.push(node);
  return found.filter((element) => (element.getAttribute(EVENT) ?? "view") === "view");
}
