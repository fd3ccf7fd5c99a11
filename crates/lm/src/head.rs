//! From hidden states to one noise logit per title.
//!
//! A title has two vectors: the mean of its tokens' hidden states when the window is read together, and the same when
//! it is read alone. Its features are the first vector, the mean of the first vectors of the other titles, the
//! product of both, and the same product for the second vectors, with each vector scaled to the length `sqrt(width)`.
//! The sum of a product is then proportional to a cosine. The head is initialised to use the cosine of the second
//! vectors: a title is noise if its meaning differs from the others'. In a window of one title, features of the
//! others are zero.

use crate::Windows;
use burn::module::{Module, Param};
use burn::prelude::*;
use burn::tensor::TensorData;

/// Initial weight of the cosine.
const COSINE: f32 = 4.0;

/// A linear map from a title's features to its noise logit.
#[derive(Module, Debug)]
pub struct Head {
    /// `[4 * width, 1]`
    weight: Param<Tensor<2>>,
    /// `[1]`
    bias: Param<Tensor<1>>,
}

impl Head {
    /// A head initialised to judge by the cosine only.
    pub fn new(width: usize, device: &Device) -> Self {
        let mut weight = vec![0.0; 4 * width];
        weight[3 * width..].fill(-COSINE / width as f32);
        let weight = Tensor::from_data(TensorData::new(weight, [4 * width, 1]), device);
        Self {
            weight: Param::from_tensor(weight),
            bias: Param::from_tensor(Tensor::zeros([1], device)),
        }
    }

    /// Noise logits.
    ///
    /// # Shapes
    /// - `hidden`: `[windows, len, width]`
    /// - output: `[windows, titles]`; values where there is no title are undefined
    pub fn forward(&self, hidden: Tensor<3>, windows: &Windows<'_>) -> Tensor<2> {
        let [count, _len, width] = hidden.dims();
        let [_count, titles] = windows.dims();
        let device = hidden.device();
        let others = windows.others(&device);
        let apart = windows.meanings(width, &device);
        let agreement = stretched(apart.clone()) * stretched(others.clone().matmul(apart));
        let own = windows.shares(&device).matmul(hidden);
        let rest = stretched(others.matmul(own.clone()));
        let own = stretched(own);
        let product = own.clone() * rest.clone();
        let known = Tensor::cat(vec![own, rest, product, agreement], 2);
        let known = known.reshape([count * titles, 4 * width]);
        let logits = known.matmul(self.weight.val()) + self.bias.val().unsqueeze();
        logits.reshape([count, titles])
    }
}

/// Rows scaled to the length `sqrt(width)`; rows of zeros are kept.
///
/// # Shapes
/// - `x` and output: `[windows, titles, width]`
fn stretched(x: Tensor<3>) -> Tensor<3> {
    let [_windows, _titles, width] = x.dims();
    let mean = (x.clone() * x.clone()).sum_dim(2) / width as f32;
    x / (mean + 1e-6).sqrt()
}
