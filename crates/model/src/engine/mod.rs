//! Engines: a bundle loaded for answering, with recommendations and verdicts by item id.
//!
//! An engine stores no history: every call gets the clicks.

mod answer;
mod ask;
mod because;
mod catalogue;
mod error;
mod judge;
mod learning;
mod options;
mod ranker;
mod settings;
mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use answer::{Because, Click, Info, Recommendation, Scorer, Served, Similar};
pub use ask::Ask;
pub use error::EngineError;
pub use ingle_layers::Rows;
pub use judge::{Judge, Judged, Unjudged};
pub use learning::Sample;
pub use options::{RecommendOptions, SimilarOptions};
pub use ranker::{Host, Parts, Ranker, Tilt, Transformer, WeightedHistory};
pub use slices::SliceEngine;
#[cfg(feature = "burn")]
pub use tensors::{Engine, shipped_weights};
