//! Kept histories: copies of a history without the clicks that may be noise.
//!
//! Which clicks are noise is not known; a scorer gives each a noise probability. A [`Rule`] is a few thresholds on
//! that probability. Each threshold makes one history, from which the clicks with a higher noise probability are
//! removed. Items are ranked by the mean of the softmaxes over these histories, so that a click counts in a share
//! of them that falls with its noise probability.

use crate::config::ConfigError;
use serde::{Deserialize, Serialize};

/// Most thresholds of a rule.
pub const MOST: usize = 16;

/// A keep rule: thresholds on the noise probability, each of which removes the clicks above it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f32>", into = "Vec<f32>")]
pub struct Rule {
    thresholds: Vec<f32>,
}

impl Rule {
    /// A rule with these thresholds.
    ///
    /// # Errors
    /// If there are none or more than [`MOST`], one is outside `0..=1`, or they do not ascend.
    pub fn new(thresholds: Vec<f32>) -> Result<Self, ConfigError> {
        let inside = thresholds.iter().all(|t| (0.0..=1.0).contains(t));
        let ascending = thresholds.is_sorted_by(|a, b| a < b);
        if !((1..=MOST).contains(&thresholds.len()) && inside && ascending) {
            let found: Vec<String> = thresholds.iter().map(f32::to_string).collect();
            let found = format!("[{}]", found.join(", "));
            let expected = "1 to 16 thresholds from 0 to 1, each above the one before";
            return Err(ConfigError::new("keep", found, expected));
        }
        Ok(Self { thresholds })
    }

    /// The rule that keeps every click, in one history.
    pub fn all() -> Self {
        Self {
            thresholds: vec![1.0],
        }
    }

    /// Thresholds in the middle of `n` equal parts. A click is kept in a share of the histories equal to one minus
    /// its noise probability, to within half a part.
    ///
    /// # Panics
    /// If `n` is 0 or more than [`MOST`].
    pub fn even(n: usize) -> Self {
        assert!((1..=MOST).contains(&n), "{n} thresholds");
        let middle = |part| (2 * part + 1) as f32 / (2 * n) as f32;
        Self {
            thresholds: (0..n).map(middle).collect(),
        }
    }

    /// The thresholds in ascending order.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// The kept histories of these clicks, oldest click first.
    ///
    /// `noise` holds noise probabilities; NaN counts as 0. `weights` holds the probability that a click counts
    /// apart from noise: the probability that it does not count is then `1 - weight * (1 - noise)`. A click of
    /// weight 0 is in no history. A history that would be empty gets the latest click whose weight is not 0.
    ///
    /// # Panics
    /// If there are weights, but not one for each click.
    pub fn histories(&self, noise: &[f32], weights: Option<&[f32]>) -> KeptHistories {
        let weights = weights.map_or_else(|| vec![1.0; noise.len()], <[f32]>::to_vec);
        assert_eq!(weights.len(), noise.len(), "a weight for each click");
        let against = |at: usize| noise[at] + (1.0 - weights[at]) * (1.0 - noise[at]);
        let may: Vec<(usize, f32)> = (0..noise.len())
            .filter(|&at| weights[at] > 0.0)
            .map(|at| (at, against(at)))
            .collect();
        let Some(&(latest, _)) = may.last() else {
            return KeptHistories::default();
        };
        KeptHistories::of(self.thresholds.iter().map(|&threshold| {
            let kept =
                (may.iter()).filter(|(_, against)| against.is_nan() || *against <= threshold);
            let kept: Vec<usize> = kept.map(|&(at, _)| at).collect();
            if kept.is_empty() { vec![latest] } else { kept }
        }))
    }
}

impl TryFrom<Vec<f32>> for Rule {
    type Error = ConfigError;

    fn try_from(thresholds: Vec<f32>) -> Result<Self, ConfigError> {
        Self::new(thresholds)
    }
}

impl From<Rule> for Vec<f32> {
    fn from(rule: Rule) -> Self {
        rule.thresholds
    }
}

/// One kept history.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Indices of its clicks in the whole history, ascending.
    pub clicks: Vec<usize>,
    /// Its weight; the weights of all kept histories add up to 1.
    pub weight: f32,
}

/// The distinct kept histories; empty if no click may be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptHistories {
    /// In the order of the thresholds.
    pub sets: Vec<Kept>,
}

