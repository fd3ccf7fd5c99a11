//! One history as methods see it, and what they say of it.

use crate::methods::Views;

/// The known clicks of a history, oldest first.
#[derive(Debug)]
pub(crate) struct Clicks {
    /// Item embeddings, `[len, width]`.
    pub(crate) embedded: Vec<f32>,
    /// `ln(1 + clicks in training)` of each item, `[len]`.
    pub(crate) popularity: Vec<f32>,
    /// Directions of the items' semantic codes, `[len, code width]`; `None` in a catalogue without codes.
    pub(crate) codes: Option<Vec<f32>>,
}

impl Clicks {
    /// Clicks of the history.
    pub(crate) fn len(&self) -> usize {
        self.popularity.len()
    }
}

/// Noise logits before calibration, each `[len]`.
#[derive(Debug)]
pub(crate) struct Opinion {
    /// What the gate acts on.
    pub(crate) fused: Vec<f32>,
    /// What it was made from, in a method of two views.
    pub(crate) views: Option<Views<Vec<f32>>>,
}
