//! `sasrec`: the backbone alone, the undenoised baseline every method is measured against
//! ([Self-Attentive Sequential Recommendation](https://arxiv.org/abs/1808.09781)). It judges no
//! click; the gate stays open.

use super::objective::{Learns, Objective, Phase, Plan, Step, recommendation};
use super::{Clicks, Denoise, Opinion};
use crate::config::{BackboneConfig, ConfigError};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// Training is that of the backbone.
pub fn phases(_: &Plan) -> Vec<Phase> {
    vec![Phase::new("backbone", Learns::Backbone)]
}

/// It tells no noise.
pub const DENOISES: bool = false;

/// `sasrec` has no settings of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

impl Config {
    /// It judges no click by what it is.
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

/// Nothing to learn beside the backbone.
#[derive(Module, Debug)]
pub struct Sasrec {
    /// A module needs a field; the method has no parameter.
    judges: bool,
}

impl Sasrec {
    pub(super) fn new(_: &Config, _: &BackboneConfig, _: &mut Rng, _: &Device) -> Self {
        Self { judges: false }
    }
}

impl Denoise for Sasrec {
    fn opinion(&self, _clicks: &Clicks) -> Option<Opinion> {
        None
    }
}

impl Objective for Sasrec {
    fn loss(&self, _phase: &Phase, step: &mut Step<'_>) -> Tensor<1> {
        recommendation(step)
    }
}
