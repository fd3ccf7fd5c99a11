//! The method's module and its training, which is the backbone's.

use super::Config;
use crate::config::BackboneConfig;
use crate::methods::objective::{Learns, Objective, Phase, Plan, Step, recommendation};
use crate::methods::{Clicks, Denoise, Opinion};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;

/// The backbone alone.
pub fn phases(_: &Plan) -> Vec<Phase> {
    vec![Phase::new("backbone", Learns::Backbone)]
}

/// The method has no scorer.
pub const DENOISES: bool = false;

/// Clicks that were not replaced have no soft labels.
pub const TAUGHT: bool = false;

/// The method has no parameters.
#[derive(Module, Debug)]
pub struct Sasrec {
    /// A Burn module needs a field.
    judges: bool,
}

impl Sasrec {
    pub(in crate::methods) fn new(_: &Config, _: &BackboneConfig, _: &mut Rng, _: &Device) -> Self {
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