impl KeptHistories {
    /// From histories of equal weight, given as indices of clicks; the weights of equal ones are added.
    pub fn of(histories: impl ExactSizeIterator<Item = Vec<usize>>) -> Self {
        let share = 1.0 / histories.len() as f32;
        let mut sets: Vec<(Vec<usize>, usize)> = Vec::new();
        for clicks in histories {
            match sets.iter_mut().find(|(other, _)| *other == clicks) {
                Some((_, times)) => *times += 1,
                None => sets.push((clicks, 1)),
            }
        }
        let sets = sets.into_iter().map(|(clicks, times)| Kept {
            clicks,
            weight: times as f32 * share,
        });
        Self {
            sets: sets.collect(),
        }
    }

    /// The same histories with `before` added to every index: for the latest clicks of a longer history.
    #[must_use]
    pub fn after(mut self, before: usize) -> Self {
        for at in self.sets.iter_mut().flat_map(|set| &mut set.clicks) {
            *at += before;
        }
        self
    }

    /// The share of the histories that contain each of `len` clicks, `0..=1`.
    ///
    /// # Panics
    /// If a history has an index of `len` or more.
    pub fn shares(&self, len: usize) -> Vec<f32> {
        let mut shares = vec![0.0; len];
        for Kept { clicks, weight } in &self.sets {
            for &at in clicks {
                shares[at] += weight;
            }
        }
        // Weights such as thirds may add up to slightly more than 1.
        for share in &mut shares {
            *share = share.min(1.0);
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sets(rule: &Rule, noise: &[f32], weights: Option<&[f32]>) -> Vec<(Vec<usize>, f32)> {
        let kept = rule.histories(noise, weights);
        (kept.sets.into_iter())
            .map(|set| (set.clicks, set.weight))
            .collect()
    }

    #[test]
    fn each_threshold_leaves_out_the_clicks_above_it() {
        let found = sets(&Rule::even(4), &[0.5, 0.0, 0.9, 0.2], None);
        let due = [(vec![1], 0.25), (vec![1, 3], 0.25), (vec![0, 1, 3], 0.5)];
        assert_eq!(found, due);
    }

    #[test]
    fn a_probability_at_the_threshold_is_not_above_it() {
        assert_eq!(
            sets(&Rule::even(1), &[0.5, 0.500_001], None),
            [(vec![0], 1.0)]
        );
    }

    #[test]
    fn every_click_stands_in_the_one_history_of_all_even_if_it_is_noise_for_certain() {
        let found = sets(&Rule::all(), &[1.0, 0.3, 0.0], None);
        assert_eq!(found, [(vec![0, 1, 2], 1.0)]);
    }

    #[test]
    fn certain_noise_stands_nowhere_and_certain_clicks_everywhere() {
        let kept = Rule::even(8).histories(&[1.0, 0.0, 1.0], None);
        assert_eq!(kept.sets.len(), 1);
        assert_eq!(kept.shares(3), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn where_all_is_noise_the_latest_click_is_left() {
        assert_eq!(
            sets(&Rule::even(4), &[0.99, 1.0, 1.0], None),
            [(vec![2], 1.0)]
        );
        // A click of weight 0 is not kept.
        let found = sets(&Rule::even(4), &[1.0, 1.0, 1.0], Some(&[1.0, 0.5, 0.0]));
        assert_eq!(found, [(vec![1], 1.0)]);
    }

    #[test]
    fn where_all_are_equally_likely_noise_the_whole_history_or_its_latest_click_stands() {
        let found = sets(&Rule::even(4), &[0.5; 3], None);
        assert_eq!(found, [(vec![2], 0.5), (vec![0, 1, 2], 0.5)]);
    }

    #[test]
    fn one_click_is_one_history_whatever_is_thought_of_it() {
        for noise in [0.0, 0.4, 1.0, f32::NAN] {
            assert_eq!(sets(&Rule::even(8), &[noise], None), [(vec![0], 1.0)]);
        }
    }

    #[test]
    fn no_click_and_no_weight_leave_no_history() {
        assert_eq!(sets(&Rule::even(4), &[], None), []);
        assert_eq!(sets(&Rule::all(), &[0.1, 0.2], Some(&[0.0; 2])), []);
    }

    #[test]
    fn a_weight_is_a_probability_that_the_click_counts() {
        let kept = Rule::even(8).histories(&[0.0, 0.5, 0.0], Some(&[0.5, 0.5, 1.0]));
        assert_eq!(kept.shares(3), [0.5, 0.25, 1.0]);
    }

    #[test]
    fn what_is_not_a_number_says_nothing_against_a_click() {
        assert_eq!(
            sets(&Rule::even(2), &[f32::NAN, 1.0, 0.0], None),
            [(vec![0, 2], 1.0)]
        );
    }

    #[test]
    fn equal_histories_weigh_together() {
        let kept = KeptHistories::of([vec![0, 2], vec![1], vec![0, 2]].into_iter());
        assert_eq!(kept.sets.len(), 2);
        assert_eq!(kept.sets[0].clicks, [0, 2]);
        assert!((kept.sets[0].weight - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(
            KeptHistories::of(std::iter::empty()),
            KeptHistories::default()
        );
    }

    #[test]
    fn thresholds_that_make_no_rule_are_refused() {
        for bad in [
            vec![],
            vec![0.5; 2],
            vec![0.6, 0.2],
            vec![-0.1],
            vec![1.1],
            vec![f32::NAN],
            vec![f32::NAN, 0.5],
            (0..=MOST).map(|at| at as f32 / 99.0).collect(),
        ] {
            let text = format!("{bad:?}");
            assert!(Rule::new(bad).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Rule>("[0.5, 0.25]").is_err());
    }

    #[test]
    fn a_rule_is_written_as_its_thresholds() {
        let text = serde_json::to_string(&Rule::even(4)).expect("JSON");
        assert_eq!(text, "[0.125,0.375,0.625,0.875]");
        assert_eq!(
            serde_json::from_str::<Rule>(&text).expect("reads"),
            Rule::even(4)
        );
    }

    fn clicks() -> impl Strategy<Value = Vec<(f32, f32)>> {
        let noise = prop_oneof![Just(0.0f32), Just(1.0), 0f32..=1.0];
        let weight = prop_oneof![Just(0.0f32), Just(1.0), 0f32..=1.0];
        prop::collection::vec((noise, weight), 0..40)
    }

    proptest! {
        #[test]
        fn histories_are_distinct_ordered_and_never_empty_and_weigh_one_together(
            clicks in clicks(),
            n in 1usize..=MOST,
        ) {
            let (noise, weights): (Vec<f32>, Vec<f32>) = clicks.into_iter().unzip();
            let kept = Rule::even(n).histories(&noise, Some(&weights));
            prop_assert!(kept.sets.len() <= n);
            prop_assert_eq!(kept.sets.is_empty(), weights.iter().all(|&w| w == 0.0));
            for (at, set) in kept.sets.iter().enumerate() {
                prop_assert!(!set.clicks.is_empty());
                prop_assert!(set.clicks.is_sorted_by(|a, b| a < b));
                prop_assert!(set.clicks.iter().all(|&at| weights[at] > 0.0));
                prop_assert!(kept.sets[..at].iter().all(|other| other.clicks != set.clicks));
            }
            let sum: f32 = kept.sets.iter().map(|set| set.weight).sum();
            prop_assert!(kept.sets.is_empty() || (sum - 1.0).abs() < 1e-5);
        }

        #[test]
        fn a_click_stands_in_as_many_histories_as_it_is_likely_to_count(
            clicks in clicks(),
            n in 1usize..=MOST,
        ) {
            // If a history would be empty, it is given the latest click.
            let (mut noise, mut weights): (Vec<f32>, Vec<f32>) = clicks.into_iter().unzip();
            noise.push(0.0);
            weights.push(1.0);
            let shares = Rule::even(n).histories(&noise, Some(&weights)).shares(noise.len());
            for ((share, noise), weight) in shares.iter().zip(&noise).zip(&weights) {
                let due = weight * (1.0 - noise);
                prop_assert!((share - due).abs() <= 0.5 / n as f32 + 1e-5, "{share} {due}");
            }
        }

        #[test]
        fn more_noise_never_makes_a_click_stand_more_often(
            clicks in clicks(),
            more in 0f32..=1.0,
        ) {
            let mut noise: Vec<f32> = clicks.into_iter().map(|(noise, _)| noise).collect();
            noise.extend([0.3, 0.0]);
            let at = noise.len() - 2;
            let before = Rule::even(8).histories(&noise, None).shares(noise.len())[at];
            noise[at] = 0.3 + 0.7 * more;
            let after = Rule::even(8).histories(&noise, None).shares(noise.len())[at];
            prop_assert!(after <= before);
        }
    }
}
