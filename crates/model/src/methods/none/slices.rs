//! The exported part of the method, which is empty.

use super::Config;
use crate::config::BackboneConfig;
use crate::methods::ScoreSlices;
use crate::slices::{Clicks, NoiseLogits};
use ingle_layers::{Weights, WeightsError};

/// The method has no scorer.
#[derive(Debug)]
pub struct SliceScorer;

impl SliceScorer {
    #[expect(clippy::unnecessary_wraps, reason = "as every method's")]
    pub(in crate::methods) fn read(
        _: &Config,
        _: &BackboneConfig,
        _: &mut Weights,
        _: &str,
    ) -> Result<Self, WeightsError> {
        Ok(Self)
    }
}

impl ScoreSlices for SliceScorer {
    fn noise_logits(&self, _clicks: &Clicks) -> Option<NoiseLogits> {
        None
    }
}
