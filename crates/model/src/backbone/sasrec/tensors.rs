//! The Transformer on tensors.

use super::super::{Custom, EMBEDDING_DEVIATION, Encode, Kind};
use crate::attention::{SelfAttention, mask_bias};
use crate::config::BackboneConfig;
use crate::rng::{Rng, dropout, layer_norm, linear, normal};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;
use burn::tensor::activation::gelu;

/// The Transformer.
#[derive(Module, Debug)]
pub struct Sasrec {
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
    /// - `bias`: added to attention scores, `[batch, 1 or heads, 1 or len, len]`
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

impl Custom for Sasrec {
    const NAME: &'static str = Kind::SASREC.name();

    fn new(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self {
        Self {
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
}

impl Encode for Sasrec {
    fn max_len(&self) -> usize {
        let [max_len, _width] = self.positions.dims();
        max_len
    }

    fn encode(
        &self,
        embedded: Tensor<3>,
        keep: Option<&Tensor<2>>,
        real: &Tensor<2>,
        mut rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        let [batch, len, width] = embedded.dims();
        let embedded = match keep {
            None => embedded,
            Some(keep) => {
                let keep = keep.clone().reshape([batch, len, 1]);
                embedded * keep.expand([batch, len, width])
            }
        };
        let max_len = self.max_len();
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
