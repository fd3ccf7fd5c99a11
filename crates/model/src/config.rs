//! A model's configuration: everything a bundle must contain for a reader to rebuild the model.

use crate::backbone::Kind;
use crate::gate::GateConfig;
use crate::kept::Rule;
use crate::methods::MethodConfig;
use ingle_layers::Sizes;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::ops::RangeBounds;

/// Sizes of the backbone. Defaults are the strong `SASRec` recipe for Amazon Beauty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackboneConfig {
    /// The kind of encoder.
    #[serde(skip_serializing_if = "Kind::is_default")]
    pub kind: Kind,
    /// Width of an item embedding and of the hidden state.
    pub width: usize,
    /// Blocks of the Transformer, or layers of the GRU.
    pub blocks: usize,
    /// Attention heads of the Transformer; divides `width`.
    pub heads: usize,
    /// Width of the Transformer's feed-forward layer.
    pub feed_forward: usize,
    /// The number of clicks the model reads; of longer histories it reads the latest.
    pub max_len: usize,
    /// Dropout rate in training, `0.0..1.0`.
    pub dropout: f32,
}

impl Default for BackboneConfig {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            width: 128,
            blocks: 2,
            heads: 1,
            feed_forward: 256,
            max_len: 50,
            dropout: 0.4,
        }
    }
}

/// An invalid configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, but must be {expected}")]
pub struct ConfigError {
    field: &'static str,
    found: String,
    expected: &'static str,
}

impl ConfigError {
    /// A setting with a value that is not `expected`.
    pub fn new(field: &'static str, found: impl Display, expected: &'static str) -> Self {
        Self {
            field,
            found: found.to_string(),
            expected,
        }
    }
}

/// Checks that a setting is within its range.
pub(crate) fn within<T: PartialOrd + Display>(
    field: &'static str,
    found: T,
    range: impl RangeBounds<T>,
    expected: &'static str,
) -> Result<(), ConfigError> {
    if range.contains(&found) {
        return Ok(());
    }
    Err(ConfigError::new(field, found, expected))
}

impl BackboneConfig {
    /// Sizes of a Transformer's block.
    pub(crate) fn block(&self) -> Sizes {
        Sizes {
            width: self.width,
            heads: self.heads,
            feed_forward: self.feed_forward,
        }
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let size =
            |field, value: usize, most: usize, expected| within(field, value, 1..=most, expected);
        size("width", self.width, 4096, "between 1 and 4096")?;
        size("blocks", self.blocks, 64, "between 1 and 64")?;
        size("heads", self.heads, self.width, "between 1 and width")?;
        size(
            "feed_forward",
            self.feed_forward,
            65_536,
            "between 1 and 65536",
        )?;
        size("max_len", self.max_len, 4096, "between 1 and 4096")?;
        if !self.width.is_multiple_of(self.heads) {
            return Err(ConfigError::new("heads", self.heads, "a divisor of width"));
        }
        within("dropout", self.dropout, 0.0..1.0, "at least 0 and below 1")
    }
}

/// A whole model: sizes, method and gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Number of items in the catalogue, without the padding item 0.
    pub items: usize,
    /// The encoder.
    pub backbone: BackboneConfig,
    /// The denoising method.
    pub method: MethodConfig,
    /// The gate, from noise probability to keep weight.
    pub gate: GateConfig,
    /// The keep rule; `None` for a single history whose clicks are weighted by the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Rule>,
}

impl ModelConfig {
    /// The weight of each click of a history, given its noise probability: the share of kept histories that contain it,
    /// or its weight by the gate.
    pub fn weights(&self, noise: &[f32]) -> Vec<f32> {
        match &self.keep {
            Some(rule) => rule.histories(noise, None).shares(noise.len()),
            None => self.gate.weights(noise),
        }
    }

    /// Checks all parts.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.items == 0 {
            return Err(ConfigError::new("items", 0, "at least 1"));
        }
        self.backbone.validate()?;
        self.gate.validate()?;
        self.method.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_backbone_is_valid() {
        assert_eq!(BackboneConfig::default().validate(), Ok(()));
    }

    #[test]
    fn rejects_heads_that_do_not_divide_the_width() {
        let config = BackboneConfig {
            heads: 3,
            ..BackboneConfig::default()
        };
        let error = config.validate().expect_err("64 / 3").to_string();
        assert_eq!(error, "heads is 3, but must be a divisor of width");
    }

    #[test]
    fn rejects_sizes_of_zero_and_rates_of_one() {
        for config in [
            BackboneConfig {
                width: 0,
                ..BackboneConfig::default()
            },
            BackboneConfig {
                max_len: 0,
                ..BackboneConfig::default()
            },
            BackboneConfig {
                dropout: 1.0,
                ..BackboneConfig::default()
            },
            BackboneConfig {
                dropout: f32::NAN,
                ..BackboneConfig::default()
            },
        ] {
            assert!(config.validate().is_err(), "{config:?}");
        }
    }
}
