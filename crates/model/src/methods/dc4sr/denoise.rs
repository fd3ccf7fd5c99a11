//! The posterior scorer: a small multi-layer perceptron over what [`super::features`] sees.

use super::Config;
use super::features::{SCALARS, VECTORS, features};
use crate::config::BackboneConfig;
use crate::methods::{Clicks, Denoise};
use crate::rng::{Rng, dropout, linear};
use burn::module::Module;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::gelu;

/// The scorer's parameters.
#[derive(Module, Debug)]
pub struct Dc4sr {
    input: Linear,
    hidden: Linear,
    output: Linear,
    dropout: f32,
}

impl Dc4sr {
    pub(in crate::methods) fn new(
        config: &Config,
        backbone: &BackboneConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let width = config.scorer_width;
        Self {
            input: linear(VECTORS * backbone.width + SCALARS, width, rng, device),
            hidden: linear(width, width, rng, device),
            output: linear(width, 1, rng, device),
            dropout: config.scorer_dropout,
        }
    }

    /// Noise logits, `[batch, len]`. With a generator, dropout is on.
    pub(super) fn logits(&self, clicks: &Clicks, mut rng: Option<&mut Rng>) -> Tensor<2> {
        let [batch, len] = clicks.batch.dims();
        let x = dropout(features(clicks), self.dropout, rng.as_deref_mut());
        let x = dropout(gelu(self.input.forward(x)), self.dropout, rng);
        let x = gelu(self.hidden.forward(x));
        self.output.forward(x).reshape([batch, len])
    }
}

impl Denoise for Dc4sr {
    fn noise_logits(&self, clicks: &Clicks) -> Option<Tensor<2>> {
        Some(self.logits(clicks, None))
    }
}
