//! Training: the scorer on histories with a weak signal. The
//! target is the last click of some histories and the click after them in others.

use super::judge::{MgsdWss, Reading, Sight, later, later_rows};
use super::losses::{Contrast, kept, weak_signal};
use super::{Config, Target};
use crate::methods::objective::{Labelled, Objective, Step};
use crate::methods::{Clicks, Part};
use crate::rng::Rng;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::sigmoid;

impl Objective for MgsdWss {
    fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
        match part {
            Part::Prior => unreachable!("the scorer is trained as a whole"),
            Part::Scorer => self.denoising_loss(step),
        }
    }
}

/// A batch of labelled histories with their targets; in some the last click is taken off as the next one.
struct Aimed {
    sight: Sight,
    /// Item embeddings, `[batch, len, width]`
    embedded: Tensor<3>,
    labels: Tensor<2>,
    judged: Tensor<2>,
    /// 1 where the target is not noise, `[batch, 1]`
    wanted: Tensor<2>,
    /// Histories whose next item is known, with that item.
    next: Vec<(usize, u32)>,
}

impl Aimed {
    fn new(labelled: Labelled, config: &Config, step: &mut Step<'_>) -> Self {
        let [batch, len] = labelled.batch.dims();
        let device = labelled.batch.real.device();
        let clicks = Clicks::of(step.backbone, labelled.batch.clone());
        let last = Last::of(&labelled);
        let next: Vec<(usize, u32)> = (0..batch)
            .filter(|&row| last.can_be_next(row) && config.target.is_next(step.rng))
            .map(|row| (row, last.items[row]))
            .collect();
        let mut flags = vec![0.0; batch];
        for &(row, _) in &next {
            flags[row] = 1.0;
        }
        let column = |values: Vec<f32>| -> Tensor<2> {
            Tensor::from_data(TensorData::new(values, [batch, 1]), &device)
        };
        let wanted = column(last.noise.iter().map(|noise| 1.0 - noise).collect());
        let flags = column(flags);
        let mut judged = later(labelled.judged, &flags);
        if config.target == Target::Next {
            judged = judged * flags.clone().expand([batch, len]);
        }
        Self {
            sight: Sight::of(&clicks).before_the_last(&flags),
            embedded: later_rows(clicks.embedded, &flags),
            labels: later(labelled.labels, &flags),
            judged,
            wanted,
            next,
        }
    }
}

/// The last click of each history.
struct Last {
    items: Vec<u32>,
    noise: Vec<f32>,
    /// Whether there is no click before it.
    alone: Vec<bool>,
}

impl Last {
    fn of(labelled: &Labelled) -> Self {
        let [batch, len] = labelled.batch.dims();
        let column = |x: &Tensor<2>, at: usize| -> Vec<f32> {
            x.clone()
                .slice([0..batch, at..at + 1])
                .into_data()
                .iter()
                .collect()
        };
        let items = labelled.batch.items.clone().slice([0..batch, len - 1..len]);
        Self {
            items: items
                .into_data()
                .iter::<i64>()
                .map(|item| item as u32)
                .collect(),
            noise: column(&labelled.labels, len - 1),
            alone: match len {
                1 => vec![true; batch],
                _ => (column(&labelled.batch.real, len - 2).iter())
                    .map(|&real| real == 0.0)
                    .collect(),
            },
        }
    }

    /// Noise cannot be a target, and without the last click the history must not be empty.
    fn can_be_next(&self, row: usize) -> bool {
        self.noise[row] == 0.0 && !self.alone[row]
    }
}

impl Target {
    fn is_next(self, rng: &mut Rng) -> bool {
        match self {
            Self::Next => true,
            Self::Last => false,
            Self::Both => rng.uniform() < 0.5,
        }
    }
}

