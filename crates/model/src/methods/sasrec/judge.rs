//! The method's module, which has nothing to train.

use super::Config;
use crate::config::BackboneConfig;
use crate::methods::objective::{Objective, Step};
use crate::methods::{Clicks, Denoise, Opinion, Part};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;

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
    fn loss(&self, _part: Part, _step: &mut Step<'_>) -> Tensor<1> {
        unreachable!("the method has no scorer")
    }
}
