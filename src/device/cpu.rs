//! The CPU: slices, and nothing to wait for.
#![expect(clippy::unused_async, reason = "the GPU build has to wait")]

use ingle_bundle::Bundle;
use ingle_model::{
    Click, Info, RecommendOptions, Recommendation, Similar, SimilarOptions, SliceEngine,
};

use crate::error::Failure;

/// A loaded bundle in memory.
#[derive(Debug)]
pub(crate) struct Native(SliceEngine);

impl Native {
    pub(crate) async fn open(bundle: Bundle) -> Result<Self, Failure> {
        Ok(Self(SliceEngine::new(bundle)?))
    }

    pub(crate) async fn recommend(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Vec<Recommendation>, Failure> {
        Ok(self.0.recommend(history, options)?)
    }

    pub(crate) async fn similar(
        &self,
        items: &[String],
        options: &SimilarOptions,
    ) -> Result<Vec<Similar>, Failure> {
        Ok(self.0.similar(items, options)?)
    }

    pub(crate) async fn explain(&self, history: &[String]) -> Result<Vec<Click>, Failure> {
        Ok(self.0.explain(history))
    }

    pub(crate) fn info(&self) -> Info {
        self.0.info()
    }

    pub(crate) fn items(&self) -> Vec<String> {
        self.0.items()
    }
}
