//! The network of a view or of the fusion on slices, for one history.

use super::super::SUMMARY;
use super::similarity::{Similarity, with_summaries};
use crate::config::BackboneConfig;
use ingle_kernel::{gelu, vector};
use ingle_layers::{Block, Linear, Norm, Parameters, Place, Places, Rows, Weights, WeightsError};

/// A network and its parameters.
#[derive(Debug)]
pub(super) struct Network {
    width: usize,
    heads: usize,
    parameters: Parameters,
    input: Linear,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Place,
    /// Each block with the attention bias of each kind of similarity and head, `[kinds, heads]`.
    blocks: Vec<(Block, Place)>,
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
        weights: &mut Weights,
        path: &str,
        [inputs, kinds]: [usize; 2],
        sizes: &BackboneConfig,
    ) -> Result<Self, WeightsError> {
        let BackboneConfig { width, heads, .. } = *sizes;
        let places = &mut Places::under(path);
        let input = places.linear("input", [inputs, width]);
        let positions = places.add("positions", &[sizes.max_len, width]);
        let blocks = (0..sizes.blocks).map(|at| {
            let block = Block::new(places, &format!("blocks.{at}"), sizes.block());
            (block, places.add(&format!("pulls.{at}"), &[kinds, heads]))
        });
        let blocks = blocks.collect();
        let seen = width + kinds * SUMMARY;
        Ok(Self {
            width,
            heads,
            input,
            positions,
            blocks,
            norm: places.norm("norm", width),
            merge: places.linear("merge", [seen, width]),
            output: places.linear("output", [width, 1]),
            parameters: Parameters::read(places, weights)?,
        })
    }

    pub(super) fn weights(&self) -> NetworkWeights<'_> {
        let rows = |place: &Place| self.parameters.rows(place);
        let [[input, bias], [merge, merge_bias], [output, output_bias]] =
            [&self.input, &self.merge, &self.output].map(|layer| layer.places().map(rows));
        let [gamma, beta] = self.norm.places().map(rows);
        let blocks = (self.blocks.iter())
            .map(|(block, pulls)| (block.places().map(rows).collect(), rows(pulls)));
        NetworkWeights {
            input: [input, bias, rows(&self.positions)],
            blocks: blocks.collect(),
            end: [gamma, beta, merge, merge_bias, output, output_bias],
        }
    }

    /// # Shapes
    /// - `vectors`: `[len, inputs]`
    /// - `similarity`: one per kind
    pub(super) fn read_clicks(&self, vectors: &[f32], similarity: &[&Similarity]) -> Output {
        let parameters = &self.parameters;
        let mut x = self.input.infer(parameters, vectors);
        let len = x.len() / self.width;
        let positions = parameters.get(&self.positions);
        let first = positions.len() - x.len();
        vector::add(&mut x, &positions[first..]);
        for (block, pulls) in &self.blocks {
            let pull = self.pull(parameters.get(pulls), similarity, len);
            x = block.infer(parameters, &x, Some(&pull), 0);
        }
        let hidden = self.norm.infer(parameters, &x);
        let seen = with_summaries(&hidden, similarity, len);
        let merged = gelu::forward(&self.merge.infer(parameters, &seen));
        let logit = self.output.infer(parameters, &merged);
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
