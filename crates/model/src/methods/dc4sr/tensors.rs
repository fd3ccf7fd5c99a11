//! The networks of the prior view, the posterior view and their fusion.

use super::Config;
use super::network::{Network, Output, Shape};
use super::similarity::Similarity;
use crate::config::BackboneConfig;
use crate::methods::clicks::unit;
use crate::methods::{Clicks, FIFTH, NoiseLogits, ScoreTensors, Views};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;

/// The three networks (networks).
#[derive(Module, Debug)]
pub struct Dc4sr {
    prior: Network,
    posterior: Network,
    fusion: Network,
    /// Values of a semantic code.
    code_width: usize,
}

/// Inputs of the networks for a batch of histories.
pub(super) struct Inputs {
    real: Tensor<2>,
    /// `[batch, len, 1]`
    popularity: Tensor<3>,
    /// Semantic codes of length 1, `[batch, len, code width]`
    codes: Tensor<3>,
    by_code: Similarity,
    /// Item embeddings of length 1, `[batch, len, width]`
    embedded: Tensor<3>,
    by_embedding: Similarity,
}

impl Inputs {
    fn of(clicks: &Clicks, code_width: usize) -> Self {
        let [batch, len, width] = clicks.embedded.dims();
        let real = clicks.batch.real.clone();
        let device = real.device();
        let mask = real.clone().reshape([batch, len, 1]);
        let codes = clicks.batch.codes.clone();
        // Without codes the prior's only input is popularity.
        let codes = codes.unwrap_or_else(|| Tensor::zeros([batch, len, code_width], &device));
        let embedded = unit(clicks.embedded.clone()) * mask.expand([batch, len, width]);
        Self {
            popularity: clicks.batch.popularity.clone().reshape([batch, len, 1]) * FIFTH,
            by_code: Similarity::of(&codes, &real),
            by_embedding: Similarity::of(&embedded, &real),
            codes,
            embedded,
            real,
        }
    }
}

impl Dc4sr {
    pub(in crate::methods) fn new(
        config: &Config,
        backbone: &BackboneConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let mut network = |inputs, kinds, blocks| {
            let shape = Shape {
                inputs,
                kinds,
                sizes: config.network(blocks, backbone),
            };
            Network::new(&shape, rng, device)
        };
        let [prior, posterior, both] = config.inputs(backbone.width);
        Self {
            prior: network(prior, 1, config.view_blocks),
            posterior: network(posterior, 1, config.view_blocks),
            fusion: network(both, 2, config.fusion_blocks),
            code_width: config.code_width,
        }
    }

    pub(super) fn see(&self, clicks: &Clicks) -> Inputs {
        Inputs::of(clicks, self.code_width)
    }

    /// The prior view: judges clicks by the items' semantic codes.
    pub(super) fn prior(&self, inputs: &Inputs, rng: Option<&mut Rng>) -> Output {
        let [_, _, width] = inputs.codes.dims();
        let codes = inputs.codes.clone() * (width as f32).sqrt();
        let vectors = Tensor::cat(vec![codes, inputs.popularity.clone()], 2);
        (self.prior).read(vectors, &[&inputs.by_code], &inputs.real, rng)
    }

    /// The posterior view: judges clicks by the recommender's item embeddings.
    pub(super) fn posterior(&self, inputs: &Inputs, rng: Option<&mut Rng>) -> Output {
        let [_, _, width] = inputs.embedded.dims();
        let embedded = inputs.embedded.clone() * (width as f32).sqrt();
        let vectors = Tensor::cat(vec![embedded, inputs.popularity.clone()], 2);
        (self.posterior).read(vectors, &[&inputs.by_embedding], &inputs.real, rng)
    }

    /// The fused noise logit, `[batch, len]`.
    pub(super) fn fuse(
        &self,
        inputs: &Inputs,
        prior: Output,
        posterior: Output,
        rng: Option<&mut Rng>,
    ) -> Tensor<2> {
        let [batch, len] = inputs.real.dims();
        let product = prior.logit.clone() + posterior.logit.clone();
        let ([_, _, code], [_, _, width]) = (inputs.codes.dims(), inputs.embedded.dims());
        let vectors = Tensor::cat(
            vec![
                posterior.hidden,
                prior.hidden,
                posterior.logit.reshape([batch, len, 1]),
                prior.logit.reshape([batch, len, 1]),
                inputs.popularity.clone(),
                inputs.embedded.clone() * (width as f32).sqrt(),
                inputs.codes.clone() * (code as f32).sqrt(),
            ],
            2,
        );
        let similarity = [&inputs.by_embedding, &inputs.by_code];
        product
            + self
                .fusion
                .read(vectors, &similarity, &inputs.real, rng)
                .logit
    }
}

impl ScoreTensors for Dc4sr {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        let inputs = self.see(clicks);
        let (prior, posterior) = (self.prior(&inputs, None), self.posterior(&inputs, None));
        let views = Views {
            prior: prior.logit.clone(),
            posterior: posterior.logit.clone(),
        };
        let fused = self.fuse(&inputs, prior, posterior, None);
        Some(NoiseLogits {
            fused,
            views: Some(views),
        })
    }
}
