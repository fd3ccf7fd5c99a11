//! The best few of many scores in one pass.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A scored row. Ordered so that the *worst* of a heap comes out first: lower score, then higher row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Row of the score.
    pub row: usize,
    /// The score.
    pub score: f32,
}

impl Eq for Scored {}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.score.total_cmp(&self.score)).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The `k` highest scores, best first, among the rows that `allowed` lets through; of equal
/// scores the lower row comes first. Scores that are not numbers are passed over. Fewer than `k`
/// come back only if fewer are left.
///
/// `O(n log k)` time, `O(k)` memory.
pub fn top_k(scores: &[f32], k: usize, allowed: impl Fn(usize) -> bool) -> Vec<Scored> {
    let mut best = BinaryHeap::with_capacity(k.min(scores.len()) + 1);
    for (row, &score) in scores.iter().enumerate() {
        let candidate = Scored { row, score };
        let full = best.len() == k;
        if full && best.peek().is_none_or(|worst| candidate >= *worst) {
            continue;
        }
        if score.is_nan() || !allowed(row) {
            continue;
        }
        if full {
            best.pop();
        }
        best.push(candidate);
    }
    best.into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(scored: &[Scored]) -> Vec<usize> {
        scored.iter().map(|s| s.row).collect()
    }

    #[test]
    fn ties_go_to_the_lower_row() {
        assert_eq!(
            rows(&top_k(&[1.0, 2.0, 2.0, 1.0, 2.0], 4, |_| true)),
            [1, 2, 4, 0]
        );
    }

    #[test]
    fn zero_wanted_and_nothing_allowed_are_empty() {
        assert!(top_k(&[1.0, 2.0], 0, |_| true).is_empty());
        assert!(top_k(&[1.0, 2.0], 2, |_| false).is_empty());
        assert!(top_k(&[], 2, |_| true).is_empty());
    }

    #[test]
    fn what_is_not_a_number_is_never_recommended() {
        assert_eq!(
            rows(&top_k(&[f32::NAN, 0.5, f32::NEG_INFINITY], 3, |_| true)),
            [1, 2]
        );
    }

    proptest! {
        #[test]
        fn equals_a_full_sort(
            scores in prop::collection::vec((-4i8..4).prop_map(f32::from), 0..200),
            k in 0usize..50,
            step in 1usize..4,
        ) {
            let mut expected: Vec<usize> = (0..scores.len()).filter(|r| r % step == 0).collect();
            expected.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
            expected.truncate(k);
            prop_assert_eq!(rows(&top_k(&scores, k, |row| row % step == 0)), expected);
        }
    }
}
