//! The scorer: a noise logit of each click, from the click itself and from its interests.

use super::interests::{Interests, Served};
use super::{Config, kernels};
use crate::attention::MASKED;
use crate::backbone::{Block, EMBEDDING_DEVIATION};
use crate::config::BackboneConfig;
use crate::methods::clicks::unit;
use crate::methods::{Clicks, FIFTH, Interest, NoiseLogits, ScoreTensors};
use crate::rng::{Rng, dropout, layer_norm, linear, normal};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;
use burn::tensor::activation::gelu;

/// The method's parameters.
#[derive(Module, Debug)]
pub struct MgsdWss {
    input: Linear,
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
    dropout: f32,
    kernels: usize,
}

/// Inputs of the scorer for a batch of histories.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    /// 1 on clicks and 0 on padding, `[batch, len]`
    pub(super) real: Tensor<2>,
    /// Unit vectors of item embeddings, `[batch, len, width]`
    directions: Tensor<3>,
    /// `[batch, len, 1]`
    popularity: Tensor<3>,
    /// The target's unit vector and popularity, `[batch, 1, width]` and `[batch, 1, 1]`
    target: [Tensor<3>; 2],
}

/// Outputs of the scorer.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// Noise logit of each click by itself, `[batch, len]`
    pub(super) item: Tensor<2>,
    /// The interests.
    pub(super) served: Served,
}

impl Output {
    /// Sum of the logits of the click and of its interests, `[batch, len]`.
    pub(super) fn fused(&self) -> Tensor<2> {
        self.item.clone() + self.served.by_click(self.served.logit.clone())
    }
}

impl Inputs {
    /// The last click is the target.
    pub(super) fn of(clicks: &Clicks) -> Self {
        let [batch, len, width] = clicks.embedded.dims();
        let real = clicks.batch.real.clone();
        let mask = real.clone().reshape([batch, len, 1]);
        let directions = unit(clicks.embedded.clone()) * mask.expand([batch, len, width]);
        let popularity = clicks.batch.popularity.clone().reshape([batch, len, 1]) * FIFTH;
        let target = [&directions, &popularity].map(|x| {
            let [_, _, width] = x.dims();
            x.clone().slice([0..batch, len - 1..len, 0..width])
        });
        Self {
            real,
            directions,
            popularity,
            target,
        }
    }

    /// Cosine of each click with the target, `[batch, len, 1]`.
    fn with_target(&self) -> Tensor<3> {
        let [target, _] = &self.target;
        self.directions.clone().matmul(target.clone().transpose())
    }

    /// Cosine of each pair of clicks, `[batch, len, len]`, and a mask that is 1 for pairs of different
    /// clicks.
    fn with_others(&self) -> [Tensor<3>; 2] {
        let [batch, len, _] = self.directions.dims();
        let real = self.real.clone().reshape([batch, len, 1]);
        let different = Tensor::<2>::eye(len, &real.device()).neg() + 1.0;
        let different = different.unsqueeze::<3>().expand([batch, len, len]);
        let pairs = self
            .directions
            .clone()
            .matmul(self.directions.clone().transpose());
        [pairs, real.clone().matmul(real.transpose()) * different]
    }
}

/// Input of the first layer.
fn vectors(directions: &Tensor<3>, popularity: &Tensor<3>) -> Tensor<3> {
    let [_, _, width] = directions.dims();
    let directions = directions.clone() * (width as f32).sqrt();
    Tensor::cat(vec![directions, popularity.clone()], 2)
}

impl MgsdWss {
    pub(in crate::methods) fn new(
        config: &Config,
        backbone: &BackboneConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let (width, sizes) = (config.scorer_width, config.sizes(backbone));
        Self {
            input: linear(backbone.width + 1, width, rng, device),
            kernel: linear(config.comparisons(), 2 * width, rng, device),
            positions: normal([sizes.max_len, width], EMBEDDING_DEVIATION, rng, device),
            blocks: (0..sizes.blocks)
                .map(|_| Block::new(&sizes, rng, device))
                .collect(),
            norm: layer_norm(width, device),
            merge: linear(width, width, rng, device),
            classes: undecided(width, 2, rng, device),
            interests: Interests::new(config, rng, device),
            dropout: config.scorer_dropout,
            kernels: config.kernels,
        }
    }

    /// Runs the scorer. Dropout is applied if there is a generator.
    pub(super) fn look(&self, inputs: &Inputs, mut rng: Option<&mut Rng>) -> Output {
        let [batch, len] = inputs.real.dims();
        let [max_len, width] = self.positions.dims();
        let positions = (self.positions.val()).slice([max_len - len..max_len, 0..width]);
        let x = dropout(self.weighted(inputs), self.dropout, rng.as_deref_mut());
        let mut x = x + positions.unsqueeze::<3>();
        let bias = (inputs.real.clone() - 1.0).reshape([batch, 1, 1, len]) * -MASKED;
        for block in &self.blocks {
            x = block.forward(x, bias.clone(), self.dropout, rng.as_deref_mut());
        }
        let hidden = self.norm.forward(x);
        let [direction, popularity] = &inputs.target;
        let target = self.input.forward(vectors(direction, popularity));
        let classes = (self.classes).forward(gelu(self.merge.forward(hidden.clone())));
        let class = |at: usize| classes.clone().slice([0..batch, 0..len, at..at + 1]);
        Output {
            item: (class(1) - class(0)).reshape([batch, len]),
            served: self.interests.serve(&hidden, &target, &inputs.real),
        }
    }

    /// Hidden states of the clicks, modulated by their similarity to the target and to the others, `[batch,
    /// len, width]`.
    fn weighted(&self, inputs: &Inputs) -> Tensor<3> {
        let [batch, len] = inputs.real.dims();
        let count = self.kernels;
        let [pairs, others] = inputs.with_others();
        let shape = [batch, len * len, 1];
        let each = kernels::respond(&pairs.reshape(shape), count)
            * others.reshape(shape).expand([batch, len * len, count]);
        let sum = each.reshape([batch, len, len, count]).sum_dim(2);
        let kernels = vec![
            kernels::respond(&inputs.with_target(), count),
            kernels::pooled(sum.reshape([batch, len, count])),
        ];
        let x = self
            .input
            .forward(vectors(&inputs.directions, &inputs.popularity));
        let [_, _, width] = x.dims();
        let weights = self.kernel.forward(Tensor::cat(kernels, 2));
        let factors = weights.clone().slice([0..batch, 0..len, 0..width]);
        let offsets = weights.slice([0..batch, 0..len, width..2 * width]);
        x * (factors + 1.0) + offsets
    }
}

impl ScoreTensors for MgsdWss {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        let output = self.look(&Inputs::of(clicks), None);
        Some(NoiseLogits {
            fused: output.fused(),
            views: None,
        })
    }

    fn interests(&self, clicks: &Clicks) -> Option<Interest<Tensor<2>>> {
        Some(self.look(&Inputs::of(clicks), None).served.strongest())
    }
}

/// A linear layer with small initial weights, so that an untrained scorer gives logits near 0.
pub(super) fn undecided(input: usize, output: usize, rng: &mut Rng, device: &Device) -> Linear {
    Linear {
        weight: normal([input, output], EMBEDDING_DEVIATION, rng, device),
        ..linear(input, output, rng, device)
    }
}
