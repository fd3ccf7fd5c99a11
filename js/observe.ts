/**
 * Records from a page's markup: views of what is on the screen long enough, and clicks on what says so.
 *
 * Loaded only where it is used.
 */

import type { ObserveOptions, RecordInput } from "./types.js";

const ITEM = "data-ingle-item";
const EVENT = "data-ingle-event";

/** An element that is on the screen now. */
interface Look {
  item: string;
  since: number;
  /** Runs until the look counts. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

export function observe(root: ParentNode & Node, { afterMs = 1_000 }: ObserveOptions, record: (event: RecordInput) => Promise<unknown>, signal: AbortSignal): void {
  const looks = new Map<Element, Look>();
  // Storage that fails tells so itself; a page that is going away has nobody to tell.
  const note = (event: RecordInput): void => void record(event).catch(() => {});

  const begin = (element: Element): void => {
    const item = element.getAttribute(ITEM);
    if (!item || looks.has(element) || document.visibilityState === "hidden") return;
    const look: Look = { item, since: Date.now(), timer: undefined };
    look.timer = setTimeout(() => {
      look.timer = undefined;
      note({ item, type: "view" });
    }, afterMs);
    looks.set(element, look);
  };
  const end = (element: Element): void => {
    const look = looks.get(element);
    if (!look) return;
    looks.delete(element);
    clearTimeout(look.timer);
    if (look.timer === undefined) note({ item: look.item, type: "view", dwell: Date.now() - look.since });
  };

  const onScreen = new Set<Element>();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, intersectionRatio, intersectionRect, rootBounds } of entries) {
        // Half of a small element, or half of the screen of one that is larger than that.
        const filling = rootBounds !== null && intersectionRect.height >= rootBounds.height / 2;
        const seen = isIntersecting && target.isConnected && (intersectionRatio >= 0.5 || filling);
        if (seen) onScreen.add(target);
        else onScreen.delete(target);
        (seen ? begin : end)(target);
      }
    },
    { threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1] },
  );

  const watch = (node: Node): void => each(node, (element) => watcher.observe(element));
  const unwatch = (node: Node): void =>
    each(node, (element) => {
      watcher.unobserve(element);
      onScreen.delete(element);
      end(element);
    });
  const changes = new MutationObserver((records) => {
    for (const { target, type, addedNodes, removedNodes } of records) {
      if (type === "attributes") {
        // The same element shows another item now.
        if (onScreen.has(target as Element)) {
          end(target as Element);
          begin(target as Element);
        } else watch(target);
      }
      removedNodes.forEach(unwatch);
      addedNodes.forEach(watch);
    }
  });
  watch(root);
  changes.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: [ITEM] });

  const clicked = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest(`[${ITEM}][${EVENT}]`) : null;
    const [item, type] = [target?.getAttribute(ITEM), target?.getAttribute(EVENT)];
    if (item && type && type !== "view") note({ item, type });
  };
  root.addEventListener("click", clicked, { signal, capture: true });
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? [...looks.keys()].forEach(end) : onScreen.forEach(begin)), { signal });
  addEventListener("pagehide", () => [...looks.keys()].forEach(end), { signal });
  signal.addEventListener("abort", () => {
    watcher.disconnect();
    changes.disconnect();
    for (const { timer } of looks.values()) clearTimeout(timer);
    looks.clear();
  });
}

/** Every element in a part of the page that stands for a view of an item. */
function each(node: Node, visit: (element: Element) => void): void {
  const counts = (element: Element): boolean => element.hasAttribute(ITEM) && (element.getAttribute(EVENT) ?? "view") === "view";
  if (node instanceof Element && counts(node)) visit(node);
  if (node instanceof Element || node instanceof Document || node instanceof DocumentFragment) node.querySelectorAll(`[${ITEM}]`).forEach((element) => counts(element) && visit(element));
}
