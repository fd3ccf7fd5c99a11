//! Training on labelled corruption: the prior, and then the posterior with the fusion.
//!
//! Labels say which clicks were replaced. For the other clicks each view has a teacher that gives soft
//! labels: the prior the language model's scores of the log, the posterior the recommender's learning
//! dynamics.

use super::Dc4sr;
use crate::methods::objective::{Labelled, Objective, Step};
use crate::methods::{Clicks, Part};
use burn::module::Module;
use burn::prelude::*;
use burn::tensor::activation::{log_sigmoid, sigmoid};

/// Weight of the posterior's own loss, relative to the fusion's.
const OWN: f32 = 0.5;

impl Objective for Dc4sr {
    fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
        match part {
            Part::Prior => self.prior_loss(step),
            Part::Scorer => self.fused_loss(step),
        }
    }
}

impl Dc4sr {
    fn prior_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = labelled(step);
        let inputs = self.see(&Clicks::of(step.backbone, labelled.batch.clone()));
        let logits = self.prior(&inputs, Some(step.rng)).logit;
        cross_entropy(logits, taught(&labelled), &labelled.judged)
    }

    fn fused_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = labelled(step);
        let judged = &labelled.judged;
        let inputs = self.see(&Clicks::of(step.backbone, labelled.batch.clone()));
        // The prior is already trained and constant here. It is computed without autodiff, as Burn never
        // frees a graph without a backward pass.
        let prior = self.valid().prior(&inputs, None);
        let posterior = self.posterior(&inputs, Some(step.rng));
        let own = cross_entropy(posterior.logit.clone(), taught(&labelled), judged);
        let mut loss = own * OWN;
        if step.consistency > 0.0 {
            let views = [prior.logit.clone(), posterior.logit.clone()];
            loss = loss + disagreement(views, judged) * step.consistency;
        }
        let fused = self.fuse(&inputs, prior, posterior, Some(step.rng));
        loss + cross_entropy(fused, labelled.labels.clone(), judged)
    }
}

/// Target of a view: 1 for replaced clicks, the teacher's soft label for the others.
fn taught(labelled: &Labelled) -> Tensor<2> {
    let labels = labelled.labels.clone();
    match &labelled.beliefs {
        None => labels,
        Some(beliefs) => labels.clone() + (labels.neg() + 1.0) * beliefs.clone(),
    }
}

/// The Jensen-Shannon divergence of two views' probabilities, in nats, weighted by the confidence of the more
/// confident view; mean over the judged clicks.
///
/// # Shapes
/// - `views`, the logits of each: `[batch, len]`
/// - `judged`: `[batch, len]`, 1 where a click counts
fn disagreement(views: [Tensor<2>; 2], judged: &Tensor<2>) -> Tensor<1> {
    let [_batch, _len] = judged.dims();
    let [p, q] = views.map(sigmoid);
    let sure = |p: &Tensor<2>| (p.clone() * 2.0 - 1.0).abs().detach();
    let surer = sure(&p).max_pair(sure(&q));
    let middle = (p.clone() + q.clone()) * 0.5;
    let divergence = entropy(middle) - (entropy(p) + entropy(q)) * 0.5;
    mean(divergence * surer, judged)
}

/// Entropy of a Bernoulli distribution, in nats.
fn entropy(p: Tensor<2>) -> Tensor<2> {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    let not = p.clone().neg() + 1.0;
    (p.clone() * p.log() + not.clone() * not.log()).neg()
}

fn labelled(step: &Step<'_>) -> Labelled {
    let labelled = step.labelled.clone();
    labelled.expect("a step of a view has labelled histories")
}

/// Binary cross-entropy with labels in `0..=1`, mean over the judged clicks.
///
/// # Shapes
/// - `logits`, `labels`, `judged`: `[batch, len]`
fn cross_entropy(logits: Tensor<2>, labels: Tensor<2>, judged: &Tensor<2>) -> Tensor<1> {
    let [_batch, _len] = logits.dims();
    let noise = log_sigmoid(logits.clone()) * labels.clone();
    let clean = log_sigmoid(logits.neg()) * (labels.neg() + 1.0);
    mean((noise + clean).neg(), judged)
}

fn mean(x: Tensor<2>, judged: &Tensor<2>) -> Tensor<1> {
    let count = judged.clone().sum().clamp_min(1.0);
    (x * judged.clone()).sum() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32]) -> Tensor<2> {
        Tensor::<1>::from_floats(values, &Device::flex()).unsqueeze()
    }

    fn value(x: Tensor<1>) -> f32 {
        x.into_scalar::<f32>()
    }

    #[test]
    fn a_teacher_is_heard_about_clicks_that_were_not_replaced() {
        let device = Device::flex();
        let labelled = Labelled {
            batch: crate::Batch::new(
                &[&[1, 2, 3]],
                3,
                &crate::ItemFeatures::popularity(vec![0.0; 4]),
                &device,
            ),
            labels: row(&[0.0, 1.0, 0.0]),
            judged: row(&[1.0; 3]),
            beliefs: Some(row(&[0.25, 0.25, 0.0])),
        };
        let taught: Vec<f32> = taught(&labelled).into_data().iter().collect();
        assert_eq!(taught, [0.25, 1.0, 0.0]);
    }

    #[test]
    fn views_disagree_by_the_divergence_and_only_as_they_are_sure() {
        let all = row(&[1.0]);
        let of = |a: f32, b: f32| value(disagreement([row(&[a]), row(&[b])], &all));
        assert!(of(2.0, 2.0).abs() < 1e-6);
        // JS(.1 || .9) = ln 2 - H(.1), weighed by .8.
        let logit = 9.0f32.ln();
        let (p, ln2) = (0.1f32, 2.0f32.ln());
        let entropy = -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
        assert!((of(logit, -logit) - 0.8 * (ln2 - entropy)).abs() < 1e-5);
        assert!(of(1e9, -1e9).is_finite());
        assert_eq!(
            value(disagreement([row(&[5.0]), row(&[-5.0])], &row(&[0.0]))),
            0.0
        );
    }
}
