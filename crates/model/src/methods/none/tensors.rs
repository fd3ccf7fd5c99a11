//! The method's module, which has nothing to train.

use super::Config;
use crate::config::BackboneConfig;
use crate::methods::objective::{Objective, Step};
use crate::methods::{Clicks, NoiseLogits, Part, ScoreTensors};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;

/// The method has no parameters.
#[derive(Module, Debug)]
pub struct NoDenoising {
    /// A Burn module needs a field.
    judges: bool,
}

impl NoDenoising {
    pub(in crate::methods) fn new(_: &Config, _: &BackboneConfig, _: &mut Rng, _: &Device) -> Self {
        Self { judges: false }
    }
}

impl ScoreTensors for NoDenoising {
    fn noise_logits(&self, _clicks: &Clicks) -> Option<NoiseLogits> {
        None
    }
}

impl Objective for NoDenoising {
    fn loss(&self, _part: Part, _step: &mut Step<'_>) -> Tensor<1> {
        unreachable!("the method has no scorer")
    }
}
