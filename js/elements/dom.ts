/** Making elements in few words, and style sheets that any content security policy allows. */

type Child = Node | string | null | undefined | false;

/** An element with attributes (`null`, `undefined` and `false` are left out) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string | number | boolean | null | undefined> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return element;
}

/** A picture of one path, made without the markup that a page may forbid (`require-trusted-types-for`). */
export function svg(viewBox: string, d: string): SVGSVGElement {
  const made = <K extends "svg" | "path">(tag: K): SVGElementTagNameMap[K] => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const [picture, path] = [made("svg"), made("path")];
  picture.setAttribute("viewBox", viewBox);
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", d);
  picture.append(path);
  return picture;
}

const sheets = new Map<string, CSSStyleSheet>();

/** Adopts a constructed style sheet, which a policy without 'unsafe-inline' allows. */
export function adopt(root: Document | ShadowRoot, css: string): void {
  let sheet = sheets.get(css);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    sheets.set(css, sheet);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}
