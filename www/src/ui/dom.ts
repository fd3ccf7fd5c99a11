/** Making elements in few words. */

type Child = Node | string | null | undefined | false;

interface Attributes {
  class?: string;
  onclick?: (event: MouseEvent) => void;
  [name: string]: string | number | boolean | null | undefined | ((event: MouseEvent) => void);
}

/** An element with attributes (`null`, `undefined` and `false` are left out) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener("click", value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  return fill(element, ...children);
}

/** Replaces an element's children; what is nothing or false is left out. */
export function fill<T extends Element>(element: T, ...children: Child[]): T {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element with this id; the page's own HTML has it. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as T;
}

/** Inline SVG from text that this program wrote itself. */
export function drawing(svg: string, className: string): HTMLSpanElement {
  const span = h("span", { class: className });
  span.innerHTML = svg;
  return span;
}

/** Sets a custom property, which a content security policy allows from script and not from markup. */
export function setVar<T extends HTMLElement>(element: T, name: string, value: string): T {
  element.style.setProperty(name, value);
  return element;
}

export const prefersStill = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });

/** Lets the browser draw and answer the visitor before the next piece of work. */
export const breathe = (): Promise<void> => (globalThis as { scheduler?: { yield?: () => Promise<void> } }).scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
