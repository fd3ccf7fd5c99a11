//! States, interests and noise logits.

use super::{COSINES, Config, OUTPUTS, SHORTEST, UNIT};
use crate::attention::MASKED;
use crate::backbone::{Block, EMBEDDING_DEVIATION};
use crate::config::BackboneConfig;
use crate::methods::{Clicks, NoiseLogits, ScoreTensors, Views};
use crate::rng::{Rng, layer_norm, normal};
use burn::module::{Module, Param};
use burn::nn::LayerNorm;
use burn::prelude::*;

/// Initial weight of a cosine, divided by [`UNIT`].
const WEIGHT: f32 = 0.5;

/// The method's parameters.
#[derive(Module, Debug)]
pub struct Iadsr {
    /// From semantic codes to states, `[code width, state width]`.
    semantic: Param<Tensor<2>>,
    /// From item embeddings to states, and back, `[width, state width]`.
    collaborative: Param<Tensor<2>>,
    /// `[max_len, state width]`; the last row is the latest click.
    positions: Param<Tensor<2>>,
    block: Block,
    norm: LayerNorm,
    /// Weight of each cosine in the score, `[COSINES]`. This and the next two are stored divided by [`UNIT`].
    weights: Param<Tensor<1>>,
    /// Weight of each view's own cosine, `[2]`.
    own: Param<Tensor<1>>,
    /// Offset of each output, `[OUTPUTS]`.
    offsets: Param<Tensor<1>>,
    dropout: f32,
    /// Weights of the losses.
    pub(super) alignment: f32,
    pub(super) reconstruction: f32,
}

/// Short-term interests of a batch of histories, each `[batch, len, state width]`; values on padding are
/// undefined.
#[derive(Clone, Debug)]
pub(super) struct States {
    pub(super) semantic: Tensor<3>,
    pub(super) collaborative: Tensor<3>,
    /// 1 on clicks and 0 on padding, `[batch, len]`.
    pub(super) real: Tensor<2>,
}

impl Iadsr {
    pub(in crate::methods) fn new(
        config: &Config,
        backbone: &BackboneConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let sizes = config.block(backbone);
        let mut projection = |input: usize| {
            let deviation = (2.0 / (input + sizes.width) as f32).sqrt();
            normal([input, sizes.width], deviation, rng, device)
        };
        Self {
            semantic: projection(config.code_width),
            collaborative: projection(backbone.width),
            positions: normal(
                [sizes.max_len, sizes.width],
                EMBEDDING_DEVIATION,
                rng,
                device,
            ),
            block: Block::new(&sizes, rng, device),
            norm: layer_norm(sizes.width, device),
            weights: Param::from_tensor(Tensor::full([COSINES], WEIGHT, device)),
            own: Param::from_tensor(Tensor::full([2], WEIGHT, device)),
            offsets: Param::from_tensor(Tensor::zeros([OUTPUTS], device)),
            dropout: sizes.dropout,
            alignment: config.alignment,
            reconstruction: config.reconstruction,
        }
    }

    /// Both kinds of states. Dropout is applied if there is a generator.
    pub(super) fn states(&self, clicks: &Clicks, rng: Option<&mut Rng>) -> States {
        let real = clicks.batch.real.clone();
        States {
            semantic: self.semantic_states(clicks),
            collaborative: self.collaborative_states(clicks, rng),
            real,
        }
    }

    /// Semantic states, from the items' codes.
    pub(super) fn semantic_states(&self, clicks: &Clicks) -> Tensor<3> {
        let [batch, len] = clicks.batch.dims();
        let [code_width, _] = self.semantic.dims();
        // Without codes the semantic states are 0.
        let codes = clicks.batch.codes.clone();
        let codes = codes
            .unwrap_or_else(|| Tensor::zeros([batch, len, code_width], &clicks.embedded.device()));
        project(codes * (code_width as f32).sqrt(), self.semantic.val())
    }

    /// Collaborative states, from item embeddings in the context of the history.
    fn collaborative_states(&self, clicks: &Clicks, rng: Option<&mut Rng>) -> Tensor<3> {
        let [batch, len] = clicks.batch.dims();
        let [max_len, width] = self.positions.dims();
        let positions = self
            .positions
            .val()
            .slice([max_len - len..max_len, 0..width]);
        let x = project(embeddings(clicks), self.collaborative.val());
        let padding = (clicks.batch.real.clone() - 1.0).reshape([batch, 1, 1, len]) * -MASKED;
        let x = x + positions.unsqueeze::<3>();
        self.norm
            .forward(self.block.forward(x, padding, self.dropout, rng))
    }

    /// Item embeddings reconstructed from states: `[batch, len, state width]` to `[batch, len, width]`.
    pub(super) fn restored(&self, states: Tensor<3>) -> Tensor<3> {
        project(states, self.collaborative.val().transpose())
    }

    /// Noise logit of the semantic view, `[batch, len]`.
    pub(super) fn prior(&self, semantic: &Tensor<3>, real: &Tensor<2>) -> Tensor<2> {
        let own = cosine(&of_others(semantic, real), semantic);
        pick(&self.offsets, 1) - own * pick(&self.own, 0)
    }

