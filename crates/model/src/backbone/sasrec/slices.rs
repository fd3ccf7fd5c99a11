//! The Transformer's pass over the clicks that there are.
//!
//! Only the latest click's hidden state becomes the user vector, so the last block computes that one
//! alone: its keys and values are needed of every click, and nothing else. What earlier blocks made of
//! earlier clicks cannot be kept for the next call: positions count back from the latest click, so one
//! more click moves all of them, and the gate may judge every click anew.

use super::super::Read;
use crate::config::BackboneConfig;
use crate::slices::{Block, Norm, Rows, Source};
use crate::weights::WeightsError;

/// The Transformer.
#[derive(Debug)]
pub(crate) struct Shipped {
    width: usize,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Vec<f32>,
    blocks: Vec<Block>,
    norm: Norm,
}

impl Shipped {
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

    /// What the first block reads: gated embeddings and positions.
    ///
    /// # Shapes
    /// - `embedded`, output: `[len, width]`, `1 <= len <= max_len`
    /// - `keep`: `[len]`, `0..=1`
    pub(crate) fn inputs(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
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

    /// All weights but those of the positions, block after block and the last normalisation.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Rows<'_>> {
        (self.blocks.iter().flat_map(Block::rows)).chain(self.norm.rows())
    }
}

impl Read for Shipped {
    fn user(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let mut x = self.inputs(embedded, keep);
        for (at, block) in self.blocks.iter().enumerate() {
            let last = at + 1 == self.blocks.len();
            x = block.forward(&x, None, if last { keep.len() - 1 } else { 0 });
        }
        self.norm.forward(&x)
    }
}
