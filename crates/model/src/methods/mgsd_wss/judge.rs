//! What the method makes of a history: a logit of noise for each click, by itself and by the interest that
//! it serves.

use super::interests::{Interests, Served};
use super::{Config, FIFTH, Kernel, kernels};
use crate::attention::MASKED;
use crate::backbone::{Block, EMBEDDING_DEVIATION};
use crate::config::BackboneConfig;
use crate::methods::{Clicks, Denoise, Interest, Opinion};
use crate::rng::{Rng, dropout, layer_norm, linear, normal};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;
use burn::tensor::activation::gelu;

/// The method's parameters, and what its losses weigh.
#[derive(Module, Debug)]
pub struct MgsdWss {
    input: Linear,
    /// In place of kernels, if they are a perceptron: its two layers.
    perceptron: Vec<Linear>,
    /// From kernels to a factor and an offset of each hidden value.
    kernel: Linear,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    merge: Linear,
    /// To the two classes, clean and noise.
    classes: Linear,
    interests: Interests,
    kernels: usize,
    dropout: f32,
    #[module(skip)]
    pub(super) config: Config,
}

/// Histories as the method looks at them.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// 1 on clicks and 0 on padding, `[batch, len]`
    pub(super) real: Tensor<2>,
    /// Directions of item embeddings and popularity, `[batch, len, width + 1]`
    vectors: Tensor<3>,
    /// Of each click with the target, `[batch, len, 1]`
    cosines: Tensor<3>,
    /// The target's own vector, `[batch, 1, width + 1]`
    target: Tensor<3>,
}

/// What comes of looking.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Clicks in their history, `[batch, len, width]`
    pub(super) hidden: Tensor<3>,
    /// The target in the same space, `[batch, 1, width]`
    pub(super) target: Tensor<3>,
    /// Noise logit of each click by itself, `[batch, len]`
    pub(super) item: Tensor<2>,
    /// The interests they serve.
    pub(super) served: Served,
}

impl Reading {
    /// Both granularities as one logit, `[batch, len]`.
    pub(super) fn fused(&self) -> Tensor<2> {
        self.item.clone() + self.served.by_click(self.served.logit.clone())
    }
}

impl Sight {
    /// The last click is the target.
    pub(super) fn of(clicks: &Clicks) -> Self {
        let [batch, len, width] = clicks.embedded.dims();
        let real = clicks.batch.real.clone();
        let mask = real.clone().reshape([batch, len, 1]);
        let directions = unit(clicks.embedded.clone()) * mask.expand([batch, len, width]);
        let popularity = clicks.batch.popularity.clone().reshape([batch, len, 1]) * FIFTH;
        let last = directions.clone().slice([0..batch, len - 1..len, 0..width]);
        let cosines = directions.clone().matmul(last.transpose());
        let vectors = Tensor::cat(vec![directions * (width as f32).sqrt(), popularity], 2);
        let target = vectors
            .clone()
            .slice([0..batch, len - 1..len, 0..width + 1]);
        Self {
            real,
            vectors,
            cosines,
            target,
        }
    }

    /// Without the last click in histories where `next` is 1, `[batch, 1]`: it stays the target, and the
    /// one before it becomes the last.
    pub(super) fn before_the_last(self, next: &Tensor<2>) -> Self {
        Self {
            real: later(self.real, next),
            vectors: later_rows(self.vectors, next),
            cosines: later_rows(self.cosines, next),
            target: self.target,
        }
    }
}

impl MgsdWss {
    pub(in crate::methods) fn new(
        config: &Config,
        backbone: &BackboneConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let (width, kernels) = (config.scorer_width, config.kernels);
        let sizes = config.sizes(backbone);
        let perceptron = match config.kernel {
            Kernel::Gaussian => Vec::new(),
            Kernel::Mlp => vec![
                linear(1, kernels, rng, device),
                linear(kernels, kernels, rng, device),
            ],
        };
        Self {
            input: linear(backbone.width + 1, width, rng, device),
            perceptron,
            kernel: linear(kernels, 2 * width, rng, device),
            positions: normal([sizes.max_len, width], EMBEDDING_DEVIATION, rng, device),
            blocks: (0..sizes.blocks)
                .map(|_| Block::new(&sizes, rng, device))
                .collect(),
            norm: layer_norm(width, device),
            merge: linear(width, width, rng, device),
            classes: linear(width, 2, rng, device),
            interests: Interests::new(config, rng, device),
            kernels,
            dropout: config.scorer_dropout,
            config: config.clone(),
        }
    }

