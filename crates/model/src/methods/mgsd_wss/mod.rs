//! `mgsd-wss`: multi-granularity sequence denoising with a weakly supervised signal
//! ([MGSD-WSS](https://arxiv.org/abs/2510.10564), Li, Yang and Zhu).
//!
//! Random clicks among a shopper's own are a **weak signal**: labels of noise that cost nothing. A click is compared
//! with the **target**, the shopper's current interest, by Gaussian kernels of their cosine ([`kernels`]). The clicks,
//! modulated by these kernels, go through one small Transformer. Its output is judged at two granularities: each
//! **click** by itself, and each of a few learnt **interests** by its relation to the target ([`interests`]). The sum
//! of both logits is the verdict.
//!
//! Differences from the paper and its released code:
//! - The paper's target is the next click in training and the last observed one at inference, which do not agree. Here
//!   it is the last one in both.
//! - Kernels are the paper's; the released code has a perceptron of two layers in their place.
//! - The paper adds kernels up to one factor of an embedding. Here each kernel has a factor and an offset for every
//!   value of it, so that it matters which kernel a click falls into.
//! - A click is also compared with all other clicks, with their kernels added up as in the kernels' paper.
//!   The target alone is a single click, which may be noise itself.
//! - The user vector is the backbone's, over the clicks that count: the backbone serves as the Transformer over kept
//!   clicks. The paper adds the user vector of all clicks, which brings the noise back, and the kept interests, which
//!   needs a second pass and gives a vector outside the space in which items were learnt.
//! - The weak signal is the only loss. The paper's others (contrasts of kept with dropped clicks and interests, and
//!   predicting the next click from the kept ones, through Gumbel flags) made the scorer no better at any weight.
//! - Each granularity has its own weak-signal loss; otherwise one could compensate for the other, and a dropped
//!   interest would mean nothing.
//! - The scorer also learns from item embeddings of other users' backbones (the trainer's folds), as an unseen user is
//!   judged by embeddings that were not trained on this user.

#[cfg(feature = "burn")]
mod interests;
mod kernels;
#[cfg(feature = "burn")]
mod objective;
mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use slices::SliceScorer;
#[cfg(feature = "burn")]
pub use tensors::MgsdWss;

use super::Part;
use crate::config::{BackboneConfig, ConfigError, within};
use serde::{Deserialize, Serialize};

/// The scorer is trained as a whole.
pub const PARTS: &[(&str, Part)] = &[("scorer", Part::Scorer)];

/// Clicks that were not replaced have no soft labels.
pub const TAUGHT: bool = false;

/// Keeps the mean finite over an interest that has next to no clicks.
const LEAST: f32 = 1e-3;

/// Settings of the method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of the hidden states.
    pub scorer_width: usize,
    /// Attention heads; divides `scorer_width`.
    pub scorer_heads: usize,
    /// Transformer blocks.
    pub scorer_blocks: usize,
    /// Dropout in training, `0.0..1.0`.
    pub scorer_dropout: f32,
    /// Number of kernels: one for equal items, and the others for parts of `-1..=1`.
    pub kernels: usize,
    /// Number of interests.
    pub interests: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scorer_width: 64,
            scorer_heads: 2,
            scorer_blocks: 1,
            scorer_dropout: 0.2,
            kernels: 10,
            interests: 5,
        }
    }
}

impl Config {
    /// The method uses no codes.
    #[expect(clippy::unused_self, reason = "as every method's")]
    pub(super) fn code_width(&self) -> Option<usize> {
        None
    }

    /// Number of similarity values of a click: its kernels with the target and with the other clicks.
    fn comparisons(&self) -> usize {
        2 * self.kernels
    }

    /// Sizes of the Transformer.
    fn sizes(&self, backbone: &BackboneConfig) -> BackboneConfig {
        BackboneConfig {
            width: self.scorer_width,
            blocks: self.scorer_blocks,
            heads: self.scorer_heads,
            feed_forward: 2 * self.scorer_width,
            max_len: backbone.max_len,
            dropout: self.scorer_dropout,
            ..BackboneConfig::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let (width, heads) = (self.scorer_width, self.scorer_heads);
        within("scorer_width", width, 1..=4096, "between 1 and 4096")?;
        within(
            "scorer_blocks",
            self.scorer_blocks,
            1..=64,
            "between 1 and 64",
        )?;
        within("kernels", self.kernels, 2..=256, "between 2 and 256")?;
        within("interests", self.interests, 1..=256, "between 1 and 256")?;
        if heads == 0 || !width.is_multiple_of(heads) {
            let expected = "a divisor of scorer_width";
            return Err(ConfigError::new("scorer_heads", heads, expected));
        }
        let rate = self.scorer_dropout;
        within("scorer_dropout", rate, 0.0..1.0, "at least 0 and below 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let fresh = Config::default;
        for (config, told) in [
            (
                Config {
                    scorer_heads: 3,
                    ..fresh()
                },
                "scorer_heads is 3",
            ),
            (
                Config {
                    kernels: 1,
                    ..fresh()
                },
                "kernels is 1",
            ),
            (
                Config {
                    interests: 0,
                    ..fresh()
                },
                "interests is 0",
            ),
            (
                Config {
                    scorer_dropout: 1.0,
                    ..fresh()
                },
                "scorer_dropout is 1",
            ),
        ] {
            let error = config.validate().expect_err("refused").to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
