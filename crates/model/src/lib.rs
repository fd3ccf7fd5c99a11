//! Backbone, denoising methods and ranking of Ingle, on Burn with no backend chosen.
//!
//! A [`Model`] is a causal Transformer over a click history ([`backbone`]) and a denoising
//! method ([`methods`]) that says of each click how likely it is noise; the [`gate`] turns that
//! probability into a keep weight. [`Engine`] is a model loaded from a bundle, answering by item id.
//!
//! The same code trains natively and answers in a browser: the device that a tensor lives on
//! decides whether gradients are recorded, so nothing here is written twice. This crate reads no
//! files and no clocks and starts no threads.
#![recursion_limit = "256"]

pub mod attention;
pub mod backbone;
pub mod batch;
pub mod config;
pub mod engine;
pub mod gate;
pub mod known;
pub mod methods;
pub mod model;
pub mod rank;
pub mod rng;
pub mod weights;

pub use batch::Batch;
pub use config::{BackboneConfig, ModelConfig};
pub use engine::{
    Because, Click, Engine, EngineError, Info, RecommendOptions, Recommendation, Similar,
    SimilarOptions,
};
pub use known::{Codes, Known};
pub use model::Model;
pub use rng::Rng;
