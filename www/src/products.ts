/** The shop's products, as the simulation invented them. */

import items from "shop:items";

export interface Product {
  item_id: string;
  title: string;
  category: string;
  theme: string;
  /** Place within the theme, from 0. */
  step: number;
  style: string;
  motif: string;
  colour: string;
  hex: string;
  accent: string;
  pattern: string;
  /** In pence. */
  price: number;
  blurb: string;
}

export const products: readonly Product[] = items;

const byId = new Map(products.map((product) => [product.item_id, product]));

/** The product with this id, or nothing: a history may hold items that are no longer sold. */
export const findProduct = (id: string): Product | undefined => byId.get(id);

export const categories: readonly string[] = [...new Set(products.map(({ category }) => category))].sort();

/** Pence as pounds. By hand: a browser takes longer to load its currencies than this page takes to open. */
export const pounds = (pence: number): string => `£${(pence / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ",")}`;

export const priceOf = ({ price }: Product): string => pounds(price);

/** Where a product's page is. Fragments never leave the browser. */
export const addressOf = ({ item_id }: Product): string => `#/p/${item_id}`;

/** Products of a department (all if empty) that match every word of the query. */
export function searchProducts(query: string, category: string): Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return products.filter((product) => {
    if (category && product.category !== category) return false;
    const text = `${product.title} ${product.category} ${product.theme} ${product.colour}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
