/**
 * Recommendations computed on the shopper's device.
 *
 * Importing this module does nothing: no request, no storage, no worker, no global is touched until
 * `createRecommender` is called, so it may be imported on a server.
 */

export type { ErrorCode } from "./errors.js";
export { IngleError } from "./errors.js";
export type { Recommender } from "./recommender.js";
export { createRecommender } from "./shared.js";
export type {
  Affinity,
  Boost,
  BundleInfo,
  Consent,
  EngineBuild,
  EngineChoice,
  EngineKind,
  EngineState,
  EventType,
  Explanation,
  Grouping,
  HistoryEvent,
  HistoryExport,
  Learnt,
  ItemId,
  ObserveOptions,
  Offer,
  Offers,
  Pin,
  Progress,
  QueryOptions,
  RankOptions,
  Reason,
  Recommendation,
  RecommenderEventMap,
  RecommenderOptions,
  RecommendOptions,
  RecordInput,
  Rung,
  ServedInterest,
  SignedBy,
  Source,
  Status,
  StorageOptions,
  StorageStatus,
  Trust,
  UnknownItem,
  Verdict,
  WasmSource,
  WeightOptions,
} from "./types.js";
