//! Confidence intervals by the percentile bootstrap ([Efron, 1979](https://doi.org/10.1214/aos/1176344552))
//! over users.
//!
//! A resample depends only on the seed, its number and the number of users. Two runs evaluated on the same
//! users are therefore resampled in the same way, and the differences of their resamples are a paired
//! bootstrap: difficulty that both runs share cancels out.

use crate::metrics::ranking::{FIGURES, Figures};
use ingle_model::Rng;
use rayon::prelude::*;
use serde::Serialize;

/// Resamples of every interval in a report.
pub const RESAMPLES: usize = 1000;
/// Coverage of the intervals.
pub const LEVEL: f64 = 0.95;

/// A figure with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure over all users.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    fn of(value: f64, mut draws: Vec<f64>) -> Self {
        draws.sort_unstable_by(f64::total_cmp);
        Self {
            value,
            low: quantile(&draws, (1.0 - LEVEL) / 2.0).unwrap_or(value),
            high: quantile(&draws, f64::midpoint(1.0, LEVEL)).unwrap_or(value),
        }
    }

    /// Whether the interval excludes zero.
    pub fn is_clear(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The figures of some ranks, and of resamples of them.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    figures: [f64; FIGURES],
    draws: Vec<[f64; FIGURES]>,
}

impl Bootstrap {
    /// Draws `resamples` resamples of the users, with replacement.
    pub fn of(ranks: &[usize], resamples: usize, seed: u64) -> Self {
        let draws = (0..resamples).into_par_iter().map(|number| {
            let mut rng = Rng::new(seed, &[number as u64, ranks.len() as u64]);
            let drawn: Vec<usize> = (ranks.iter())
                .map(|_| ranks[rng.below(ranks.len())])
                .collect();
            Figures::of(&drawn.iter().copied()).values()
        });
        Self {
            figures: Figures::of(&ranks.iter().copied()).values(),
            draws: draws.collect(),
        }
    }

    /// Every figure with its interval.
    pub fn estimates(&self) -> [Estimate; FIGURES] {
        std::array::from_fn(|at| {
            let draws = self.draws.iter().map(|figures| figures[at]);
            Estimate::of(self.figures[at], draws.collect())
        })
    }

    /// The difference of every figure and another's, over the same users in the same order.
    pub fn minus(&self, other: &Self) -> [Estimate; FIGURES] {
        std::array::from_fn(|at| {
            let pairs = self.draws.iter().zip(&other.draws);
            let draws = pairs.map(|(ours, theirs)| ours[at] - theirs[at]);
            Estimate::of(self.figures[at] - other.figures[at], draws.collect())
        })
    }
}

/// The quantile at a share of the way through sorted values, linearly interpolated.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::Rng;
    use proptest::prelude::*;

    const HR10: usize = 1;

    /// Ranks of users, each of whom has the target in the first ten with probability `p`.
    fn ranks(users: usize, p: f32, rng: &mut Rng) -> Vec<usize> {
        (0..users)
            .map(|_| {
                if rng.uniform() < p {
                    1 + rng.below(10)
                } else {
                    11 + rng.below(90)
                }
            })
            .collect()
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let mut rng = Rng::new(11, &[]);
        let covered = (0..300)
            .filter(|&trial| {
                let ranks = ranks(250, 0.3, &mut rng);
                let hr = Bootstrap::of(&ranks, 300, trial).estimates()[HR10];
                hr.low <= 0.3 && 0.3 <= hr.high
            })
            .count();
        let share = covered as f64 / 300.0;
        assert!((share - LEVEL).abs() < 0.035, "{share}");
    }

    #[test]
    fn paired_intervals_are_narrower_where_runs_agree_on_most_users() {
        let mut rng = Rng::new(3, &[]);
        let one = ranks(500, 0.3, &mut rng);
        let mut other = one.clone();
        for rank in other.iter_mut().filter(|rank| **rank > 10).take(10) {
            *rank = 10;
        }
        let (one, other) = (Bootstrap::of(&one, 500, 1), Bootstrap::of(&other, 500, 1));
        let difference = other.minus(&one)[HR10];
        let alone = one.estimates()[HR10];
        assert!((difference.value - 10.0 / 500.0).abs() < 1e-12);
        assert!(difference.is_clear());
        assert!(difference.high - difference.low < (alone.high - alone.low) / 2.0);
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let ranks = ranks(50, 0.5, &mut Rng::new(1, &[]));
        let same = Bootstrap::of(&ranks, 100, 9);
        for difference in same.minus(&same) {
            assert_eq!((difference.low, difference.high), (0.0, 0.0));
            assert!(!difference.is_clear());
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_seed_another() {
        let ranks = ranks(200, 0.4, &mut Rng::new(2, &[]));
        let draw = |seed| Bootstrap::of(&ranks, 100, seed).estimates();
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }

    #[test]
    fn nobody_judged_gives_zeros() {
        let none = Bootstrap::of(&[], 10, 1).estimates();
        assert!(
            none.iter()
                .all(|e| (e.value, e.low, e.high) == (0.0, 0.0, 0.0))
        );
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_figure_and_stays_between_zero_and_one(
            ranks in prop::collection::vec(1_usize..40, 30..80), seed in 0_u64..99,
        ) {
            for e in Bootstrap::of(&ranks, 200, seed).estimates() {
                prop_assert!(0.0 <= e.low && e.low <= e.value + 1e-12);
                prop_assert!(e.value <= e.high + 1e-12 && e.high <= 1.0 + 1e-12);
            }
        }
    }
}
