//! The Transformer on slices, without padding.
//!
//! Only the latest click's hidden state becomes the user vector. So the last block computes keys and values
//! of all clicks and everything else for the latest click alone. Keys and values cannot be cached between
//! calls: positions are counted back from the latest click, so that a new click changes the positions of all
//! others, and the scorer may judge every click anew.

use super::super::EncodeSlices;
use crate::config::BackboneConfig;
use crate::slices::{Block, Norm, Rows, Source};
use crate::weights::WeightsError;

/// The Transformer on slices.
#[derive(Debug)]
pub(crate) struct SliceEncoder {
    width: usize,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Vec<f32>,
    blocks: Vec<Block>,
    norm: Norm,
}

impl SliceEncoder {
    pub(crate) fn read(
        source: &mut Source,
        path: &str,
        config: &BackboneConfig,
    ) -> Result<Self, WeightsError> {
        let BackboneConfig { width, max_len, .. } = *config;
        let positions = source.take(&format!("{path}.positions"), &[max_len, width])?;
        let blocks = (0..config.blocks)
            .map(|block| Block::read(source, &format!("{path}.blocks.{block}"), config));
        Ok(Self {
            width,
            positions,
            blocks: blocks.collect::<Result<_, _>>()?,
            norm: Norm::read(source, &format!("{path}.norm"), width)?,
        })
    }

    /// Input of the first block: weighted embeddings plus positions.
    ///
    /// # Shapes
    /// - `embedded`, output: `[len, width]`, `1 <= len <= max_len`
    /// - `keep`: `[len]`, `0..=1`
    fn inputs(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let (len, width) = (keep.len(), self.width);
        let mut x = self.positions[self.positions.len() - len * width..].to_vec();
        let rows = x.chunks_exact_mut(width).zip(embedded.chunks_exact(width));
        for ((x, embedded), keep) in rows.zip(keep) {
            let scale = keep * (width as f32).sqrt();
            for (x, embedded) in x.iter_mut().zip(embedded) {
                *x += embedded * scale;
            }
        }
        x
    }

    /// The positions, `[max_len, width]`.
    pub(crate) fn positions(&self) -> Rows<'_> {
        Rows::of(&self.positions, self.width)
    }

    /// All weights except the positions: block by block, then the last normalisation.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Rows<'_>> {
        (self.blocks.iter().flat_map(Block::rows)).chain(self.norm.rows())
    }
}

impl EncodeSlices for SliceEncoder {
    fn user(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let mut x = self.inputs(embedded, keep);
        for (at, block) in self.blocks.iter().enumerate() {
            let last = at + 1 == self.blocks.len();
            x = block.forward(&x, None, if last { keep.len() - 1 } else { 0 });
        }
        self.norm.forward(&x)
    }

    fn states(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let inputs = self.inputs(embedded, keep);
        let blocks = self.blocks.iter();
        let x = blocks.fold(inputs, |x, block| block.forward(&x, None, 0));
        self.norm.forward(&x)
    }
}
