//! Clean clicks dropped with the noise, by their items' popularity.

use crate::report::fifths::Fifths;
use crate::training::judge::LabelledHistory;
use crate::training::samples::latest;
use serde::{Deserialize, Serialize};

/// A click with a weight below this counts as dropped.
const KEPT: f32 = 0.5;

/// Shares of dropped clicks, `0.0..=1.0`. The clean clicks are divided into fifths by the training clicks of their
/// items, least popular first; `None` for an empty fifth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drops {
    /// The smallest number of training clicks of an item in each fifth.
    pub from: [Option<u32>; 5],
    /// Share of the replaced clicks that are in less than half of the kept histories.
    pub found: f64,
    /// The same share of the clean clicks, by fifth.
    pub kept: [Option<f64>; 5],
    /// Share of the clean clicks with at least the median noise probability of the replaced ones, by fifth.
    pub half: [Option<f64>; 5],
}

impl Drops {
    /// From the judged clicks' noise probabilities, labels, training clicks of their items, and shares of the kept
    /// histories that contain them.
    pub fn of(p: &[f32], noisy: &[bool], clicked: &[u32], kept: &[f32]) -> Self {
        let dropped: Vec<bool> = kept.iter().map(|&keep| keep < KEPT).collect();
        let of_label = |label: bool| (0..p.len()).filter(move |&at| noisy[at] == label);
        let mut suspected: Vec<f32> = of_label(true).map(|at| p[at]).collect();
        suspected.sort_by(|a, b| b.total_cmp(a));
        let half = suspected.len().div_ceil(2).checked_sub(1);
        let threshold = half.map_or(f32::INFINITY, |at| suspected[at]);
        let fifths = Fifths::of(of_label(false).map(|at| clicked[at]));
        let fifths: Vec<usize> = clicked.iter().map(|&count| fifths.number(count)).collect();
        let fifths = &fifths;
        let members = |fifth| of_label(false).filter(move |&at| fifths[at] == fifth);
        Self {
            from: std::array::from_fn(|fifth| members(fifth).map(|at| clicked[at]).min()),
            found: share(of_label(true).map(|at| dropped[at])).unwrap_or(0.0),
            kept: std::array::from_fn(|fifth| share(members(fifth).map(|at| dropped[at]))),
            half: std::array::from_fn(|fifth| share(members(fifth).map(|at| p[at] >= threshold))),
        }
    }
}

/// Items of the judged clicks, in the same order: the latest `last` within the model's window.
pub(super) fn judged(histories: &[LabelledHistory], max_len: usize, last: usize) -> Vec<u32> {
    let items = histories.iter();
    items
        .flat_map(|(items, _)| latest(items, last.min(max_len)))
        .copied()
        .collect()
}

fn share(dropped: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut all, mut count) = (0usize, 0usize);
    for dropped in dropped {
        all += 1;
        count += usize::from(dropped);
    }
    (all > 0).then(|| count as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_clicks_that_go_with_half_of_the_noise_are_counted_by_popularity() {
        // Ten clean clicks, of which the least popular one looks like noise, and two replaced ones.
        let mut p = vec![0.1; 10];
        p[0] = 0.8;
        p.extend([0.75, 0.2]);
        let noisy: Vec<bool> = (0..12).map(|at| at >= 10).collect();
        let clicked: Vec<u32> = (1..=12).collect();
        let kept: Vec<f32> = p
            .iter()
            .map(|&p| if p > 0.7 { 0.25 } else { 0.5 })
            .collect();
        let drops = Drops::of(&p, &noisy, &clicked, &kept);
        assert_eq!(drops.found, 0.5);
        assert_eq!(drops.kept, [0.5, 0.0, 0.0, 0.0, 0.0].map(Some));
        assert_eq!(drops.half, drops.kept);
        assert_eq!(drops.from, [1, 3, 5, 7, 9].map(Some));
    }

    #[test]
    fn a_fifth_without_clicks_has_no_share() {
        let drops = Drops::of(&[0.9, 0.1], &[true, false], &[3, 3], &[0.0, 1.0]);
        assert_eq!(drops.half.iter().flatten().count(), 1);
    }

    #[test]
    fn judged_are_the_latest_clicks_that_the_model_sees() {
        let histories = [(vec![1, 2, 3], vec![0; 3]), (vec![4], vec![0])];
        assert_eq!(judged(&histories, 2, 20), [2, 3, 4]);
        assert_eq!(judged(&histories, 20, 1), [3, 4]);
    }
}
