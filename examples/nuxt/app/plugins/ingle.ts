import "ingle/element/define";
import { createIngle } from "ingle/vue";

export default defineNuxtPlugin(({ vueApp }) => {
  vueApp.use(createIngle("/recommender/"));
});
