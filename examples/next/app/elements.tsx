"use client";

import "ingle/element/define";
import { useRecommender, useView } from "ingle/react";

export function Shelf() {
  return <ingle-shelf recommender={useRecommender() ?? undefined} products="/products.json" heading="Recommended for you" k={6} />;
}

export function Privacy() {
  return <ingle-privacy recommender={useRecommender() ?? undefined} products="/products.json" />;
}

export function View({ item }: { item: string }) {
  useView(item);
  return null;
}
