import products from "../../static/products.json";

export const load = () => ({ products: products.slice(0, 12) });
