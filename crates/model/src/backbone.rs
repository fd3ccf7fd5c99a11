//! The backbone: a causal Transformer over item embeddings, `SASRec`
//! ([Self-Attentive Sequential Recommendation](https://arxiv.org/abs/1808.09781)), with the item
//! table tied to the output: `logits = h · Eᵀ`.
//!
//! Where we differ: blocks normalise before each sub-layer rather than after, the feed-forward
//! layer is wider than the hidden state and uses GELU, and training uses the full softmax over
//! the catalogue instead of one sampled negative. Positions count back from the latest click, so
//! more padding changes nothing.

use crate::attention::{SelfAttention, mask_bias};
use crate::config::BackboneConfig;
use crate::rng::{Rng, dropout, layer_norm, linear, normal};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;
use burn::tensor::{Int, activation::gelu};

/// Standard deviation of fresh embeddings.
pub const EMBEDDING_DEVIATION: f32 = 0.02;

/// The Transformer and its item table.
#[derive(Module, Debug)]
pub struct Backbone {
    /// Item embeddings `[items + 1, width]`; row 0 belongs to padding.
    pub items: Param<Tensor<2>>,
    /// Position embeddings `[max_len, width]`; the last row is the latest click.
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    dropout: f32,
}

/// One Transformer block.
#[derive(Module, Debug)]
pub struct Block {
    attention_norm: LayerNorm,
    attention: SelfAttention,
    feed_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Block {
    pub(crate) fn new(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self {
        Self {
            attention_norm: layer_norm(config.width, device),
            attention: SelfAttention::new(config.width, config.heads, rng, device),
            feed_norm: layer_norm(config.width, device),
            widen: linear(config.width, config.feed_forward, rng, device),
            narrow: linear(config.feed_forward, config.width, rng, device),
        }
    }

    /// # Shapes
    /// - `x` and output: `[batch, len, width]`
    /// - `bias`: what is added to attention scores, `[batch, 1 or heads, 1 or len, len]`
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        bias: Tensor<4>,
        rate: f32,
        mut rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        let attended = self.attention.forward(
            self.attention_norm.forward(x.clone()),
            bias,
            rate,
            rng.as_deref_mut(),
        );
        let x = x + dropout(attended, rate, rng.as_deref_mut());
        let fed = gelu(self.widen.forward(self.feed_norm.forward(x.clone())));
        let fed = self.narrow.forward(dropout(fed, rate, rng.as_deref_mut()));
        x + dropout(fed, rate, rng)
    }
}

impl Backbone {
    /// A fresh backbone for a catalogue of `items`.
    pub fn new(config: &BackboneConfig, items: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            items: normal([items + 1, config.width], EMBEDDING_DEVIATION, rng, device),
            positions: normal(
                [config.max_len, config.width],
                EMBEDDING_DEVIATION,
                rng,
                device,
            ),
            blocks: (0..config.blocks)
                .map(|_| Block::new(config, rng, device))
                .collect(),
            norm: layer_norm(config.width, device),
            dropout: config.dropout,
        }
    }

    /// Clicks the backbone looks back on.
    pub fn max_len(&self) -> usize {
        let [max_len, _width] = self.positions.dims();
        max_len
    }

    /// Looks up item embeddings.
    ///
    /// # Shapes
    /// - `items`: `[batch, len]`
    /// - output: `[batch, len, width]`
    pub fn embed(&self, items: Tensor<2, Int>) -> Tensor<3> {
        let [batch, len] = items.dims();
        let [_rows, width] = self.items.dims();
        let rows = self.items.val().select(0, items.reshape([batch * len]));
        rows.reshape([batch, len, width])
    }

    /// Hidden states of embedded (and possibly gated) clicks. With a generator, dropout is on.
    ///
    /// # Shapes
    /// - `embedded`: `[batch, len, width]`, `len <= max_len`
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    /// - output: `[batch, len, width]`; what stands on padding means nothing
    ///
    /// # Panics
    /// If `len` is more than `max_len`.
    pub fn forward(
        &self,
        embedded: Tensor<3>,
        real: &Tensor<2>,
        mut rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        let [_batch, len, width] = embedded.dims();
        let max_len = self.max_len();
        assert!(
            len <= max_len,
            "{len} clicks, but the model looks at {max_len}"
        );
        let positions = self
            .positions
            .val()
            .slice([max_len - len..max_len, 0..width]);
        let x = embedded * (width as f32).sqrt() + positions.unsqueeze::<3>();
        let mut x = dropout(x, self.dropout, rng.as_deref_mut());
        let bias = mask_bias(real);
        for block in &self.blocks {
            x = block.forward(x, bias.clone(), self.dropout, rng.as_deref_mut());
        }
        self.norm.forward(x)
    }
}
