/** The global `Ingle`: as `ingle`, but what the page's scripts make they share, because pages run scripts again. */

export { IngleElement, IngleShelf, InglePrivacy } from "./element.js";
export { IngleError } from "./errors.js";
export { samePageRecommender as createRecommender } from "./same-page.js";
