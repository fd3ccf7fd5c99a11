//! The engine that a page would answer with, natively.

use anyhow::Result;
use burn::prelude::Device;
use ingle_bundle::Bundle;
use ingle_model::backbone::Kind;
use ingle_model::engine::{
    Click, Engine, EngineError, RecommendOptions, Recommendation, SliceEngine,
};
use ingle_model::methods::NAMES;
use pollster::block_on;
use serde_json::Value;

/// The engine for a bundle: the small one for the built-in backbones and methods, the general one for others.
#[derive(Debug)]
pub(super) enum Answering {
    /// On slices.
    Small(Box<SliceEngine>),
    /// On tensors.
    General(Box<Engine>),
}

impl Answering {
    /// Opens a bundle.
    ///
    /// # Errors
    /// If no engine of this program can answer from it.
    pub(super) fn new(bundle: Bundle) -> Result<Self, EngineError> {
        let manifest = &bundle.manifest;
        let kind = manifest.backbone.get("kind").and_then(Value::as_str);
        let built_in = kind.is_none_or(|kind| Kind::ALL.iter().any(|known| known.name() == kind));
        Ok(if built_in && NAMES.contains(&&manifest.method.name[..]) {
            Self::Small(Box::new(SliceEngine::new(bundle)?))
        } else {
            Self::General(Box::new(Engine::new(bundle, &Device::flex())?))
        })
    }

    /// Ids of all items.
    pub(super) fn items(&self) -> Vec<String> {
        match self {
            Self::Small(engine) => engine.items(),
            Self::General(engine) => engine.items(),
        }
    }

    /// Recommends after a history, oldest click first.
    ///
    /// # Errors
    /// If an option is invalid.
    pub(super) fn recommend(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Vec<Recommendation>, EngineError> {
        match self {
            Self::Small(engine) => block_on(engine.recommend(history, options)),
            Self::General(engine) => block_on(engine.recommend(history, options)),
        }
    }

    /// The verdict on every click.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn explain(&self, history: &[String]) -> Result<Vec<Click>, EngineError> {
        match self {
            Self::Small(engine) => Ok(engine.explain(history)),
            Self::General(engine) => block_on(engine.explain(history)),
        }
    }
}
