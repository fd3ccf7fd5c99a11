//! `iadsr`: interest alignment for denoising sequential recommendation
//! ([IADSR](https://arxiv.org/abs/2510.04239), Wu et al.).
//!
//! A click has two states: a **semantic** one, of what the item is, and a **collaborative** one, of what
//! shoppers do with it. The short-term interest at a click is its state; the long-term interest is the
//! largest of all states, value by value. Both kinds live in one space, into which a contrastive loss
//! draws them together, so that they can be compared: a click is the less likely noise the larger
//!
//! ```text
//! cos(long semantic, short collaborative) + cos(long collaborative, short semantic)
//!                                         + cos(short collaborative, short semantic)
//! ```
//!
//! Its point is items that few have clicked: what the collaborative states alone would call noise because
//! nobody is known to click it with the rest, its title may still vouch for.
//!
//! Where we differ from the paper and its released code, and why:
//! - Collaborative states come from one small block over item embeddings, not from the recommender's hidden
//!   states. Those would cost a second pass of the recommender for every answer, before the gate is known,
//!   and they know the users that the recommender was trained on, while item tables of the folds do not. As
//!   in the released code, and unlike the recommender, the block looks both ways.
//! - A click is compared with the long-term interest of the *other* clicks: else each click would be part
//!   of what vouches for it.
//! - In the place of the third cosine stands that of the collaborative view's own two interests, though the
//!   alignment goes on drawing the sides of the third together. It says less of whether a click belongs to its
//!   history than of how well the item is known: what few have clicked is aligned badly, and its clean clicks
//!   were dropped for it.
//! - The cosines have learnt weights and an offset, and beside the paper's losses they learn from
//!   clicks that were replaced on purpose ([`Config::labels`]; 0 leaves that out): a cosine alone does not
//!   say where noise begins. A replaced click is aligned with nothing.
//! - Semantic states come from codes of a few bytes an item, so that they ship.
//! - The mask is drawn with the difference of two Gumbel variates; the released code adds one alone. When
//!   it is used, a calibrated gate takes its place, which is chosen on validation data.
//! - The recommendation loss is the backbone's own, in phases of its own, without the released code's
//!   squashed logits and with the whole catalogue as negatives.
//! - The layer that restores an item's embedding from a state is the one that made the state, turned round,
//!   so that nothing ships that the browser does not need.
//! - Beside the score each view alone has an opinion, for people to see and for comparison: what
//!   [`Config::semantics`] leaves when it is off.

#[cfg(feature = "burn")]
mod align;
#[cfg(feature = "burn")]
mod judge;
#[cfg(feature = "burn")]
mod objective;
mod slices;

#[cfg(feature = "burn")]
pub use judge::Iadsr;
#[cfg(feature = "burn")]
pub use objective::{DENOISES, phases};
pub use slices::Shipped;

use crate::config::{BackboneConfig, ConfigError, within};
use serde::{Deserialize, Serialize};

/// Least square of a length, so that nothing is divided by 0.
const SHORTEST: f32 = 1e-12;

/// Cosines that the score is made of.
const COSINES: usize = 3;

/// What weights of cosines and offsets are counted in, so that a step of training moves them as much as it should
/// move what is a sum of numbers below 1.
const UNIT: f32 = 8.0;

/// Opinions: the score, the semantic view and the collaborative one.
const OPINIONS: usize = 3;

/// Settings of the states and of what they learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of both kinds of states.
    pub state_width: usize,
    /// Attention heads of the collaborative block; divides `state_width`.
    pub heads: usize,
    /// Dropout in training, `0.0..1.0`.
    pub state_dropout: f32,
    /// Values, and so bytes, of an item's semantic code.
    pub code_width: usize,
    /// Whether the verdict heeds what items are; without, it is that of the collaborative view alone.
    pub semantics: bool,
    /// Weight of the loss that draws both kinds of interests together, short-term and long-term.
    pub alignment: f32,
    /// Weight of the loss of restoring item embeddings from masked states.
    pub reconstruction: f32,
    /// Weight of telling replaced clicks from others.
    pub labels: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state_width: 64,
            heads: 4,
            state_dropout: 0.1,
            code_width: 32,
            semantics: true,
            alignment: 0.1,
            reconstruction: 0.1,
            labels: 1.0,
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
            ("labels", self.labels),
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
