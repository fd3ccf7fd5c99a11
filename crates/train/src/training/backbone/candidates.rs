//! The items a step ranks its targets among where the catalogue is too large to rank all of it: the
//! targets of the whole step and items drawn uniformly
//! ([Mixed Negative Sampling](https://research.google/pubs/pub50257/)), each item's logit lowered by the
//! logarithm of its chance to be there ([Bengio and Senécal,
//! 2008](https://doi.org/10.1109/TNN.2007.912312)).
//!
//! A token's own target is always there, so its logit stays as it is: the sum of the exponentials then
//! is an unbiased estimate of that over the catalogue.

use ingle_model::Rng;
use std::collections::HashMap;

/// How candidates are drawn.
#[derive(Debug)]
pub(super) struct Sampler {
    /// Items drawn a step.
    negatives: usize,
    /// Logarithm of each item's chance not to be the target of a click, by index.
    not_target: Vec<f64>,
}

/// The items of one step.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Their indices, padding first.
    pub(super) items: Vec<u32>,
    /// Where among `items` each of them is.
    pub(super) places: HashMap<u32, u32>,
    /// Minus the logarithm of each one's chance to be here.
    pub(super) bias: Vec<f32>,
    /// Where among `items` each click's target is.
    pub(super) targets: Vec<u32>,
}

impl Sampler {
    /// Draws `negatives` items a step from a catalogue in which items were clicked that often, by
    /// index, entry 0 for padding.
    pub(super) fn new(negatives: usize, counts: &[u32]) -> Self {
        let all: f64 = counts.iter().map(|&count| f64::from(count)).sum();
        let share = |&count: &u32| (-f64::from(count) / all.max(1.0)).ln_1p();
        Self {
            negatives,
            not_target: counts.iter().map(share).collect(),
        }
    }

    /// The candidates of a step with these targets.
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
    /// Where an item is, at the end if it was not there yet.
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
        // Targets as often as items are clicked.
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
