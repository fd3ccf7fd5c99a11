//! From hidden states to a noise logit a title.
//!
//! A title is two vectors: the mean of its tokens' hidden states when the window is read together, and the
//! same when it was read by itself. What it is judged by is the first, its mean over the other titles, the
//! product of both, and that product of the second, each vector at the length `sqrt(width)`. The sum of a
//! product is a cosine, and with that of the second the head begins: a title is noise if what it means is
//! unlike the rest. In a window of one title there is no rest, and its part is zero.

use crate::Windows;
use burn::module::{Module, Param};
use burn::prelude::*;
use burn::tensor::TensorData;

/// The weight of the cosine that the head begins with.
const COSINE: f32 = 4.0;

/// A linear map from what is known of a title to its noise logit.
#[derive(Module, Debug)]
pub struct Head {
    /// `[4 * width, 1]`
    weight: Param<Tensor<2>>,
    /// `[1]`
    bias: Param<Tensor<1>>,
}

impl Head {
    /// A head that judges by the cosine alone.
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
    /// - output: `[windows, titles]`; what stands where there is no title means nothing
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

/// Rows at the length `sqrt(width)`; those of zeros stay zeros.
///
/// # Shapes
/// - `x` and output: `[windows, titles, width]`
fn stretched(x: Tensor<3>) -> Tensor<3> {
    let [_windows, _titles, width] = x.dims();
    let mean = (x.clone() * x.clone()).sum_dim(2) / width as f32;
    x / (mean + 1e-6).sqrt()
}
