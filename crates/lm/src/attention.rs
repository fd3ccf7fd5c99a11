//! BERT's self-attention: every token attends to every token that is not padding.

use crate::adapter::{LayerAdapters, Pace};
use burn::module::Module;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use ingle_model::Rng;

/// Multi-head self-attention.
#[derive(Module, Debug)]
pub(crate) struct SelfAttention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    pub(crate) heads: usize,
}

impl SelfAttention {
    /// Attends within each row.
    ///
    /// # Shapes
    /// - `x`: `[batch * len, width]`
    /// - `shape`: `[batch, len]`
    /// - `bias`: `[batch, 1, len, len]`, very negative on padding; `None` without padding
    /// - output: `[batch * len, width]`
    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        shape: [usize; 2],
        bias: Option<Tensor<4>>,
        adapters: Option<(&LayerAdapters, &Pace)>,
        mut rng: Option<&mut Rng>,
    ) -> Tensor<2> {
        let [rows, width] = x.dims();
        let [batch, len] = shape;
        let split = |x: Tensor<2>| {
            x.reshape([batch, len, self.heads, width / self.heads])
                .swap_dims(1, 2)
        };
        let mut query = self.query.forward(x.clone());
        let key = self.key.forward(x.clone());
        let mut value = self.value.forward(x.clone());
        if let Some((adapters, pace)) = adapters {
            query = query + (adapters.query).forward(x.clone(), pace, rng.as_deref_mut());
            value = value + adapters.value.forward(x, pace, rng);
        }
        let options = AttentionModuleOptions::default();
        let mixed = attention(split(query), split(key), split(value), None, bias, options);
        let mixed = mixed.swap_dims(1, 2).reshape([rows, width]);
        self.output.forward(mixed)
    }

    /// The layer with the adapters' changes added to its weights.
    pub(crate) fn merged(self, adapters: &LayerAdapters, scale: f32) -> Self {
        Self {
            query: adapters.query.merged(self.query, scale),
            value: adapters.value.merged(self.value, scale),
            ..self
        }
    }
}
