//! Training: the backbone on clean histories; backbones of parts of the users, for the posterior to
//! learn from; the prior on labelled corruption; then posterior and fusion on labelled corruption, with
//! backbone and prior held fixed. A history that the gate leaves whole is recommended for exactly as by
//! the undenoised baseline.

use super::Dc4sr;
use crate::methods::Clicks;
use crate::methods::objective::{Labelled, Learns, Objective, Phase, Step, recommendation};
use burn::module::Module;
use burn::prelude::*;
use burn::tensor::activation::log_sigmoid;

/// Weight of the posterior's own loss beside the fusion's.
const OWN: f32 = 0.5;

/// The backbone, its folds, and then the views in the order in which they build on each other.
pub const PHASES: &[Phase] = &[
    Phase {
        name: "backbone",
        learns: Learns::Backbone,
    },
    Phase {
        name: "fold-1",
        learns: Learns::Fold(0),
    },
    Phase {
        name: "fold-2",
        learns: Learns::Fold(1),
    },
    Phase {
        name: "prior",
        learns: Learns::Prior,
    },
    Phase {
        name: "scorer",
        learns: Learns::Denoiser,
    },
];

impl Objective for Dc4sr {
    fn loss(&self, phase: &Phase, step: &mut Step<'_>) -> Tensor<1> {
        match phase.learns {
            Learns::Backbone | Learns::Fold(_) => recommendation(step),
            Learns::Prior => self.prior_loss(step),
            Learns::Denoiser => self.fused_loss(step),
        }
    }
}

impl Dc4sr {
    fn prior_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = labelled(step);
        let sight = self.see(&Clicks::of(step.backbone, labelled.batch.clone()));
        cross_entropy(self.prior(&sight, Some(step.rng)).logit, &labelled)
    }

    fn fused_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = labelled(step);
        let sight = self.see(&Clicks::of(step.backbone, labelled.batch.clone()));
        // The prior has been fitted: what it says is given. Without autodiff, for a graph that nobody goes
        // back through is never freed.
        let prior = self.valid().prior(&sight, None);
        let posterior = self.posterior(&sight, Some(step.rng));
        let own = cross_entropy(posterior.logit.clone(), &labelled);
        let fused = self.fuse(&sight, prior, posterior, Some(step.rng));
        cross_entropy(fused, &labelled) + own * OWN
    }
}

fn labelled(step: &Step<'_>) -> Labelled {
    let labelled = step.labelled.clone();
    labelled.expect("a phase that learns a view has labelled histories")
}

/// Binary cross-entropy of the noise labels, mean over the clicks that were judged.
fn cross_entropy(logits: Tensor<2>, labelled: &Labelled) -> Tensor<1> {
    let labels = labelled.labels.clone();
    let noise = log_sigmoid(logits.clone()) * labels.clone();
    let clean = log_sigmoid(logits.neg()) * (labels.neg() + 1.0);
    let count = labelled.judged.clone().sum().clamp_min(1.0);
    ((noise + clean) * labelled.judged.clone()).sum().neg() / count
}