impl MgsdWss {
    fn denoising_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let config = &self.config;
        let labelled = step.labelled.clone();
        let labelled = labelled.expect("a step of a scorer has labelled histories");
        let aimed = Aimed::new(labelled, config, step);
        let reading = self.look(&aimed.sight, Some(step.rng));
        let fused = reading.fused();
        let mut loss = signal(&reading, &fused, &aimed) * config.weak_signal;
        if config.item_contrast > 0.0 {
            let kept = self.drawn(&reading.item, step.rng);
            loss = loss + self.of_items(&reading, &aimed, kept) * config.item_contrast;
        }
        if config.interest_contrast > 0.0 {
            let kept = self.drawn(&reading.served.logit, step.rng);
            loss = loss + self.of_interests(&reading, &aimed, kept) * config.interest_contrast;
        }
        if config.recommendation > 0.0 && !aimed.next.is_empty() {
            loss = loss + self.of_ranking(&fused, &aimed, step) * config.recommendation;
        }
        loss
    }

    /// Flags for a contrast, without a gradient.
    fn drawn(&self, logits: &Tensor<2>, rng: &mut Rng) -> Tensor<2> {
        kept(logits, self.config.gumbel_temperature, rng).detach()
    }

    fn of_items(&self, reading: &Reading, aimed: &Aimed, kept: Tensor<2>) -> Tensor<1> {
        let contrast = Contrast {
            vectors: &reading.hidden,
            target: &reading.target,
            kept,
            noise: sigmoid(reading.item.clone()).detach(),
            weights: aimed.sight.real.clone(),
            counts: aimed.wanted.clone(),
        };
        contrast.loss(self.config.contrast_temperature)
    }

    fn of_interests(&self, reading: &Reading, aimed: &Aimed, kept: Tensor<2>) -> Tensor<1> {
        let served = &reading.served;
        let contrast = Contrast {
            vectors: &served.vectors,
            target: &reading.target,
            kept,
            noise: sigmoid(served.logit.clone()).detach(),
            weights: served.mass.clone(),
            counts: aimed.wanted.clone(),
        };
        contrast.loss(self.config.contrast_temperature)
    }

    /// The loss of predicting the next item, where it is known, from the kept clicks.
    fn of_ranking(&self, fused: &Tensor<2>, aimed: &Aimed, step: &mut Step<'_>) -> Tensor<1> {
        let (rows, targets): (Vec<i32>, Vec<u32>) = (aimed.next.iter())
            .map(|&(row, item)| (row as i32, item))
            .unzip();
        let count = rows.len();
        let rows = TensorData::new(rows, [count]);
        let rows = Tensor::<1, Int>::from_data(rows, &aimed.labels.device());
        let real = aimed.sight.real.clone().select(0, rows.clone());
        let embedded = aimed.embedded.clone().select(0, rows.clone());
        let flags = kept(fused, self.config.gumbel_temperature, step.rng).select(0, rows);
        let [_, len, width] = embedded.dims();
        let flags = at_least_the_last(flags * real.clone());
        let hidden = step.backbone.gated(embedded, Some(&flags), &real, None);
        let latest = hidden.slice([0..count, len - 1..len, 0..width]);
        step.rank
            .cross_entropy(latest.reshape([count, width]), &targets)
    }
}

/// Weak-signal losses of each granularity and of their sum.
fn signal(reading: &Reading, fused: &Tensor<2>, aimed: &Aimed) -> Tensor<1> {
    let of = |noise| weak_signal(noise, &aimed.labels, &aimed.judged);
    let served = &reading.served;
    let by_interest = served.by_click(sigmoid(served.logit.clone()));
    (of(sigmoid(fused.clone())) * 2.0 + of(sigmoid(reading.item.clone())) + of(by_interest)) / 4.0
}

/// If no click of a history is kept, its last one is.
fn at_least_the_last(kept: Tensor<2>) -> Tensor<2> {
    let [batch, len] = kept.dims();
    let nothing = kept.clone().detach().sum_dim(1).lower_scalar(0.5).float();
    let last = kept.clone().slice([0..batch, len - 1..len]) + nothing;
    if len == 1 {
        return last;
    }
    Tensor::cat(vec![kept.slice([0..batch, 0..len - 1]), last], 1)
}

#[cfg(test)]
mod parity;
#[cfg(test)]
mod tests;
