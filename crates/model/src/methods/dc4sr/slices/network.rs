//! The network of a view or of the fusion on slices, for one history.

use super::super::SUMMARY;
use super::similarity::{Similarity, with_summaries};
use crate::config::BackboneConfig;
use crate::slices::{Block, Linear, Norm, Rows, Source};
use crate::weights::WeightsError;
use ingle_kernel::{gelu, vector};

/// A network's parameters.
#[derive(Debug)]
pub(super) struct Network {
    width: usize,
    heads: usize,
    input: Linear,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Vec<f32>,
    /// Each block with the attention bias of each kind of similarity and head, `[kinds, heads]`.
    blocks: Vec<(Block, Vec<f32>)>,
    norm: Norm,
    merge: Linear,
    output: Linear,
}

/// The weights of one of the scorer's networks.
#[derive(Debug)]
pub struct NetworkWeights<'a> {
    /// Weight and bias of the input layer, then the positions `[max_len, width]`.
    pub input: [Rows<'a>; 3],
    /// By block: its weights as [`Transformer::weights`](crate::engine::Transformer::weights) has them, and the attention bias
    /// of each kind of similarity and head, `[kinds, heads]`.
    pub blocks: Vec<(Vec<Rows<'a>>, Rows<'a>)>,
    /// Factor and offset of the last norm; weight and bias of the layer that reads hidden states and statistics of
    /// similarity; weight and bias of the output.
    pub end: [Rows<'a>; 6],
}

/// Output of a network for a history.
#[derive(Debug)]
pub(super) struct Output {
    /// `[len, width]`
    pub(super) hidden: Vec<f32>,
    /// `[len]`
    pub(super) logit: Vec<f32>,
}

impl Network {
    pub(super) fn read(
        source: &mut Source,
        path: &str,
        [inputs, kinds]: [usize; 2],
        sizes: &BackboneConfig,
    ) -> Result<Self, WeightsError> {
        let BackboneConfig { width, heads, .. } = *sizes;
        let input = Linear::read(source, &format!("{path}.input"), [inputs, width])?;
        let positions = source.take(&format!("{path}.positions"), &[sizes.max_len, width])?;
        let blocks = (0..sizes.blocks).map(|at| {
            let block = Block::read(source, &format!("{path}.blocks.{at}"), sizes)?;
            let pulls = source.take(&format!("{path}.pulls.{at}"), &[kinds, heads])?;
            Ok((block, pulls))
        });
        let blocks = blocks.collect::<Result<_, _>>()?;
        let seen = width + kinds * SUMMARY;
        Ok(Self {
            width,
            heads,
            input,
            positions,
            blocks,
            norm: Norm::read(source, &format!("{path}.norm"), width)?,
            merge: Linear::read(source, &format!("{path}.merge"), [seen, width])?,
            output: Linear::read(source, &format!("{path}.output"), [width, 1])?,
        })
    }

    pub(super) fn weights(&self) -> NetworkWeights<'_> {
        let [[input, bias], [merge, merge_bias], [output, output_bias]] =
            [&self.input, &self.merge, &self.output].map(Linear::rows);
        let [gamma, beta] = self.norm.rows();
        let blocks = self.blocks.iter().map(|(block, pulls)| {
            let pulls = Rows::of(pulls, self.heads);
            (block.rows().collect(), pulls)
        });
        NetworkWeights {
            input: [input, bias, Rows::of(&self.positions, self.width)],
            blocks: blocks.collect(),
            end: [gamma, beta, merge, merge_bias, output, output_bias],
        }
    }

    /// # Shapes
    /// - `vectors`: `[len, inputs]`
    /// - `similarity`: one per kind
    pub(super) fn read_clicks(&self, vectors: &[f32], similarity: &[&Similarity]) -> Output {
        let mut x = self.input.forward(vectors);
        let len = x.len() / self.width;
        vector::add(
            &mut x,
            &self.positions[self.positions.len() - len * self.width..],
        );
        for (block, pulls) in &self.blocks {
            x = block.forward(&x, Some(&self.pull(pulls, similarity, len)), 0);
        }
        let hidden = self.norm.forward(&x);
        let seen = with_summaries(&hidden, similarity, len);
        let merged = gelu::forward(&self.merge.forward(&seen));
        let logit = self.output.forward(&merged);
        Output { hidden, logit }
    }

    /// The attention bias from similarity, `[heads, len, len]`.
    fn pull(&self, pulls: &[f32], similarity: &[&Similarity], len: usize) -> Vec<f32> {
        let mut bias = vec![0.0; self.heads * len * len];
        for (pulls, kind) in pulls.chunks_exact(self.heads).zip(similarity) {
            for (bias, pull) in bias.chunks_exact_mut(len * len).zip(pulls) {
                for (bias, pair) in bias.iter_mut().zip(&kind.pairs) {
                    *bias += pull * pair;
                }
            }
        }
        bias
    }
}
