//! `iadsr`: interest alignment for denoising sequential recommendation
//! ([IADSR](https://arxiv.org/abs/2510.04239), Wu et al.).
//!
//! A click has two states: a **semantic** one, from what the item is, and a **collaborative** one, from how
//! shoppers use it. The short-term interest at a click is its state; the long-term interest is the elementwise
//! maximum of all states. A contrastive loss aligns both kinds in one space, so that they can be compared. The
//! larger the following sum, the less likely is a click noise:
//!
//! ```text
//! cos(long semantic, short collaborative) + cos(long collaborative, short semantic)
//!                                         + cos(short collaborative, short semantic)
//! ```
//!
//! The method is meant for items with few clicks: their collaborative states alone would look like noise, because
//! the data has no other clicks to relate them to, but their titles may show that they fit.
//!
//! Differences from the paper and its released code, with reasons:
//! - Collaborative states come from one small block over item embeddings, not from the recommender's hidden
//!   states. Those would cost a second pass of the recommender for every answer, before the verdicts are known.
//!   They also depend on the users that the recommender was trained on, while item tables of the folds do not. As
//!   in the released code, and unlike the recommender, the block is bidirectional.
//! - A click is compared with the long-term interest of the *other* clicks; otherwise it would be compared with
//!   itself.
//! - The third cosine is replaced by that of the collaborative view's long-term and short-term interests; the
//!   alignment loss still uses both sides of the original. The original cosine measures how well an item is known
//!   rather than whether a click fits its history: items with few clicks are aligned badly, and their clean
//!   clicks were dropped.
//! - The cosines have learnt weights and an offset. Beside the paper's losses they learn from clicks that were
//!   replaced on purpose: a cosine alone gives no threshold for noise.
//!   Replaced clicks are excluded from the alignment.
//! - Semantic states come from codes of a few bytes per item, so that they fit into a bundle.
//! - The training mask uses the difference of two Gumbel variates; the released code adds one alone. At
//!   inference, calibrated noise probabilities and rules chosen on validation data replace the mask.
//! - The recommendation loss is the backbone's, in its own phases, with the whole catalogue as negatives and
//!   without the released code's squashed logits.
//! - Item embeddings are reconstructed with the transpose of the projection that makes the states, so that the
//!   browser needs no additional weights.
//! - Each view also has its own noise logit, for display and comparison. With [`Config::semantics`] off, the
//!   collaborative one is the verdict.

#[cfg(feature = "burn")]
mod align;
#[cfg(feature = "burn")]
mod objective;
mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use slices::SliceScorer;
#[cfg(feature = "burn")]
pub use tensors::Iadsr;

use super::Part;
use crate::config::{BackboneConfig, ConfigError, within};
use serde::{Deserialize, Serialize};

/// The semantic view, and then the rest.
pub const PARTS: &[(&str, Part)] = &[("semantics", Part::Prior), ("alignment", Part::Scorer)];

/// Clicks that were not replaced have no soft labels.
pub const TAUGHT: bool = false;

/// Least square of a length, so that nothing is divided by 0.
const SHORTEST: f32 = 1e-12;

/// Number of cosines in the score.
const COSINES: usize = 3;

/// Unit of the stored weights and offsets: they are divided by it, so that an optimiser step changes them as much
/// as is suitable for weights of a sum of numbers below 1.
const UNIT: f32 = 8.0;

/// Number of outputs: the score, the semantic view and the collaborative view.
const OUTPUTS: usize = 3;

/// Settings of the states and of the losses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of both kinds of states.
    pub state_width: usize,
    /// Attention heads of the collaborative block; divides `state_width`.
    pub heads: usize,
    /// Dropout in training, `0.0..1.0`.
    pub state_dropout: f32,
    /// Values of an item's semantic code, one byte each.
    pub code_width: usize,
    /// Weight of the loss that aligns semantic and collaborative interests, short-term and long-term.
    pub alignment: f32,
    /// Weight of the loss of reconstructing item embeddings from masked states.
    pub reconstruction: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state_width: 64,
            heads: 4,
            state_dropout: 0.1,
            code_width: 32,
            alignment: 0.1,
            reconstruction: 0.1,
        }
    }
}

impl Config {
    #[expect(clippy::unnecessary_wraps, reason = "as every method's")]
    pub(super) fn code_width(&self) -> Option<usize> {
        Some(self.code_width)
    }

    /// Sizes of the collaborative block.
    fn block(&self, backbone: &BackboneConfig) -> BackboneConfig {
        BackboneConfig {
            width: self.state_width,
            blocks: 1,
            heads: self.heads,
            feed_forward: 2 * self.state_width,
            max_len: backbone.max_len,
            dropout: self.state_dropout,
            ..BackboneConfig::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (field, found) in [
            ("state_width", self.state_width),
            ("code_width", self.code_width),
        ] {
            within(field, found, 1..=4096, "between 1 and 4096")?;
        }
        if self.heads == 0 || !self.state_width.is_multiple_of(self.heads) {
            let expected = "a divisor of state_width";
            return Err(ConfigError::new("heads", self.heads, expected));
        }
        let rate = self.state_dropout;
        within("state_dropout", rate, 0.0..1.0, "at least 0 and below 1")?;
        for (field, weight) in [
            ("alignment", self.alignment),
            ("reconstruction", self.reconstruction),
        ] {
            within(field, weight, 0.0..=100.0, "between 0 and 100")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let fresh = Config::default;
        for (config, field) in [
            (
                Config {
                    heads: 5,
                    ..fresh()
                },
                "heads is 5",
            ),
            (
                Config {
                    code_width: 0,
                    ..fresh()
                },
                "code_width is 0",
            ),
            (
                Config {
                    state_dropout: 1.0,
                    ..fresh()
                },
                "state_dropout is 1",
            ),
            (
                Config {
                    alignment: f32::NAN,
                    ..fresh()
                },
                "alignment is NaN",
            ),
        ] {
            let told = config.validate().expect_err(field).to_string();
            assert!(told.contains(field), "{told}");
        }
    }
}
