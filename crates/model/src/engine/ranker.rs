//! Who reads a history and ranks the catalogue by it: the processor, or a GPU.

use super::error::EngineError;
use crate::backbone::{Read, Shipped, sasrec};
use crate::config::BackboneConfig;
use crate::rank::{Mass, Mean, Scored, Wanted};
use crate::slices::{Items, Rows};
use ingle_bundle::ItemTable;

/// The clicks of a history that may be true.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Embeddings of the clicked items, oldest first, `[len, width]`, `1 <= len <= max_len`.
    pub embedded: &'a [f32],
    /// How much each click counts, `[len]`, `0..=1`, not all of them 0.
    pub keep: &'a [f32],
    /// How likely the history is; those of all add up to 1.
    pub weight: f32,
}

/// Reads histories and ranks catalogues.
pub trait Ranker {
    /// The best rows by the mean over the histories, one or more, of the softmax of the inner products with
    /// each one's user vector, best first, and the softmax that their logits are in: that of the last history.
    ///
    /// # Errors
    /// If the device fails.
    fn rank(
        &self,
        parts: &Parts,
        histories: &[Reading<'_>],
        wanted: Wanted<'_>,
    ) -> impl Future<Output = Result<(Vec<Scored>, Mass), EngineError>>;

    /// The nearest rows by the cosine with `direction`, which is `[width]` and of length 1, nearest first.
    ///
    /// # Errors
    /// If the device fails.
    fn nearest(
        &self,
        parts: &Parts,
        direction: &[f32],
        wanted: Wanted<'_>,
    ) -> impl Future<Output = Result<Vec<Scored>, EngineError>>;
}

/// The processor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl Ranker for Host {
    async fn rank(
        &self,
        parts: &Parts,
        histories: &[Reading<'_>],
        wanted: Wanted<'_>,
    ) -> Result<(Vec<Scored>, Mass), EngineError> {
        Ok(parts.rank(histories, wanted))
    }

    async fn nearest(
        &self,
        parts: &Parts,
        direction: &[f32],
        wanted: Wanted<'_>,
    ) -> Result<Vec<Scored>, EngineError> {
        Ok(parts.items.nearest(direction, wanted))
    }
}

/// What is ranked, and by what: the item table and the encoder, in memory.
#[derive(Debug)]
pub struct Parts {
    pub(super) config: BackboneConfig,
    pub(super) items: Items,
    pub(super) encoder: Shipped,
}

impl Parts {
    /// Sizes of the backbone.
    pub fn config(&self) -> &BackboneConfig {
        &self.config
    }

    /// The catalogue's embeddings as the bundle holds them.
    pub fn table(&self) -> &ItemTable {
        self.items.table()
    }

    /// Lengths of all embeddings, `[items]`.
    pub fn lengths(&self) -> Vec<f32> {
        self.items.all_lengths()
    }

    /// The user vector of a history, by the processor.
    pub fn user(&self, history: Reading<'_>) -> Vec<f32> {
        self.encoder.user(history.embedded, history.keep)
    }

    /// Ranks by the mean over histories, one or more, by the processor.
    pub fn rank(&self, histories: &[Reading<'_>], wanted: Wanted<'_>) -> (Vec<Scored>, Mass) {
        let read = |&history: &Reading<'_>| (self.user(history), history.weight);
        let users: Vec<(Vec<f32>, f32)> = histories.iter().map(read).collect();
        self.items.rank_mean(&users, wanted)
    }

    /// The encoder as what computes it elsewhere needs it, if it is a Transformer: no other is computed
    /// elsewhere.
    pub fn transformer(&self) -> Option<Transformer<'_>> {
        match &self.encoder {
            Shipped::Sasrec(encoder) => Some(Transformer(encoder)),
            Shipped::Gru4rec(_) => None,
        }
    }

    /// Some rows, scored to the last digit by the inner product with `vector`, best first.
    pub fn scored(
        &self,
        vector: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.items.scored(vector, rows, boost)
    }

    /// The same by the mean of the softmaxes of several vectors.
    pub fn scored_mean(
        &self,
        vectors: &[&[f32]],
        mean: &Mean,
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.items.scored_mean(vectors, mean, rows, boost)
    }

    /// The same by the cosine with `direction`, which is of length 1.
    pub fn scored_near(
        &self,
        direction: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.items.scored_near(direction, rows, boost)
    }
}

/// A Transformer's weights and what its first block reads.
#[derive(Clone, Copy, Debug)]
pub struct Transformer<'a>(&'a sasrec::Shipped);

impl<'a> Transformer<'a> {
    /// All weights of the blocks and of the last normalisation. Of each block: attention norm, query,
    /// key, value, output, feed norm, widen, narrow; of a norm its factor and its offset, of a layer its weight,
    /// a row for each input, and its bias.
    pub fn weights(self) -> impl Iterator<Item = Rows<'a>> {
        self.0.rows()
    }

    /// What the first block reads, `[len, width]`.
    pub fn inputs(self, history: Reading<'_>) -> Vec<f32> {
        self.0.inputs(history.embedded, history.keep)
    }
}
