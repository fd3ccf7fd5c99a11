declare module "shop:items" {
  const items: import("./products.js").Product[];
  export default items;
}
