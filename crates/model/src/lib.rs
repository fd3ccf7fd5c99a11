//! Ingle's backbone, denoising methods and ranking: on Burn, for any device, and on slices without Burn, for
//! the browser's engines.
//!
//! A [`Model`] is an encoder of click histories ([`backbone`]) and a denoising method ([`methods`]) that
//! gives each click a noise logit. Kept histories ([`kept`]) or the [`gate`] decide how much each click
//! counts. [`Engine`] is a model loaded from a bundle that answers by item id.
//!
//! The same code trains natively and answers in a browser: the device of a tensor decides whether gradients
//! are recorded. [`engine::SliceEngine`] does the same on slices, without Burn and without the feature
//! `burn`, and is smaller and faster; tests compare it with the model on tensors. This crate reads no files
//! and no clocks and starts no threads.
#![recursion_limit = "256"]

pub mod adapter;
#[cfg(feature = "burn")]
pub mod attention;
pub mod backbone;
#[cfg(feature = "burn")]
pub mod batch;
pub mod config;
pub mod engine;
#[cfg(feature = "burn")]
pub mod erased;
pub mod features;
pub mod gate;
pub mod kept;
pub mod methods;
#[cfg(feature = "burn")]
pub mod model;
pub mod rank;
#[cfg(feature = "rng")]
pub mod rng;
mod slices;
#[cfg(test)]
mod testing;
pub mod weights;

#[cfg(feature = "burn")]
pub use batch::Batch;
pub use config::{BackboneConfig, ModelConfig};
#[cfg(feature = "burn")]
pub use engine::Engine;
pub use engine::{
    Ask, Because, Click, EngineError, Host, Info, Judge, Judged, Parts, Ranker, RecommendOptions,
    Recommendation, Scorer, Served, Similar, SimilarOptions, SliceEngine, Unjudged,
    WeightedHistory,
};
pub use features::{Codes, ItemFeatures};
pub use kept::{Kept, KeptHistories, Rule};
#[cfg(feature = "burn")]
pub use model::Model;
#[cfg(feature = "rng")]
pub use rng::Rng;
