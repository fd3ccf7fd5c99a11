//! Training of the first form: the backbone on clean histories, then the scorer on labelled
//! corruption with the backbone held fixed, so that the recommendations of a clean history are
//! those of the undenoised baseline wherever the gate stays open.

use super::Dc4sr;
use crate::methods::Clicks;
use crate::methods::objective::{Learns, Objective, Phase, Step, recommendation};
use burn::prelude::*;
use burn::tensor::activation::log_sigmoid;

/// The backbone first, then the scorer.
pub const PHASES: &[Phase] = &[
    Phase {
        name: "backbone",
        learns: Learns::Backbone,
    },
    Phase {
        name: "scorer",
        learns: Learns::Denoiser,
    },
];

impl Objective for Dc4sr {
    fn loss(&self, phase: &Phase, step: &mut Step<'_>) -> Tensor<1> {
        match phase.learns {
            Learns::Backbone => recommendation(step),
            Learns::Denoiser => self.labelled_loss(step),
        }
    }
}

impl Dc4sr {
    /// Binary cross-entropy of the noise labels, mean over real clicks.
    fn labelled_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = step
            .labelled
            .clone()
            .expect("a denoiser phase has labelled histories");
        let real = labelled.batch.real.clone();
        let clicks = Clicks::of(step.backbone, labelled.batch);
        let logits = self.logits(&clicks, Some(step.rng));
        let labels = labelled.labels;
        let noise = log_sigmoid(logits.clone()) * labels.clone();
        let clean = log_sigmoid(logits.neg()) * (labels.neg() + 1.0);
        let count = real.clone().sum();
        ((noise + clean) * real).sum().neg() / count
    }
}
