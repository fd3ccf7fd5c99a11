//! From hidden states to a noise logit a title.
//!
//! A title is the mean of its tokens' hidden states; what it is judged by is that vector, the mean of
//! the other titles' vectors, and the product of both, each at the length `sqrt(width)`. The sum of the
//! product is their cosine, and with its weights the head begins: a title is noise if it is unlike the
//! rest. In a window of one title there is no rest, and its part is zero.

use crate::Windows;
use burn::module::{Module, Param};
use burn::prelude::*;
use burn::tensor::TensorData;

/// The weight of the cosine that the head begins with.
const COSINE: f32 = 4.0;

/// A linear map from what is known of a title to its noise logit.
#[derive(Module, Debug)]
pub struct Head {
    /// `[3 * width, 1]`
    weight: Param<Tensor<2>>,
    /// `[1]`
    bias: Param<Tensor<1>>,
}

impl Head {
    /// A head that judges by the cosine alone.
    pub fn new(width: usize, device: &Device) -> Self {
        let mut weight = vec![0.0; 3 * width];
        weight[2 * width..].fill(-COSINE / width as f32);
        let weight = Tensor::from_data(TensorData::new(weight, [3 * width, 1]), device);
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
    pub fn forward(&self, hidden: Tensor<3>, windows: &Windows) -> Tensor<2> {
        let [count, _len, width] = hidden.dims();
        let [_count, titles] = windows.dims();
        let device = hidden.device();
        let own = windows.shares(&device).matmul(hidden);
        let others = windows.others(&device).matmul(own.clone());
        let (own, others) = (stretched(own), stretched(others));
        let known = Tensor::cat(vec![own.clone(), others.clone(), own * others], 2);
        let known = known.reshape([count * titles, 3 * width]);
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
