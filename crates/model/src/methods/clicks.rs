//! A batch of histories as input of a method: without weights on clicks and without running the backbone.

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

/// Scales the last axis to length 1; zeros stay zeros.
pub(super) fn unit(x: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    let length = x.clone().square().sum_dim(2).sqrt().clamp_min(1e-6);
    x / length.expand(shape)
}
