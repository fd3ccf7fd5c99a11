//! Sampled softmax, for catalogues too large to be ranked in every step. The candidates are the targets of
//! the whole step and items drawn uniformly ([Mixed Negative
//! Sampling](https://research.google/pubs/pub50257/)). Each candidate's logit is lowered by the logarithm of
//! its probability to be a candidate ([Bengio and Senécal, 2008](https://doi.org/10.1109/TNN.2007.912312)).
//!
//! A token's own target is always a candidate, so its logit is not changed. The sum of the exponentials is
//! then an unbiased estimate of the sum over the catalogue.

use ingle_model::Rng;
use std::collections::HashMap;

/// Draws the candidates.
#[derive(Debug)]
pub(super) struct Sampler {
    /// Items drawn in each step.
    negatives: usize,
    /// Logarithm of the probability that a click's target is not this item, by item index.
    not_target: Vec<f64>,
}

/// The candidates of one step.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Item indices, padding first.
    pub(super) items: Vec<u32>,
    /// Position of each item in `items`.
    pub(super) places: HashMap<u32, u32>,
    /// Minus the logarithm of each candidate's probability to be drawn.
    pub(super) bias: Vec<f32>,
    /// Position of each click's target in `items`.
    pub(super) targets: Vec<u32>,
}

impl Sampler {
    /// Draws `negatives` items per step. `counts` holds the training clicks by item index, entry 0 for
    /// padding.
    pub(super) fn new(negatives: usize, counts: &[u32]) -> Self {
        let all: f64 = counts.iter().map(|&count| f64::from(count)).sum();
        let share = |&count: &u32| (-f64::from(count) / all.max(1.0)).ln_1p();
        Self {
            negatives,
            not_target: counts.iter().map(share).collect(),
        }
    }

    /// Draws the candidates of a step with these targets.
    pub(super) fn draw(&self, targets: &[u32], rng: &mut Rng) -> Candidates {
        let catalogue = self.not_target.len() - 1;
        let mut candidates = Candidates::default();
        candidates.place(0);
        let drawn = (0..self.negatives).map(|_| 1 + rng.below(catalogue) as u32);
        for item in targets.iter().copied().chain(drawn) {
            candidates.place(item);
        }
        let not_drawn = self.negatives as f64 * (-1.0 / catalogue as f64).ln_1p();
        let bias = candidates.items.iter().map(|&item| {
            let absent = targets.len() as f64 * self.not_target[item as usize] + not_drawn;
            -((-absent.exp_m1()).ln() as f32)
        });
        candidates.bias = bias.collect();
        candidates.targets = targets
            .iter()
            .map(|target| candidates.places[target])
            .collect();
        candidates
    }
}

impl Candidates {
    /// Position of an item; adds it at the end if it is missing.
    pub(super) fn place(&mut self, item: u32) -> u32 {
        let end = self.items.len() as u32;
        *self.places.entry(item).or_insert_with(|| {
            self.items.push(item);
            end
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_every_target_once_and_says_where() {
        let sampler = Sampler::new(20, &[0, 5, 1, 1, 1, 1, 1, 1, 1, 1]);
        let targets = [3, 1, 3, 9];
        for draw in 0..50 {
            let found = sampler.draw(&targets, &mut Rng::new(draw, &[]));
            assert_eq!(found.items[0], 0);
            let mut sorted = found.items.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), found.items.len());
            for (target, &slot) in targets.iter().zip(&found.targets) {
                assert_eq!(found.items[slot as usize], *target);
            }
        }
    }

    #[test]
    fn the_weighted_sum_over_candidates_estimates_that_over_the_catalogue() {
        let counts: Vec<u32> = (0..=40).collect();
        let sampler = Sampler::new(10, &counts);
        let value = |item: u32| f64::from(item).sqrt();
        let all: f64 = (1..=40).map(value).sum();
        // Targets drawn in proportion to clicks.
        let by_clicks: Vec<u32> = (1..=40u32).flat_map(|i| vec![i; i as usize]).collect();
        let mut mean = 0.0;
        let draws = 20_000;
        for draw in 0..draws {
            let mut rng = Rng::new(draw, &[1]);
            let targets: Vec<u32> = (0..12)
                .map(|_| by_clicks[rng.below(by_clicks.len())])
                .collect();
            let found = sampler.draw(&targets, &mut rng);
            let weighted = found.items.iter().zip(&found.bias).skip(1);
            mean += weighted
                .map(|(&i, &b)| value(i) * f64::from(b).exp())
                .sum::<f64>()
                / draws as f64;
        }
        assert!((mean / all - 1.0).abs() < 0.01, "{mean} and not {all}");
    }
}
