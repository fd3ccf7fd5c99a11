//! The Transformer on slices, without padding.
//!
//! Only the latest click's hidden state becomes the user vector. So the last block of [`EncodeSlices::user`] computes keys
//! and values of all clicks and everything else for the latest click alone. Keys and values cannot be cached between
//! calls: positions are counted back from the latest click, so that a new click changes the positions of all
//! others, and the scorer may judge every click anew.

use super::super::EncodeSlices;
use crate::config::BackboneConfig;
use ingle_kernel::vector;
use ingle_layers::{
    Block, BlockTape, Dropout, Norm, NormTape, Packed, Parameters, Place, Places, Values,
    drop_again,
};
use std::iter::repeat_n;

/// The Transformer's layers.
#[derive(Clone, Debug)]
pub struct Layers {
    width: usize,
    /// `[max_len, width]`; the last row is the latest click.
    pub(crate) positions: Place,
    blocks: Vec<Block>,
    /// After the last block.
    norm: Norm,
}

/// What the backward pass needs.
#[derive(Debug)]
pub struct Tape {
    dropped: Vec<f32>,
    blocks: Vec<BlockTape>,
    norm: NormTape,
}

impl Layers {
    /// All parameters but the positions: block by block, then the last normalisation.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        (self.blocks.iter().flat_map(Block::places)).chain(self.norm.places())
    }

    /// Makes the input of the first block of embeddings of one history: scaled and weighted, plus the positions.
    fn embed(&self, positions: &[f32], x: &mut [f32], keep: impl IntoIterator<Item = f32>) {
        let positions = &positions[positions.len() - x.len()..];
        let rows = x
            .chunks_exact_mut(self.width)
            .zip(positions.chunks_exact(self.width));
        for ((x, position), keep) in rows.zip(keep) {
            let scale = keep * (self.width as f32).sqrt();
            for (x, position) in x.iter_mut().zip(position) {
                *x = *x * scale + position;
            }
        }
    }

    /// Input of the first block for one history, `[len, width]`.
    fn inputs(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let mut x = embedded.to_vec();
        self.embed(
            parameters.get(&self.positions),
            &mut x,
            keep.iter().copied(),
        );
        x
    }
}

impl EncodeSlices for Layers {
    type Tape = Tape;

    fn new(config: &BackboneConfig, places: &mut Places) -> Self {
        let BackboneConfig { width, max_len, .. } = *config;
        let positions = places.add("positions", &[max_len, width]);
        let blocks = (0..config.blocks)
            .map(|at| Block::new(places, &format!("blocks.{at}"), config.block()));
        Self {
            width,
            positions,
            blocks: blocks.collect(),
            norm: places.norm("norm", width),
        }
    }

    fn user(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let mut x = self.inputs(parameters, embedded, keep);
        for (at, block) in self.blocks.iter().enumerate() {
            let last = at + 1 == self.blocks.len();
            x = block.infer(parameters, &x, None, if last { keep.len() - 1 } else { 0 });
        }
        self.norm.infer(parameters, &x)
    }

    fn states(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let inputs = self.inputs(parameters, embedded, keep);
        let blocks = self.blocks.iter();
        let x = blocks.fold(inputs, |x, block| block.infer(parameters, &x, None, 0));
        self.norm.infer(parameters, &x)
    }

    fn forward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        mut x: Vec<f32>,
        dropout: &mut impl Dropout,
    ) -> (Vec<f32>, Tape) {
        let positions = values.get(&self.positions);
        for span in packed.spans() {
            let clicks = span.len();
            let x = &mut x[span.start * self.width..span.end * self.width];
            self.embed(positions, x, repeat_n(1.0, clicks));
        }
        let dropped = dropout.apply(&mut x);
        let blocks = (self.blocks.iter())
            .map(|block| block.forward(values, packed, &mut x, dropout))
            .collect();
        let (hidden, norm) = self.norm.forward(values, &x);
        let tape = Tape {
            dropped,
            blocks,
            norm,
        };
        (hidden, tape)
    }

    fn backward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let mut x = vec![0.0; hidden.len()];
        (self.norm).backward(values, &tape.norm, hidden, &mut x, gradient);
        for (block, tape) in self.blocks.iter().zip(&tape.blocks).rev() {
            block.backward(values, packed, tape, &mut x, gradient);
        }
        drop_again(&mut x, &tape.dropped);
        let positions = self.positions.of(gradient);
        for span in packed.spans() {
            let first = positions.len() - span.len() * self.width;
            let x = &x[span.start * self.width..span.end * self.width];
            vector::add(&mut positions[first..], x);
        }
        let scale = (self.width as f32).sqrt();
        for x in &mut x {
            *x *= scale;
        }
        x
    }
}
