//! The networks of the prior view, the posterior view and their fusion.

use super::Config;
use super::likeness::Likeness;
use super::tower::{Reading, Shape, Tower};
use crate::config::BackboneConfig;
use crate::methods::clicks::unit;
use crate::methods::{Clicks, Denoise, FIFTH, Opinion, Views};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;

/// The three networks (towers).
#[derive(Module, Debug)]
pub struct Dc4sr {
    prior: Tower,
    posterior: Tower,
    fusion: Tower,
    /// Values of a semantic code.
    code_width: usize,
}

/// Inputs of the networks for a batch of histories.
pub(super) struct Sight {
    real: Tensor<2>,
    /// `[batch, len, 1]`
    popularity: Tensor<3>,
    /// Semantic codes of length 1, `[batch, len, code width]`
    codes: Tensor<3>,
    by_code: Likeness,
    /// Item embeddings of length 1, `[batch, len, width]`
    embedded: Tensor<3>,
    by_embedding: Likeness,
}

impl Sight {
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
            by_code: Likeness::of(&codes, &real),
            by_embedding: Likeness::of(&embedded, &real),
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
        let mut tower = |inputs, kinds, blocks| {
            let shape = Shape {
                inputs,
                kinds,
                sizes: config.tower(blocks, backbone),
            };
            Tower::new(&shape, rng, device)
        };
        let [prior, posterior, both] = config.inputs(backbone.width);
        Self {
            prior: tower(prior, 1, config.view_blocks),
            posterior: tower(posterior, 1, config.view_blocks),
            fusion: tower(both, 2, config.fusion_blocks),
            code_width: config.code_width,
        }
    }

    pub(super) fn see(&self, clicks: &Clicks) -> Sight {
        Sight::of(clicks, self.code_width)
    }

    /// The prior view: judges clicks by the items' semantic codes.
    pub(super) fn prior(&self, sight: &Sight, rng: Option<&mut Rng>) -> Reading {
        let [_, _, width] = sight.codes.dims();
        let codes = sight.codes.clone() * (width as f32).sqrt();
        let vectors = Tensor::cat(vec![codes, sight.popularity.clone()], 2);
        (self.prior).read(vectors, &[&sight.by_code], &sight.real, rng)
    }

    /// The posterior view: judges clicks by the recommender's item embeddings.
    pub(super) fn posterior(&self, sight: &Sight, rng: Option<&mut Rng>) -> Reading {
        let [_, _, width] = sight.embedded.dims();
        let embedded = sight.embedded.clone() * (width as f32).sqrt();
        let vectors = Tensor::cat(vec![embedded, sight.popularity.clone()], 2);
        (self.posterior).read(vectors, &[&sight.by_embedding], &sight.real, rng)
    }

    /// The fused noise logit, `[batch, len]`.
    pub(super) fn fuse(
        &self,
        sight: &Sight,
        prior: Reading,
        posterior: Reading,
        rng: Option<&mut Rng>,
    ) -> Tensor<2> {
        let [batch, len] = sight.real.dims();
        let product = prior.logit.clone() + posterior.logit.clone();
        let ([_, _, code], [_, _, width]) = (sight.codes.dims(), sight.embedded.dims());
        let vectors = Tensor::cat(
            vec![
                posterior.hidden,
                prior.hidden,
                posterior.logit.reshape([batch, len, 1]),
                prior.logit.reshape([batch, len, 1]),
                sight.popularity.clone(),
                sight.embedded.clone() * (width as f32).sqrt(),
                sight.codes.clone() * (code as f32).sqrt(),
            ],
            2,
        );
        let likeness = [&sight.by_embedding, &sight.by_code];
        product + self.fusion.read(vectors, &likeness, &sight.real, rng).logit
    }
}

impl Denoise for Dc4sr {
    fn opinion(&self, clicks: &Clicks) -> Option<Opinion> {
        let sight = self.see(clicks);
        let (prior, posterior) = (self.prior(&sight, None), self.posterior(&sight, None));
        let views = Views {
            prior: prior.logit.clone(),
            posterior: posterior.logit.clone(),
        };
        let fused = self.fuse(&sight, prior, posterior, None);
        Some(Opinion {
            fused,
            views: Some(views),
        })
    }
}
