//! Low-rank adapters ([LoRA](https://arxiv.org/abs/2106.09685)): what a frozen linear map `W` learns is a
//! product of two thin matrices, `W + down up (alpha / rank)`. `up` begins at zero, so that nothing has
//! changed before the first step. The query and value maps of a layer have one each, as in the paper.

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;
use ingle_model::Rng;
use ingle_model::rng::{dropout, normal};

/// What one linear map learns.
#[derive(Module, Debug)]
pub struct Adapter {
    /// `[input, rank]`
    pub down: Param<Tensor<2>>,
    /// `[rank, output]`
    pub up: Param<Tensor<2>>,
}

impl Adapter {
    /// An adapter of a square map that changes nothing yet.
    pub fn new(width: usize, rank: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            down: normal([width, rank], (width as f32).sqrt().recip(), rng, device),
            up: Param::from_tensor(Tensor::zeros([rank, width], device)),
        }
    }

    /// What it adds to the map's output. With a generator, dropout is on.
    ///
    /// # Shapes
    /// - `x`: `[rows, input]`
    /// - output: `[rows, output]`
    pub fn forward(&self, x: Tensor<2>, pace: &Pace, rng: Option<&mut Rng>) -> Tensor<2> {
        let [_rows, _input] = x.dims();
        let low = dropout(x, pace.dropout, rng).matmul(self.down.val());
        (low * pace.scale).matmul(self.up.val())
    }

    /// The map with what was learnt added to its weights.
    pub(crate) fn merged(&self, map: Linear, scale: f32) -> Linear {
        let learnt = (self.down.val() * scale).matmul(self.up.val());
        Linear {
            weight: map.weight.map(|weight| weight + learnt),
            bias: map.bias,
        }
    }
}

/// How adapters act, the same for all of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// `alpha / rank`.
    pub scale: f32,
    /// Dropout before `down` in training, `0.0..1.0`.
    pub dropout: f32,
}

/// The adapters of one layer.
#[derive(Module, Debug)]
pub struct LayerAdapters {
    /// Of the query map.
    pub query: Adapter,
    /// Of the value map.
    pub value: Adapter,
}

impl LayerAdapters {
    /// Two adapters that change nothing yet.
    pub fn new(width: usize, rank: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            query: Adapter::new(width, rank, rng, device),
            value: Adapter::new(width, rank, rng, device),
        }
    }
}
