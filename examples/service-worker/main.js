import "ingle/element/define";

navigator.serviceWorker.register("/sw.js");

const products = await (await fetch("/products.json")).json();
const product = products.find(({ id }) => id === new URLSearchParams(location.search).get("item"));
const main = document.querySelector("main");

function link({ title, url }) {
  return Object.assign(document.createElement("a"), { href: url, textContent: title });
}

if (product) {
  main.dataset.ingleItem = product.id;
  const heading = Object.assign(document.createElement("h1"), { textContent: product.title });
  main.append(link({ title: "Home", url: "/" }), heading, product.price);
} else {
  const list = main.appendChild(Object.assign(document.createElement("ul"), { id: "products" }));
  for (const product of products.slice(0, 12)) list.appendChild(document.createElement("li")).append(link(product));
}
