//! Rankers encode histories and rank the catalogue: on the CPU or on a GPU.

use super::error::EngineError;
use super::judge::{Judged, Unjudged};
use crate::backbone::{Layers, SliceEncoder, sasrec};
use crate::config::BackboneConfig;
use crate::rank::{Mass, Mean, Scored, Wanted};
use crate::slices::Items;
use ingle_bundle::ItemTable;
use ingle_kernel::vector;
use ingle_layers::{Parameters, Rows};

/// One kept history, with embeddings and weights.
#[derive(Clone, Copy, Debug)]
pub struct WeightedHistory<'a> {
    /// Embeddings of the clicked items, oldest first, `[len, width]`, `1 <= len <= max_len`.
    pub embedded: &'a [f32],
    /// Weight of each click, `[len]`, `0..=1`, not all of them 0.
    pub keep: &'a [f32],
    /// Weight of the history; the weights of all histories add up to 1.
    pub weight: f32,
    /// What is added to its scores; the same for all histories.
    pub tilt: Option<Tilt<'a>>,
}

/// An adapter as rankers apply it.
#[derive(Clone, Copy, Debug)]
pub struct Tilt<'a> {
    /// Added to the user vector, `[width]`.
    pub bias: &'a [f32],
    /// Factor of `popularity`.
    pub weight: f32,
    /// Log-popularity of each item, `[items]`.
    pub popularity: &'a [f32],
}

/// Encodes histories and ranks the catalogue.
pub trait Ranker {
    /// The best rows by the mean of the softmaxes of one or more histories, best first. The logits of a
    /// history are the inner products of the item table with its user vector. Also returns the softmax of the
    /// last history, in which the scores are logits.
    ///
    /// # Errors
    /// If the device fails.
    fn rank(
        &self,
        parts: &Parts,
        histories: &[WeightedHistory<'_>],
        wanted: Wanted<'_>,
    ) -> impl Future<Output = Result<(Vec<Scored>, Mass), EngineError>>;

    /// Whether [`Self::rank_unjudged`] answers; otherwise the processor judges clicks.
    fn judges(&self) -> bool {
        false
    }

    /// Judges clicks, chooses the kept histories and ranks by them, all on the device. `None` if the processor has to
    /// judge: it always may.
    ///
    /// # Errors
    /// If the device fails.
    fn rank_unjudged(
        &self,
        _parts: &Parts,
        _clicks: Unjudged<'_>,
        _wanted: &Wanted<'_>,
    ) -> impl Future<Output = Result<Option<Judged>, EngineError>> {
        std::future::ready(Ok(None))
    }

    /// The nearest rows by the cosine with `direction`, a unit vector `[width]`, nearest first.
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

/// The ranker on the CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl Ranker for Host {
    async fn rank(
        &self,
        parts: &Parts,
        histories: &[WeightedHistory<'_>],
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

/// The item table and the encoder, in memory.
#[derive(Debug)]
pub struct Parts {
    pub(super) config: BackboneConfig,
    pub(super) items: Items,
    pub(super) encoder: SliceEncoder,
}

impl Parts {
    /// Sizes of the backbone.
    pub fn config(&self) -> &BackboneConfig {
        &self.config
    }

    /// The item table as stored in the bundle.
    pub fn table(&self) -> &ItemTable {
        self.items.table()
    }

    /// Lengths of all embeddings, `[items]`.
    pub fn lengths(&self) -> Vec<f32> {
        self.items.all_lengths()
    }

    /// The user vector of a history, computed on the CPU, with the adapter's bias.
    pub fn user(&self, history: WeightedHistory<'_>) -> Vec<f32> {
        let mut user = self.encoder.user(history.embedded, history.keep);
        if let Some(tilt) = history.tilt {
            vector::add(&mut user, tilt.bias);
        }
        user
    }

    /// Ranks by the mean over one or more histories, on the CPU.
    pub fn rank(
        &self,
        histories: &[WeightedHistory<'_>],
        wanted: Wanted<'_>,
    ) -> (Vec<Scored>, Mass) {
        let read = |&history: &WeightedHistory<'_>| (self.user(history), history.weight);
        let users: Vec<(Vec<f32>, f32)> = histories.iter().map(read).collect();
        let tilt = histories.first().and_then(|history| history.tilt);
        let addend = tilt.filter(|tilt| tilt.weight != 0.0);
        let addend = addend.map(|tilt| (tilt.weight, tilt.popularity));
        self.items.rank_mean(&users, addend, wanted)
    }

    /// The Transformer's weights for another device; `None` for other encoders, which run on the CPU only.
    pub fn transformer(&self) -> Option<Transformer<'_>> {
        match &self.encoder.layers {
            Layers::Sasrec(layers) => Some(Transformer {
                layers,
                parameters: &self.encoder.parameters,
            }),
            Layers::Gru4rec(_) => None,
        }
    }

    /// Exact scores of some rows by the inner product with `vector`, best first.
    pub fn scored(
        &self,
        vector: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.items.scored(vector, None, rows, boost)
    }

    /// The same by the mean of the softmaxes of several vectors.
    pub fn scored_mean(
        &self,
        vectors: &[&[f32]],
        mean: &Mean,
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.items.scored_mean(vectors, mean, None, rows, boost)
    }

    /// The same by the cosine with `direction`, a unit vector.
    pub fn scored_near(
        &self,
        direction: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.items.scored_near(direction, rows, boost)
    }
}

/// A Transformer's weights.
#[derive(Clone, Copy, Debug)]
pub struct Transformer<'a> {
    layers: &'a sasrec::Layers,
    parameters: &'a Parameters,
}

impl<'a> Transformer<'a> {
    /// All weights of the blocks and of the last normalisation. By block: attention norm, query, key, value,
    /// output, feed norm, widen, narrow. A norm has its factor and its offset; a layer has its weight, one row
    /// per input, and its bias.
    pub fn weights(self) -> impl Iterator<Item = Rows<'a>> {
        (self.layers.places()).map(|place| self.parameters.rows(place))
    }

    /// The positions, `[max_len, width]`; the last row is the latest click. The input of the first block is the
    /// position of a click plus its embedding times its weight and the root of the width.
    pub fn positions(self) -> Rows<'a> {
        self.parameters.rows(&self.layers.positions)
    }
}
