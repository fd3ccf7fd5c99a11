//! One Transformer block.

use super::{Linear, Norm, Rows, Source};
use crate::config::BackboneConfig;
use crate::weights::WeightsError;
use ingle_kernel::attention::{Inputs, infer};
use ingle_kernel::{gelu, vector};

/// A Transformer block: attention and feed-forward layer, each after a normalisation.
#[derive(Debug)]
pub(crate) struct Block {
    width: usize,
    heads: usize,
    attention_norm: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    feed_norm: Norm,
    widen: Linear,
    narrow: Linear,
}

impl Block {
    pub(crate) fn read(
        source: &mut Source,
        path: &str,
        config: &BackboneConfig,
    ) -> Result<Self, WeightsError> {
        let BackboneConfig {
            width,
            heads,
            feed_forward,
            ..
        } = *config;
        let square = [width, width];
        Ok(Self {
            width,
            heads,
            attention_norm: Norm::read(source, &format!("{path}.attention_norm"), width)?,
            query: Linear::read(source, &format!("{path}.attention.query"), square)?,
            key: Linear::read(source, &format!("{path}.attention.key"), square)?,
            value: Linear::read(source, &format!("{path}.attention.value"), square)?,
            output: Linear::read(source, &format!("{path}.attention.output"), square)?,
            feed_norm: Norm::read(source, &format!("{path}.feed_norm"), width)?,
            widen: Linear::read(source, &format!("{path}.widen"), [width, feed_forward])?,
            narrow: Linear::read(source, &format!("{path}.narrow"), [feed_forward, width])?,
        })
    }

    /// All weights.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Rows<'_>> {
        let attention = [&self.query, &self.key, &self.value, &self.output];
        (self.attention_norm.rows().into_iter())
            .chain(attention.into_iter().flat_map(Linear::rows))
            .chain(self.feed_norm.rows())
            .chain(
                [&self.widen, &self.narrow]
                    .into_iter()
                    .flat_map(Linear::rows),
            )
    }

    /// Hidden states of the clicks from `first` on.
    ///
    /// # Shapes
    /// - `x`: `[len, width]`
    /// - `bias`: added to attention scores, `[heads, len - first, len]`; `None` for causal attention
    /// - output: `[len - first, width]`
    pub(crate) fn forward(&self, x: &[f32], bias: Option<&[f32]>, first: usize) -> Vec<f32> {
        let start = first * self.width;
        let normed = self.attention_norm.forward(x);
        let query = self.query.forward(&normed[start..]);
        let inputs = Inputs {
            query: &query,
            key: &self.key.forward(&normed),
            value: &self.value.forward(&normed),
            width: self.width,
            heads: self.heads,
        };
        let mut mixed = vec![0.0; query.len()];
        infer(&inputs, bias, &mut mixed);
        let mut out = self.output.forward(&mixed);
        vector::add(&mut out, &x[start..]);
        let wide = gelu::forward(&self.widen.forward(&self.feed_norm.forward(&out)));
        vector::add(&mut out, &self.narrow.forward(&wide));
        out
    }
}
