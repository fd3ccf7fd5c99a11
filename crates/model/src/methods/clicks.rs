//! A batch of histories as methods see them: before any gate, and without a pass of the backbone.

use crate::backbone::Backbone;
use crate::batch::Batch;
use burn::prelude::*;

/// Histories and their embeddings.
#[derive(Clone, Debug)]
pub struct Clicks {
    /// Items, padding, popularity and semantic codes.
    pub batch: Batch,
    /// Item embeddings, `[batch, len, width]`.
    pub embedded: Tensor<3>,
}

impl Clicks {
    /// Looks up the embeddings.
    pub fn of(backbone: &Backbone, batch: Batch) -> Self {
        let embedded = backbone.embed(batch.items.clone());
        Self { batch, embedded }
    }
}
