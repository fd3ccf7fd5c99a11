//! A bundle brought to life: recommendations and verdicts by item id.
//!
//! An engine owns no history and keeps none: every call is given the clicks it is to judge.

mod answer;
mod because;
mod catalogue;
mod error;
mod options;
mod ranker;
mod settings;
mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use crate::slices::Rows;
pub use answer::{Because, Click, Info, Recommendation, Served, Similar};
pub use error::EngineError;
pub use options::{RecommendOptions, SimilarOptions};
pub use ranker::{Host, Parts, Ranker, Reading, Transformer};
pub use slices::SliceEngine;
#[cfg(feature = "burn")]
pub use tensors::{Engine, shipped_weights};
