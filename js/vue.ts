/** A plugin and composables for Vue 3: thin, and safe to render on a server, where they answer with nothing. */

import { type App, computed, inject, type InjectionKey, type MaybeRefOrGetter, onScopeDispose, type Ref, shallowRef, toValue, watch } from "vue";
import { ask, followsHistory, meanwhile, type Question } from "./common/ask.js";
import { advise } from "./common/development.js";
import type { Recommender } from "./recommender.js";
import { onServer } from "./common/server.js";
import { createRecommender } from "./shared.js";
import type { Explanation, ItemId, Recommendation, RecommenderOptions, Status } from "./types.js";
import { view } from "./common/view.js";

export type { Question, QuestionKind } from "./common/ask.js";

const KEY: InjectionKey<Recommender | null> = Symbol("ingle");

/** `app.use(createIngle("/recommender/"))`: one recommender for the app, gone when it is unmounted. */
export function createIngle(source: string | Recommender, options?: RecommenderOptions): { install(app: App): void } {
  return {
    install(app) {
      const recommender = typeof source !== "string" ? source : onServer() ? null : createRecommender(source, options);
      app.provide(KEY, recommender);
      if (recommender && typeof source === "string") app.onUnmount?.(() => recommender.dispose());
    },
  };
}

/** The recommender; `null` on a server. */
export function useRecommender(): Recommender | null {
  return inject(KEY, null);
}

/** An answer as it comes: nothing at first, and what was there before while a new one is under way. */
export interface Answer<T> {
  data: Readonly<Ref<T>>;
  loading: Readonly<Ref<boolean>>;
  error: Readonly<Ref<unknown>>;
}

/** Recommendations of any kind, asked for again when the question, the history or the bundle changes. */
export function useRecommendations(question: MaybeRefOrGetter<Question> = {}): Answer<Recommendation[]> {
  const now = computed(() => toValue(question));
  // Another list's order is none of this one's.
  const before = (): Recommendation[] | undefined => (now.value.kind === "rank" ? meanwhile(now.value) : undefined);
  return useAnswer<Recommendation[]>([], now, () => followsHistory(now.value), (recommender, signal) => ask(recommender, { ...now.value, signal }), before);
}

/** The history with the model's verdicts, oldest first. */
export function useExplanations(): Answer<Explanation[]> {
  return useAnswer<Explanation[]>([], shallowRef(), () => true, (recommender, signal) => recommender.explain({ signal }));
}

/** The status as it changes; `null` on a server. */
export function useStatus(): Readonly<Ref<Status | null>> {
  const recommender = useRecommender();
  const status = shallowRef<Status | null>(recommender?.status ?? null);
  const update = (): void => void (status.value = recommender?.status ?? null);
  recommender?.addEventListener("status", update);
  onScopeDispose(() => recommender?.removeEventListener("status", update));
  return status;
}

/** Records a view of an item while the component that shows it lives, with how long that was. */
export function useView(item: MaybeRefOrGetter<ItemId | null | undefined>): void {
  const recommender = useRecommender();
  if (!recommender) return;
  watch(
    () => toValue(item),
    (id, _, onCleanup) => {
      if (id !== null && id !== undefined && id !== "") onCleanup(view(recommender, id));
    },
    { immediate: true },
  );
}

function useAnswer<T>(empty: T, question: Ref<unknown>, follow: () => boolean, put: (recommender: Recommender, signal: AbortSignal) => Promise<T>, before: () => T | undefined = () => undefined): Answer<T> {
  const recommender = useRecommender();
  const [data, loading, error] = [shallowRef(empty), shallowRef(true), shallowRef<unknown>()];
  const life = new AbortController();
  let asked = 0;
  const askAgain = async (): Promise<void> => {
    if (!recommender) return;
    const turn = ++asked;
    loading.value = true;
    try {
      const answer = await put(recommender, life.signal);
      if (turn !== asked) return;
      [data.value, error.value] = [answer, undefined];
    } catch (cause) {
      if (turn !== asked || life.signal.aborted) return;
      error.value = cause;
      advise(cause);
    }
    loading.value = false;
  };
  const begin = (): void => {
    data.value = before() ?? data.value;
    void askAgain();
  };
  watch(question, begin, { immediate: true, deep: true });
  recommender?.addEventListener("change", () => follow() && void askAgain(), { signal: life.signal });
  recommender?.addEventListener("updated", () => void askAgain(), { signal: life.signal });
  onScopeDispose(() => life.abort());
  return { data, loading, error };
}
