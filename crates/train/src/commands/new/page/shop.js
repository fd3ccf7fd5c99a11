// The elements of the page ask this recommender too. A click on a product is a view of it.
const recommender = globalThis.Ingle?.createRecommender("bundle/");
if (!recommender) document.body.prepend("ingle/ingle.iife.js is missing: copy the folder dist of the npm package ingle here, as ingle/.");

async function start() {
  const products = await (await fetch("products.json")).json();
  const view = () => {
    const item = decodeURIComponent(location.hash.slice(1));
    if (Object.hasOwn(products, item)) recommender?.record({ item });
  };
  for (const { title, url, price } of Object.values(products)) {
    const link = Object.assign(document.createElement("a"), { href: url, textContent: `${title}, ${price}` });
    document.querySelector("#products").appendChild(document.createElement("li")).append(link);
  }
  addEventListener("hashchange", view);
  view();
}

start();
