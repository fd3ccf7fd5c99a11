//! A batch of histories as the backbone sees them, before any gate: what methods judge by.

use crate::backbone::Backbone;
use crate::batch::Batch;
use burn::prelude::*;

/// Histories, their embeddings and their hidden states.
#[derive(Clone, Debug)]
pub struct Clicks {
    /// Items, padding and popularity.
    pub batch: Batch,
    /// Item embeddings, `[batch, len, width]`.
    pub embedded: Tensor<3>,
    /// Hidden states of the ungated history, `[batch, len, width]`.
    pub hidden: Tensor<3>,
}

impl Clicks {
    /// Runs the backbone over the whole histories.
    pub fn of(backbone: &Backbone, batch: Batch) -> Self {
        let embedded = backbone.embed(batch.items.clone());
        let hidden = backbone.forward(embedded.clone(), &batch.real, None);
        Self {
            batch,
            embedded,
            hidden,
        }
    }
}