    /// Noise logits.
    pub(super) fn logits(&self, states: &States) -> NoiseLogits {
        let States {
            semantic,
            collaborative,
            real,
        } = states;
        let long_semantic = of_others(semantic, real);
        let long_collaborative = of_others(collaborative, real);
        let own = cosine(&long_collaborative, collaborative);
        let posterior = pick(&self.offsets, 2) - own.clone() * pick(&self.own, 1);
        let fused = pick(&self.offsets, 0)
            - cosine(&long_semantic, collaborative) * pick(&self.weights, 0)
            - cosine(&long_collaborative, semantic) * pick(&self.weights, 1)
            - own * pick(&self.weights, 2);
        let prior = self.prior(semantic, real);
        NoiseLogits {
            fused,
            views: Some(Views { prior, posterior }),
        }
    }
}

impl ScoreTensors for Iadsr {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        Some(self.logits(&self.states(clicks, None)))
    }
}

/// One weight or offset, multiplied by [`UNIT`], `[1, 1]`.
fn pick(weights: &Param<Tensor<1>>, at: usize) -> Tensor<2> {
    weights.val().narrow(0, at, 1).unsqueeze::<2>() * UNIT
}

/// Item embeddings scaled so that values are of the order of 1; 0 on padding, `[batch, len, width]`.
pub(super) fn embeddings(clicks: &Clicks) -> Tensor<3> {
    let [batch, len, width] = clicks.embedded.dims();
    let real = clicks.batch.real.clone().reshape([batch, len, 1]);
    unit(clicks.embedded.clone()) * real.expand([batch, len, width]) * (width as f32).sqrt()
}

/// `x · weight` along the last axis.
fn project(x: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let [batch, len, width] = x.dims();
    let [_, output] = weight.dims();
    let out = x.reshape([batch * len, width]).matmul(weight);
    out.reshape([batch, len, output])
}

/// Scales the last axis to length 1; zeros stay zeros.
pub(super) fn unit(x: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    let length = (x.clone().square().sum_dim(2) + SHORTEST).sqrt();
    x / length.expand(shape)
}

/// Cosines of corresponding vectors, `[batch, len]`.
fn cosine(a: &Tensor<3>, b: &Tensor<3>) -> Tensor<2> {
    let [batch, len, _] = a.dims();
    let product = unit(a.clone()) * unit(b.clone());
    product.sum_dim(2).reshape([batch, len])
}

/// Long-term interests: the elementwise maximum of all clicks' states, `[batch, 1, width]`.
pub(super) fn of_all(states: &Tensor<3>, real: &Tensor<2>) -> Tensor<3> {
    among_real(states, real).max_dim(1)
}

/// The long-term interest that each click is compared with: the elementwise maximum of the *other* clicks'
/// states, `[batch, len, width]`; 0 if there is no other click.
fn of_others(states: &Tensor<3>, real: &Tensor<2>) -> Tensor<3> {
    let shape = states.dims();
    let [batch, len, _] = shape;
    let states = among_real(states, real);
    let largest = states.clone().max_dim(1);
    let is_largest = states.clone().equal(largest.clone().expand(shape)).float();
    let second = (states + is_largest.clone() * MASKED).max_dim(1);
    // If the maximum occurs at several clicks, each of them has another one as large.
    let alone = is_largest
        .clone()
        .sum_dim(1)
        .equal_scalar(1.0)
        .float()
        .expand(shape);
    let alone = is_largest * alone;
    let others = real.clone().sum_dim(1).expand([batch, len]) - real.clone();
    let any = others.greater_scalar(0.5).float().reshape([batch, len, 1]);
    let found = largest.expand(shape) * (alone.clone().neg() + 1.0) + second.expand(shape) * alone;
    found * any.expand(shape)
}

/// States with a value below all others on padding.
fn among_real(states: &Tensor<3>, real: &Tensor<2>) -> Tensor<3> {
    let [batch, len, width] = states.dims();
    let real = real.clone().reshape([batch, len, 1]);
    let padding = (real.clone() - 1.0) * -MASKED;
    states.clone() * real.expand([batch, len, width]) + padding.expand([batch, len, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(x: Tensor<3>) -> Vec<f32> {
        x.into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_click_is_no_part_of_the_interest_that_vouches_for_it() {
        let device = Device::flex();
        let states = Tensor::<3>::from_floats(
            [
                [[9.0, 9.0], [1.0, 5.0], [3.0, 2.0], [2.0, 5.0]],
                [[9.0, 9.0], [9.0, 9.0], [9.0, 9.0], [-1.0, 4.0]],
            ],
            &device,
        );
        let real = Tensor::<2>::from_floats([[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]], &device);
        let long = floats(of_others(&states, &real));
        assert_eq!(long[2..8], [3.0, 5.0, 2.0, 5.0, 3.0, 5.0]);
        assert_eq!(long[14..], [0.0, 0.0]);
        assert_eq!(floats(of_all(&states, &real)), [3.0, 5.0, -1.0, 4.0]);
    }

    #[test]
    fn cosines_of_nothing_are_0_and_have_a_gradient() {
        let device = Device::flex().autodiff();
        let a = Tensor::<3>::from_floats([[[0.0, 0.0], [3.0, 4.0]]], &device).require_grad();
        let found = cosine(&a, &a);
        let gradients = found.clone().sum().backward();
        let values: Vec<f32> = found.into_data().iter().collect();
        assert!(values[0].abs() < 1e-6 && (values[1] - 1.0).abs() < 1e-6);
        let gradient = a.grad(&gradients).expect("a gradient").into_data();
        assert!(gradient.iter::<f32>().all(f32::is_finite));
    }
}
