//! Self-attention over a left-padded history
//! ([Attention Is All You Need](https://arxiv.org/abs/1706.03762)).

use crate::rng::{Rng, dropout, linear};
use burn::module::Module;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::softmax;

/// Value of a masked attention score: far below any real score, yet finite, so that a row of padding alone
/// gives no NaN.
pub(crate) const MASKED: f32 = -1e9;

/// Multi-head self-attention.
#[derive(Module, Debug)]
pub struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

impl SelfAttention {
    /// `width` is split evenly over `heads`.
    pub fn new(width: usize, heads: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            query: linear(width, width, rng, device),
            key: linear(width, width, rng, device),
            value: linear(width, width, rng, device),
            output: linear(width, width, rng, device),
            heads,
        }
    }

    /// Attention from each position to those that `bias` allows.
    ///
    /// # Shapes
    /// - `x`: `[batch, len, width]`
    /// - `bias`: `[batch, 1 or heads, 1 or len, len]`, such as [`mask_bias`]
    /// - output: `[batch, len, width]`
    pub fn forward(
        &self,
        x: Tensor<3>,
        bias: Tensor<4>,
        rate: f32,
        rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        let [batch, len, width] = x.dims();
        let depth = width / self.heads;
        let split = |x: Tensor<3>| x.reshape([batch, len, self.heads, depth]).swap_dims(1, 2);
        let query = split(self.query.forward(x.clone())) / (depth as f32).sqrt();
        let key = split(self.key.forward(x.clone()));
        let value = split(self.value.forward(x));
        let scores = query.matmul(key.transpose()) + bias;
        let weights = dropout(softmax(scores, 3), rate, rng);
        let mixed = weights.matmul(value).swap_dims(1, 2);
        self.output.forward(mixed.reshape([batch, len, width]))
    }
}

/// Causal mask, added to attention scores: 0 where a position may attend, very negative at later clicks and
/// padding.
///
/// # Shapes
/// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
/// - output: `[batch, 1, len, len]`
pub fn mask_bias(real: &Tensor<2>) -> Tensor<4> {
    let [batch, len] = real.dims();
    let device = real.device();
    let causal: Vec<f32> = (0..len * len)
        .map(|i| if i % len > i / len { MASKED } else { 0.0 })
        .collect();
    let causal = Tensor::<1>::from_floats(causal.as_slice(), &device).reshape([1, 1, len, len]);
    let padding = (real.clone() - 1.0).reshape([batch, 1, 1, len]) * -MASKED;
    causal + padding
}
