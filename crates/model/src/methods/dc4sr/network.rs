//! The network of a view or of the fusion: a small bidirectional Transformer over a history, whose attention
//! has a bias from the clicks' similarity. Its outputs are a hidden state and a logit per click.

use super::SUMMARY;
use super::similarity::Similarity;
use crate::attention::MASKED;
use crate::backbone::{Block, EMBEDDING_DEVIATION};
use crate::config::BackboneConfig;
use crate::rng::{Rng, dropout, layer_norm, linear, normal};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;
use burn::tensor::activation::gelu;

/// The network's parameters.
#[derive(Module, Debug)]
pub(super) struct Network {
    input: Linear,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    /// By block: the attention bias of each kind of similarity and head, `[kinds, heads]`.
    pulls: Vec<Param<Tensor<2>>>,
    norm: LayerNorm,
    merge: Linear,
    output: Linear,
    dropout: f32,
}

/// Sizes of a network.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Width of a click's input vector.
    pub(super) inputs: usize,
    /// Number of kinds of similarity.
    pub(super) kinds: usize,
    /// Width, heads, blocks, dropout and maximum length.
    pub(super) sizes: BackboneConfig,
}

/// Output of a network for a batch of histories.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// `[batch, len, width]`
    pub(super) hidden: Tensor<3>,
    /// `[batch, len]`; values on padding are undefined
    pub(super) logit: Tensor<2>,
}

impl Network {
    pub(super) fn new(shape: &Shape, rng: &mut Rng, device: &Device) -> Self {
        let Shape {
            inputs,
            kinds,
            sizes,
        } = shape;
        let width = sizes.width;
        Self {
            input: linear(*inputs, width, rng, device),
            positions: normal([sizes.max_len, width], EMBEDDING_DEVIATION, rng, device),
            blocks: (0..sizes.blocks)
                .map(|_| Block::new(sizes, rng, device))
                .collect(),
            pulls: (0..sizes.blocks)
                .map(|_| normal([*kinds, sizes.heads], 0.5, rng, device))
                .collect(),
            norm: layer_norm(width, device),
            merge: linear(width + kinds * SUMMARY, width, rng, device),
            output: linear(width, 1, rng, device),
            dropout: sizes.dropout,
        }
    }

    /// Runs the network. Dropout is applied if there is a generator.
    ///
    /// # Shapes
    /// - `vectors`: `[batch, len, inputs]`, `len <= max_len`
    /// - `similarity`: one per kind
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    pub(super) fn read(
        &self,
        vectors: Tensor<3>,
        similarity: &[&Similarity],
        real: &Tensor<2>,
        mut rng: Option<&mut Rng>,
    ) -> Output {
        let [batch, len, _inputs] = vectors.dims();
        let [max_len, width] = self.positions.dims();
        let positions = self
            .positions
            .val()
            .slice([max_len - len..max_len, 0..width]);
        let x = dropout(
            self.input.forward(vectors),
            self.dropout,
            rng.as_deref_mut(),
        );
        let mut x = x + positions.unsqueeze::<3>();
        let padding = (real.clone() - 1.0).reshape([batch, 1, 1, len]) * -MASKED;
        for (block, pulls) in self.blocks.iter().zip(&self.pulls) {
            let bias = pull(&pulls.val(), similarity) + padding.clone();
            x = block.forward(x, bias, self.dropout, rng.as_deref_mut());
        }
        let hidden = self.norm.forward(x);
        let mut seen = vec![hidden.clone()];
        seen.extend(similarity.iter().map(|kind| kind.summary.clone()));
        let logit = self
            .output
            .forward(gelu(self.merge.forward(Tensor::cat(seen, 2))));
        Output {
            hidden,
            logit: logit.reshape([batch, len]),
        }
    }
}

/// The attention bias from similarity, `[batch, heads, len, len]`.
fn pull(pulls: &Tensor<2>, similarity: &[&Similarity]) -> Tensor<4> {
    let [kinds, heads] = pulls.dims();
    assert_eq!(kinds, similarity.len(), "one row of weights a kind");
    let weighted = similarity.iter().enumerate().map(|(kind, similarity)| {
        let [batch, len, _] = similarity.pairs.dims();
        let weights = pulls.clone().slice([kind..kind + 1, 0..heads]);
        similarity.pairs.clone().reshape([batch, 1, len, len]) * weights.reshape([1, heads, 1, 1])
    });
    weighted.reduce(|a, b| a + b).expect("a kind of similarity")
}
