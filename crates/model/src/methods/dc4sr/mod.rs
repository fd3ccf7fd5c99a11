//! `dc4sr`: dual-view calibration for sequential recommendation
//! ([DC4SR](https://arxiv.org/abs/2604.24048), Li et al.).
//!
//! Two views of one question, how likely it is that a click does not reflect the shopper's interest:
//! - the **prior** reads what the clicked items are: their semantic codes, a few bytes an item that
//!   come from the titles;
//! - the **posterior** reads what shoppers do with them: the recommender's own item embeddings;
//! - the **fusion** weighs the two against each other, and the gate acts on what it says.
//!
//! Each is a small [`tower::Tower`] over the whole history. None needs a pass over the catalogue or
//! of the backbone, so judging costs the same whatever the catalogue holds.
//!
//! Where we differ from the paper's released code: labels come from our own seeded corruption;
//! the recommender's item embeddings know the users they were trained on so well that a click of
//! theirs never looks like noise, so the posterior learns from embeddings that were trained on *other*
//! users (the trainer's folds) beside the final ones, and a shopper that no log holds is judged as
//! well as one of the log; selection is on validation data; and histories of training and of inference
//! are judged by the same function at the same positions.

#[cfg(feature = "burn")]
mod judge;
#[cfg(feature = "burn")]
mod likeness;
#[cfg(feature = "burn")]
mod objective;
mod slices;
#[cfg(feature = "burn")]
mod tower;

#[cfg(feature = "burn")]
pub use judge::Dc4sr;
#[cfg(feature = "burn")]
pub use objective::{DENOISES, phases};
pub use slices::Shipped;

use crate::config::{BackboneConfig, ConfigError, within};
use serde::{Deserialize, Serialize};

/// Numbers that a click's likeness to the others comes to.
const SUMMARY: usize = 4;

/// Sharpness of the mean in which those most alike count most.
const SHARPNESS: f32 = 8.0;

/// Settings of the towers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of the towers' hidden states.
    pub scorer_width: usize,
    /// Attention heads of a tower; divides `scorer_width`.
    pub scorer_heads: usize,
    /// Blocks of the prior and of the posterior.
    pub view_blocks: usize,
    /// Blocks of the fusion.
    pub fusion_blocks: usize,
    /// Dropout in training, `0.0..1.0`.
    pub scorer_dropout: f32,
    /// Values, and so bytes, of an item's semantic code.
    pub code_width: usize,
    /// How the two views become one.
    pub fusion: Fusion,
    /// Share of clicks believed to be noise before anything is seen, for `bayes_odds`.
    pub base_rate: f32,
}

/// How the two views become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// A product of experts: the logits are added.
    Poe,
    /// The same, with the odds that both believed in beforehand counted once.
    BayesOdds,
    /// A product of experts and what a learnt tower, which sees all that both see, adds to it.
    Net,
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
            fusion: Fusion::Net,
            base_rate: 0.1,
        }
    }
}

impl Config {
    #[expect(clippy::unnecessary_wraps, reason = "as every method's")]
    pub(super) fn code_width(&self) -> Option<usize> {
        Some(self.code_width)
    }

    /// Sizes of a tower.
    fn tower(&self, blocks: usize, backbone: &BackboneConfig) -> BackboneConfig {
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

    /// Values of a click's vector in the prior, the posterior and the fusion, for item embeddings of
    /// `width`.
    fn inputs(&self, width: usize) -> [usize; 3] {
        let both = 2 * self.scorer_width + width + self.code_width + 3;
        [self.code_width + 1, width + 1, both]
    }

    /// What is added to the product of experts before the net is asked.
    fn offset(&self) -> f32 {
        match self.fusion {
            Fusion::BayesOdds => -(self.base_rate / (1.0 - self.base_rate)).ln(),
            Fusion::Poe | Fusion::Net => 0.0,
        }
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
        within("scorer_dropout", rate, 0.0..1.0, "at least 0 and below 1")?;
        if !(self.base_rate > 0.0 && self.base_rate < 1.0) {
            let found = self.base_rate;
            return Err(ConfigError::new("base_rate", found, "above 0 and below 1"));
        }
        Ok(())
    }
}
