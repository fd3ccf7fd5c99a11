/** What the public types allow and refuse; checked by the type checker alone, never run. */

import { createRecommender, type EventType, IngleError, type Recommendation, type Recommender, type Source, type Status } from "ingle";
import { define, type IngleShelf, type Products } from "ingle/element";
import { createElement } from "react";
import { IngleProvider, useRecommendations } from "ingle/react";
import { createIngle } from "ingle/vue";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
function expect<_T extends true>(): void {}

export async function allowed(recommender: Recommender, shelf: IngleShelf): Promise<void> {
  expect<Same<Awaited<ReturnType<Recommender["recommend"]>>, Recommendation[]>>();
  expect<Same<Recommender["ready"], Promise<Status>>>();
  expect<Same<EventType, "view" | "click" | "cart" | "purchase" | "remove">>();
  await recommender.recommend({ k: 5, filter: (item) => item !== "", boost: { a: 2 }, pin: ["a", { item: "b", place: 3 }], price: { max: 10 } });
  await recommender.similar(new Set(["a"]), { exclude: ["b"] });
  await recommender.recommend({ filter: [1, "b"], exclude: new Set([5]), boost: new Map([[5, 2]]), pin: [5, { item: 6, place: 0 }] });
  await recommender.forget(5);
  await recommender.complete([1, 2]);
  const [affinity] = await recommender.affinities((item) => (item === "a" ? ["red", "blue"] : null));
  affinity?.share.toFixed(affinity.value.length);
  const [first] = await recommender.rank(["a", 2], { k: 1, boost: { a: 2 } });
  expect<Same<NonNullable<typeof first>["source"], Source>>();
  useRecommendations({ kind: "rank", items: ["a", 2] });
  await recommender.record([{ item: 5, type: "wishlist" }, { item: "b", at: new Date() }]);
  recommender.addEventListener("updated", ({ detail }) => detail.items.toFixed());
  recommender.addEventListener("error", ({ detail }) => detail instanceof IngleError && detail.code === "storage/lost");
  const stop: () => void = recommender.observe(document.body);
  stop();
  createRecommender(new URL("https://example.org/b/"), { wasm: { cpu: Promise.resolve(new Uint8Array()) }, worker: () => new Worker("x") });
  const products: Products = new Map([["a", { title: "A", price: "1" }]]);
  Object.assign(shelf, { products, strings: { next: "Weiter" } });
  define();
  createElement(IngleProvider, { src: "/b/" }, useRecommendations({ kind: "similar", items: "a" }).data.length);
  createIngle("/b/", { consent: "granted" });
}

export function refused(recommender: Recommender): void {
  // @ts-expect-error: consent is one of three words
  void recommender.consent("yes");
  // @ts-expect-error: an item is an id
  void recommender.record({ item: null });
  // @ts-expect-error: a list of ids is no list of objects
  void recommender.recommend({ exclude: [{ id: 5 }] });
  // @ts-expect-error: a list is not filtered as it is ranked
  void recommender.rank(["a"], { filter: ["a"] });
  // @ts-expect-error: k is a number
  void recommender.recommend({ k: "5" });
  // @ts-expect-error: there is no such option
  void recommender.recommend({ limit: 5 });
  // @ts-expect-error: there is no such event
  recommender.addEventListener("chnage", (event: CustomEvent<number>) => event.detail);
  // @ts-expect-error: an engine has a name of its own
  createRecommender("/b/", { engine: "webgpu" });
  // @ts-expect-error: the provider needs one or the other
  createElement(IngleProvider, {});
}
