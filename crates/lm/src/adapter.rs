//! Low-rank adapters ([LoRA](https://arxiv.org/abs/2106.09685)): the trained change of a frozen linear map `W` is a
//! product of two thin matrices, `W + down up (alpha / rank)`. `up` is initialised to zero, so that the map is
//! unchanged before the first step. The query and value maps of a layer have one each, as in the paper.

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;
use ingle_model::Rng;
use ingle_model::rng::{dropout, normal};

/// The adapter of one linear map.
#[derive(Module, Debug)]
pub struct Adapter {
    /// `[input, rank]`
    pub down: Param<Tensor<2>>,
    /// `[rank, output]`
    pub up: Param<Tensor<2>>,
}

impl Adapter {
    /// An adapter of a square map, initialised to no change.
    pub fn new(width: usize, rank: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            down: normal([width, rank], (width as f32).sqrt().recip(), rng, device),
            up: Param::from_tensor(Tensor::zeros([rank, width], device)),
        }
    }

    /// The adapter's addition to the map's output. Dropout is active if a generator is given.
    ///
    /// # Shapes
    /// - `x`: `[rows, input]`
    /// - output: `[rows, output]`
    pub fn forward(&self, x: Tensor<2>, pace: &Pace, rng: Option<&mut Rng>) -> Tensor<2> {
        let [_rows, _input] = x.dims();
        let low = dropout(x, pace.dropout, rng).matmul(self.down.val());
        (low * pace.scale).matmul(self.up.val())
    }

    /// The map with the adapter's change added to its weights.
    pub(crate) fn merged(&self, map: Linear, scale: f32) -> Linear {
        let learnt = (self.down.val() * scale).matmul(self.up.val());
        Linear {
            weight: map.weight.map(|weight| weight + learnt),
            bias: map.bias,
        }
    }
}

/// Parameters of all adapters of a model.
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
    /// Two adapters, initialised to no change.
    pub fn new(width: usize, rank: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            query: Adapter::new(width, rank, rng, device),
            value: Adapter::new(width, rank, rng, device),
        }
    }
}
