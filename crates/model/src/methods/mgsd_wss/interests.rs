//! Interests: a few learnt directions to which clicks are softly assigned. Each is the mean of its clicks, is
//! compared with the target, and is kept or dropped as a whole.

use super::tensors::undecided;
use super::{Config, LEAST};
use crate::methods::Interest;
use crate::rng::{Rng, linear, normal};
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::{gelu, softmax};

/// Standard deviation of initial interests: large enough that the first assignments are not uniform.
const DEVIATION: f32 = 0.3;

/// The interests' parameters.
#[derive(Module, Debug)]
pub(super) struct Interests {
    assign: Linear,
    /// `[width, interests]`
    directions: Param<Tensor<2>>,
    merge: Linear,
    output: Linear,
}

/// The interests of a batch of histories.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// Share of each click in each interest, `[batch, len, interests]`: adds up to 1 by click, and is 0 on
    /// padding
    pub(super) share: Tensor<3>,
    /// Noise logit of each, `[batch, interests]`
    pub(super) logit: Tensor<2>,
}

impl Interests {
    pub(super) fn new(config: &Config, rng: &mut Rng, device: &Device) -> Self {
        let width = config.scorer_width;
        Self {
            assign: linear(width, width, rng, device),
            directions: normal([width, config.interests], DEVIATION, rng, device),
            merge: linear(2 * width, width, rng, device),
            output: undecided(width, 1, rng, device),
        }
    }

    /// # Shapes
    /// - `hidden`: clicks, `[batch, len, width]`
    /// - `target`: `[batch, 1, width]`
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    pub(super) fn serve(&self, hidden: &Tensor<3>, target: &Tensor<3>, real: &Tensor<2>) -> Served {
        let [batch, len, width] = hidden.dims();
        let [_, count] = self.directions.dims();
        let likes = gelu(self.assign.forward(hidden.clone())).matmul(
            self.directions
                .val()
                .unsqueeze::<3>()
                .expand([batch, width, count]),
        );
        let share = softmax(likes, 2)
            * real
                .clone()
                .reshape([batch, len, 1])
                .expand([batch, len, count]);
        let by_interest = share
            .clone()
            .sum_dim(1)
            .clamp_min(LEAST)
            .transpose()
            .expand([batch, count, width]);
        let vectors = share.clone().transpose().matmul(hidden.clone()) / by_interest;
        let against = vectors.clone() * target.clone().expand([batch, count, width]);
        let seen = Tensor::cat(vec![vectors, against], 2);
        let logit = self.output.forward(gelu(self.merge.forward(seen)));
        Served {
            share,
            logit: logit.reshape([batch, count]),
        }
    }
}

impl Served {
    /// Distributes values of interests to their clicks, `[batch, len]`.
    pub(super) fn by_click(&self, of_interests: Tensor<2>) -> Tensor<2> {
        let [batch, len, count] = self.share.dims();
        let of_interests = of_interests
            .reshape([batch, 1, count])
            .expand([batch, len, count]);
        (self.share.clone() * of_interests)
            .sum_dim(2)
            .reshape([batch, len])
    }

    /// The interest with the largest share of each click.
    pub(super) fn strongest(&self) -> Interest<Tensor<2>> {
        let [batch, len, count] = self.share.dims();
        let (share, number) = self.share.clone().max_dim_with_indices(2);
        let logit = self
            .logit
            .clone()
            .reshape([batch, 1, count])
            .expand([batch, len, count]);
        let logit = logit.gather(2, number.clone());
        Interest {
            number: number.float().reshape([batch, len]),
            share: share.reshape([batch, len]),
            dropped: logit.greater_scalar(0.0).float().reshape([batch, len]),
        }
    }
}
