//! `dc4sr`: dual-view calibration for sequential recommendation ([DC4SR](https://arxiv.org/abs/2604.24048),
//! Li et al.).
//!
//! Two views judge whether a click reflects the shopper's interest, and a third network combines them:
//! - the **prior** judges by what the items are: their semantic codes, a few bytes per item, made from
//!   titles;
//! - the **posterior** judges by how shoppers use the items: the recommender's item embeddings;
//! - the **fusion** combines both into the noise logit that decides: a product of experts (the sum of their logits) plus
//!   the logit of a network that reads the inputs of both views, and their outputs.
//!
//! Each is a small Transformer over the whole history ([`network::Network`]). None needs the backbone or a pass
//! over the catalogue, so the cost of judging does not depend on the size of the catalogue.
//!
//! Differences from the paper's released code: labels come from our own seeded corruption. The recommender's
//! item embeddings have fitted the clicks of their own users, so that these clicks never look like noise. The
//! posterior therefore also learns from embeddings trained on *other* users (the trainer's folds), so that
//! unseen users are judged as well as users of the log. Selection uses validation data. Training and
//! inference judge histories by the same function at the same positions.

#[cfg(feature = "burn")]
mod network;
#[cfg(feature = "burn")]
mod objective;
#[cfg(feature = "burn")]
mod similarity;
mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use slices::{NetworkWeights, SliceScorer};
#[cfg(feature = "burn")]
pub use tensors::Dc4sr;

use super::Part;
use crate::config::{BackboneConfig, ConfigError, within};
use serde::{Deserialize, Serialize};

/// The views, each after those that it depends on; the posterior is trained with the fusion.
pub const PARTS: &[(&str, Part)] = &[("prior", Part::Prior), ("scorer", Part::Scorer)];

/// Clicks that were not replaced have soft labels, by a language model or by learning dynamics.
pub const TAUGHT: bool = true;

/// Number of statistics of a click's similarity to the others.
const SUMMARY: usize = 4;

/// Inverse temperature of the softmax-weighted mean.
const SHARPNESS: f32 = 8.0;

/// Settings of the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of the networks' hidden states.
    pub scorer_width: usize,
    /// Attention heads of a network; divides `scorer_width`.
    pub scorer_heads: usize,
    /// Blocks of the prior and of the posterior.
    pub view_blocks: usize,
    /// Blocks of the fusion.
    pub fusion_blocks: usize,
    /// Dropout in training, `0.0..1.0`.
    pub scorer_dropout: f32,
    /// Values of an item's semantic code, one byte each.
    pub code_width: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scorer_width: 32,
            scorer_heads: 2,
            view_blocks: 1,
            fusion_blocks: 1,
            scorer_dropout: 0.2,
            code_width: 32,
        }
    }
}

impl Config {
    #[expect(clippy::unnecessary_wraps, reason = "as every method's")]
    pub(super) fn code_width(&self) -> Option<usize> {
        Some(self.code_width)
    }

    /// Sizes of a network.
    fn network(&self, blocks: usize, backbone: &BackboneConfig) -> BackboneConfig {
        BackboneConfig {
            width: self.scorer_width,
            blocks,
            heads: self.scorer_heads,
            feed_forward: 2 * self.scorer_width,
            max_len: backbone.max_len,
            dropout: self.scorer_dropout,
            ..BackboneConfig::default()
        }
    }

    /// Input widths of the prior, the posterior and the fusion, for item embeddings of `width`.
    fn inputs(&self, width: usize) -> [usize; 3] {
        let both = 2 * self.scorer_width + width + self.code_width + 3;
        [self.code_width + 1, width + 1, both]
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let size =
            |field, found: usize, most: usize, expected| within(field, found, 1..=most, expected);
        size(
            "scorer_width",
            self.scorer_width,
            4096,
            "between 1 and 4096",
        )?;
        size("view_blocks", self.view_blocks, 64, "between 1 and 64")?;
        size("fusion_blocks", self.fusion_blocks, 64, "between 1 and 64")?;
        size("code_width", self.code_width, 4096, "between 1 and 4096")?;
        if self.scorer_heads == 0 || !self.scorer_width.is_multiple_of(self.scorer_heads) {
            let found = self.scorer_heads;
            return Err(ConfigError::new(
                "scorer_heads",
                found,
                "a divisor of scorer_width",
            ));
        }
        let rate = self.scorer_dropout;
        within("scorer_dropout", rate, 0.0..1.0, "at least 0 and below 1")
    }
}
