//! Forward and backward pass of the backbone over concatenated histories, without padding and without
//! autodiff. Computes the same function as [`ingle_model::backbone::Backbone::forward`]; tests compare the
//! two.

use super::super::samples::Lesson;
use super::gather;
use super::layout::Layout;
use ingle_layers::{Dropout, Packed, Values};
use ingle_model::Rng;
use ingle_model::backbone;

/// The clicks of several histories, which one core processes at a time.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// Items of all clicks; within a history, oldest first.
    pub(super) items: Vec<u32>,
    pub(super) packed: Packed,
}

impl Shard {
    /// Concatenates histories.
    pub(super) fn of(lessons: &[&Lesson]) -> Self {
        Self {
            items: lessons.iter().flat_map(|l| &l.items).copied().collect(),
            packed: Packed {
                lengths: lessons.iter().map(|lesson| lesson.items.len()).collect(),
            },
        }
    }
}

/// What the backward pass needs from the forward pass.
#[derive(Debug)]
pub(super) struct Tape {
    /// Hidden states after the last normalisation, `[clicks, width]`.
    pub(super) hidden: Vec<f32>,
    /// What the encoder's backward pass needs.
    pub(super) encoder: backbone::Tape,
}

/// The parameters of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    /// The encoder.
    pub(super) layout: &'a Layout,
    /// All parameters except the item table.
    pub(super) values: Values<'a>,
    /// Item embeddings, `[items + 1, width]`.
    pub(super) table: &'a [f32],
}

impl Pass<'_> {
    /// Hidden states of every click. Dropout is applied if there is a generator.
    pub(super) fn forward(&self, shard: &Shard, rng: Option<&mut Rng>) -> Tape {
        let Layout { config, layers, .. } = self.layout;
        let rate = config.dropout;
        let embedded = gather(self.table, &shard.items, config.width);
        let (hidden, encoder) = layers.forward(
            &self.values,
            &shard.packed,
            embedded,
            &mut Masks { rate, rng },
        );
        Tape { hidden, encoder }
    }

    /// Adds the gradients of all parameters except the item table to `gradient`; returns those of the clicks'
    /// embeddings, `[clicks, width]`.
    pub(super) fn backward(
        &self,
        shard: &Shard,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let layers = &self.layout.layers;
        layers.backward(&self.values, &shard.packed, &tape.encoder, hidden, gradient)
    }
}

/// Dropout of a rate; none without a generator.
struct Masks<'a> {
    rate: f32,
    rng: Option<&'a mut Rng>,
}

impl Dropout for Masks<'_> {
    fn mask(&mut self, count: usize) -> Vec<f32> {
        match self.rng.as_deref_mut().filter(|_| self.rate > 0.0) {
            None => Vec::new(),
            Some(rng) => ingle_model::rng::dropout_mask(count, self.rate, rng),
        }
    }
}
