//! `none`: the backbone alone, without denoising. It has no scorer; every click counts.

mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use slices::SliceScorer;
#[cfg(feature = "burn")]
pub use tensors::NoDenoising;

use super::Part;
use crate::config::ConfigError;
use serde::{Deserialize, Serialize};

/// The method has no scorer.
pub const PARTS: &[(&str, Part)] = &[];

/// Clicks that were not replaced have no soft labels.
pub const TAUGHT: bool = false;

/// `none` has no settings of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

impl Config {
    /// The method uses no codes.
    #[expect(clippy::unused_self, reason = "as every method's")]
    pub(super) fn code_width(&self) -> Option<usize> {
        None
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as every method's"
    )]
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}