    /// Looks at histories. With a generator, dropout is on.
    pub(super) fn look(&self, sight: &Sight, mut rng: Option<&mut Rng>) -> Reading {
        let [batch, len, _] = sight.vectors.dims();
        let [max_len, width] = self.positions.dims();
        let positions = (self.positions.val()).slice([max_len - len..max_len, 0..width]);
        let x = dropout(self.weighted(sight), self.dropout, rng.as_deref_mut());
        let mut x = x + positions.unsqueeze::<3>();
        let bias = (sight.real.clone() - 1.0).reshape([batch, 1, 1, len]) * -MASKED;
        for block in &self.blocks {
            x = block.forward(x, bias.clone(), self.dropout, rng.as_deref_mut());
        }
        let hidden = self.norm.forward(x);
        let target = self.input.forward(sight.target.clone());
        let classes = (self.classes).forward(gelu(self.merge.forward(hidden.clone())));
        let class = |at: usize| classes.clone().slice([0..batch, 0..len, at..at + 1]);
        Reading {
            item: (class(1) - class(0)).reshape([batch, len]),
            served: self.interests.serve(&hidden, &target, &sight.real),
            hidden,
            target,
        }
    }

    /// Clicks, each weighted by what it is to the target, `[batch, len, width]`.
    fn weighted(&self, sight: &Sight) -> Tensor<3> {
        let [batch, len, _] = sight.vectors.dims();
        let kernels = match &self.perceptron[..] {
            [inner, outer] => outer.forward(gelu(inner.forward(sight.cosines.clone()))),
            _ => kernels::respond(&sight.cosines, self.kernels),
        };
        let x = self.input.forward(sight.vectors.clone());
        let [_, _, width] = x.dims();
        let weights = self.kernel.forward(kernels);
        let factors = weights.clone().slice([0..batch, 0..len, 0..width]);
        let offsets = weights.slice([0..batch, 0..len, width..2 * width]);
        x * (factors + 1.0) + offsets
    }
}

impl Denoise for MgsdWss {
    fn opinion(&self, clicks: &Clicks) -> Option<Opinion> {
        let reading = self.look(&Sight::of(clicks), None);
        Some(Opinion {
            fused: reading.fused(),
            views: None,
        })
    }

    fn interests(&self, clicks: &Clicks) -> Option<Interest<Tensor<2>>> {
        Some(self.look(&Sight::of(clicks), None).served.strongest())
    }
}

/// Each row one place later where `which` is 1, `[batch, 1]`; what was last is gone.
pub(super) fn later(x: Tensor<2>, which: &Tensor<2>) -> Tensor<2> {
    let [batch, len] = x.dims();
    later_rows(x.reshape([batch, len, 1]), which).reshape([batch, len])
}

/// The same of rows of vectors.
pub(super) fn later_rows(x: Tensor<3>, which: &Tensor<2>) -> Tensor<3> {
    let [batch, len, width] = x.dims();
    let first = Tensor::zeros([batch, 1, width], &x.device());
    let shifted = match len {
        1 => first,
        _ => Tensor::cat(
            vec![first, x.clone().slice([0..batch, 0..len - 1, 0..width])],
            1,
        ),
    };
    let which = which
        .clone()
        .reshape([batch, 1, 1])
        .expand([batch, len, width]);
    x.clone() + (shifted - x) * which
}

/// Scales the last axis to length 1; zeros stay zeros.
fn unit(x: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    let length = x.clone().square().sum_dim(2).sqrt().clamp_min(1e-6);
    x / length.expand(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_whose_last_click_is_the_target_moves_up_and_the_others_stay() {
        let device = Device::flex();
        let x = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
        let which = Tensor::<2>::from_floats([[1.0], [0.0]], &device);
        let moved: Vec<f32> = later(x, &which).into_data().iter().collect();
        assert_eq!(moved, [0.0, 1.0, 2.0, 4.0, 5.0, 6.0]);
    }
}
