"use client";
/** Hooks for React 18 and 19: thin, and safe to render on a server, where they answer with nothing. */

import { createContext, createElement, type DetailedHTMLProps, type HTMLAttributes, type ReactElement, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { ask, followsHistory, meanwhile, type Question, type QuestionKind } from "./common/ask.js";
import { advise } from "./common/development.js";
import type { InglePrivacy, IngleShelf, Products } from "./element.js";
import type { Recommender } from "./recommender.js";
import { createRecommender } from "./shared.js";
import type { Consent, Explanation, ItemId, QueryOptions, Recommendation, RecommenderOptions, Status } from "./types.js";
import { view } from "./common/view.js";

export type { Question, QuestionKind } from "./common/ask.js";

/** What both elements take in JSX. React 19 sets what the element has as a property; before, set `recommender` by a ref. */
type ElementProps<E extends HTMLElement> = DetailedHTMLProps<HTMLAttributes<E>, E> & {
  src?: string;
  products?: Products;
  consent?: Consent | "ask" | "banner";
  observe?: boolean;
  recommender?: Recommender | undefined;
};

/** What a shelf takes beside that. */
interface ShelfProps {
  kind?: QuestionKind;
  items?: string;
  k?: number;
  scenario?: string;
  heading?: string;
  images?: string;
  options?: QueryOptions;
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "ingle-shelf": ElementProps<IngleShelf> & ShelfProps;
      "ingle-privacy": ElementProps<InglePrivacy>;
    }
  }
}

const Context = createContext<Recommender | null>(null);

/** What the provider takes: a recommender of the shop's own, or the address and options to make one. */
export type IngleProviderProps = { children?: ReactNode } & ({ recommender: Recommender | null } | { src: string; options?: RecommenderOptions });

/** Gives a recommender to everything inside it; one that it made itself it disposes of when it goes. */
export function IngleProvider(props: IngleProviderProps): ReactElement {
  const given = "recommender" in props ? props.recommender : undefined;
  const src = "src" in props ? props.src : undefined;
  const options = useRef<RecommenderOptions | undefined>(undefined);
  options.current = "options" in props ? props.options : undefined;
  const consent = options.current?.consent;
  /** What the recommender was last told of consent; a change is the shopper's choice. */
  const told = useRef(consent);
  const [made, setMade] = useState<Recommender | null>(null);
  useEffect(() => {
    if (src === undefined) return;
    const recommender = createRecommender(src, options.current);
    told.current = options.current?.consent;
    setMade(recommender);
    return () => recommender.dispose();
  }, [src]);
  useEffect(() => {
    if (!made || told.current === consent) return;
    told.current = consent;
    // What fails stands in the status.
    if (consent !== "ask") made.consent(consent ?? "session").catch(() => {});
  }, [made, consent]);
  return createElement(Context.Provider, { value: given === undefined ? made : given }, props.children);
}

/** The recommender; `null` on a server and before the first effect. */
export function useRecommender(): Recommender | null {
  return useContext(Context);
}

/** An answer as it comes: nothing at first, and what was there before while a new one is under way. */
export interface Answer<T> {
  data: T;
  loading: boolean;
  error: unknown;
}

/** Recommendations of any kind, asked for again when the question, the history or the bundle changes. */
export function useRecommendations(question: Question = {}): Answer<Recommendation[]> {
  const latest = useRef(question);
  latest.current = question;
  const key = keyOf(question);
  const { of, ...answer } = useAnswer<Recommendation[]>([], key, followsHistory(question), (recommender, signal) => ask(recommender, { ...latest.current, signal }));
  const list = useMemo(() => meanwhile(latest.current), [key]);
  // Another list's order is none of this one's.
  return question.kind === "rank" && of !== key ? { ...answer, data: list } : answer;
}

/** The history with the model's verdicts, oldest first. */
export function useExplanations(): Answer<Explanation[]> {
  const { of: _, ...answer } = useAnswer<Explanation[]>([], "", true, (recommender, signal) => recommender.explain({ signal }));
  return answer;
}

/** The status as it changes; `null` before there is a recommender. */
export function useStatus(): Status | null {
  const recommender = useRecommender();
  const [status, setStatus] = useState<Status | null>(null);
  useEffect(() => {
    if (!recommender) return setStatus(null);
    const update = (): void => setStatus(recommender.status);
    update();
    recommender.addEventListener("status", update);
    return () => recommender.removeEventListener("status", update);
  }, [recommender]);
  return status;
}

/** Records a view of an item while the component that shows it is mounted, with how long that was. */
export function useView(item: ItemId | null | undefined): void {
  const recommender = useRecommender();
  useEffect(() => {
    if (!recommender || item === null || item === undefined || item === "") return;
    return view(recommender, item);
  }, [recommender, item]);
}

function useAnswer<T>(empty: T, key: string, follow: boolean, question: (recommender: Recommender, signal: AbortSignal) => Promise<T>): Answer<T> & { of?: string } {
  const recommender = useRecommender();
  const put = useRef(question);
  put.current = question;
  const [answer, setAnswer] = useState<Answer<T> & { of?: string }>({ data: empty, loading: true, error: undefined });
  useEffect(() => {
    if (!recommender) return;
    const life = new AbortController();
    let asked = 0;
    const askAgain = (): void => {
      const turn = ++asked;
      const done = (change: Partial<Answer<T> & { of: string }>): void => {
        if (!life.signal.aborted && turn === asked) setAnswer((before) => ({ ...before, loading: false, error: undefined, ...change }));
      };
      setAnswer((before) => ({ ...before, loading: true }));
      put.current(recommender, life.signal).then((data) => done({ data, of: key }), (error: unknown) => {
        done({ error });
        if (!life.signal.aborted) advise(error);
      });
    };
    askAgain();
    if (follow) recommender.addEventListener("change", askAgain, { signal: life.signal });
    recommender.addEventListener("updated", askAgain, { signal: life.signal });
    return () => life.abort();
  }, [recommender, key, follow]);
  return answer;
}

/** Two questions that differ in what can be told apart differ in this; functions count as the same. */
function keyOf(question: Question): string {
  return JSON.stringify(question, (_, value: unknown) => {
    if (value instanceof Map) return [...value];
    return value instanceof Set ? [...value] : value;
  });
}
