//! Training: the scorer on histories with a weak signal.

use super::tensors::{Inputs, MgsdWss, Output};
use crate::methods::objective::{Labelled, Objective, Step};
use crate::methods::{Clicks, Part};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;

/// Weight of the weak signal (the paper's gamma). It is the only loss, so that Adam's steps hardly depend on it.
const WEIGHT: f32 = 10.0;

impl Objective for MgsdWss {
    fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
        match part {
            Part::Prior => unreachable!("the scorer is trained as a whole"),
            Part::Scorer => self.denoising_loss(step),
        }
    }
}

impl MgsdWss {
    fn denoising_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = step.labelled.clone();
        let labelled = labelled.expect("a step of a scorer has labelled histories");
        let inputs = Inputs::of(&Clicks::of(step.backbone, labelled.batch.clone()));
        signal(&self.look(&inputs, Some(step.rng)), &labelled) * WEIGHT
    }
}

/// Weak-signal losses of each granularity and of their sum.
fn signal(output: &Output, labelled: &Labelled) -> Tensor<1> {
    let of = |noise| weak_signal(noise, &labelled.labels, &labelled.judged);
    let served = &output.served;
    let by_interest = served.by_click(sigmoid(served.logit.clone()));
    (of(sigmoid(output.fused())) * 2.0 + of(sigmoid(output.item.clone())) + of(by_interest)) / 4.0
}

/// Mean squared error of noise probabilities over the judged clicks.
///
/// # Shapes
/// - `noise`, `labels`, `judged`: `[batch, len]`
fn weak_signal(noise: Tensor<2>, labels: &Tensor<2>, judged: &Tensor<2>) -> Tensor<1> {
    let [_batch, _len] = noise.dims();
    let error = (noise - labels.clone()).square() * judged.clone();
    error.sum() / judged.clone().sum().clamp_min(1.0)
}

#[cfg(test)]
mod parity;
#[cfg(test)]
mod tests;
