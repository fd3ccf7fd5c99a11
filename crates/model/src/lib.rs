//! Backbone, denoising methods and ranking of Ingle, on Burn with no backend chosen, and once more
//! without Burn for the browser's CPU.
//!
//! A [`Model`] is an encoder of a click history ([`backbone`]) and a denoising
//! method ([`methods`]) that says of each click how likely it is noise; the [`gate`] turns that
//! probability into a keep weight. [`Engine`] is a model loaded from a bundle, answering by item id.
//!
//! The same code trains natively and answers in a browser: the device that a tensor lives on
//! decides whether gradients are recorded. What answers is there a second time on plain slices,
//! [`engine::SliceEngine`], which needs neither Burn nor the feature `burn`: a fraction of the size and of
//! the time. The model on tensors is what it is tested against. This crate reads no files and no clocks
//! and starts no threads.
#![recursion_limit = "256"]

#[cfg(feature = "burn")]
pub mod attention;
pub mod backbone;
#[cfg(feature = "burn")]
pub mod batch;
pub mod config;
pub mod engine;
pub mod gate;
pub mod kept;
pub mod known;
pub mod methods;
#[cfg(feature = "burn")]
pub mod model;
pub mod rank;
#[cfg(feature = "rng")]
pub mod rng;
mod slices;
pub mod weights;

#[cfg(feature = "burn")]
pub use batch::Batch;
pub use config::{BackboneConfig, ModelConfig};
#[cfg(feature = "burn")]
pub use engine::Engine;
pub use engine::{
    Because, Click, EngineError, Host, Info, Parts, Ranker, Reading, RecommendOptions,
    Recommendation, Served, Similar, SimilarOptions, SliceEngine,
};
pub use kept::{Kept, KeptHistories, Rule};
pub use known::{Codes, Known};
#[cfg(feature = "burn")]
pub use model::Model;
#[cfg(feature = "rng")]
pub use rng::Rng;
