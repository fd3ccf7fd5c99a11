//! `dc4sr`: dual-view calibration for sequential recommendation
//! ([DC4SR](https://arxiv.org/abs/2604.24048), Li et al.).
//!
//! The paper weighs a semantic prior (a language model's opinion of each click) against a
//! posterior read off the recommender's learning dynamics, and gates the clicks both distrust.
//! This is its first form: the model-side view alone, a light scorer trained on labelled
//! corruption instead of on learning dynamics, and the gate. Differences from the paper's
//! released code: labels come from our own seeded corruption rather than from a language model's
//! edits, selection is on the validation split, and training histories and test histories are
//! judged by the same function at the same positions.

mod denoise;
mod features;
mod objective;

pub use denoise::Dc4sr;
pub use objective::PHASES;

use crate::config::ConfigError;
use serde::{Deserialize, Serialize};

/// Settings of the scorer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of the scorer's hidden layers.
    pub scorer_width: usize,
    /// Dropout on the scorer's input and hidden layer in training.
    pub scorer_dropout: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scorer_width: 64,
            scorer_dropout: 0.2,
        }
    }
}

impl Config {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=4096).contains(&self.scorer_width) {
            let found = self.scorer_width;
            return Err(ConfigError::new(
                "scorer_width",
                found,
                "between 1 and 4096",
            ));
        }
        if !(0.0..1.0).contains(&self.scorer_dropout) {
            let found = self.scorer_dropout;
            return Err(ConfigError::new(
                "scorer_dropout",
                found,
                "at least 0 and below 1",
            ));
        }
        Ok(())
    }
}
