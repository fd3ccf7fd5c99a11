//! The best few of many logits in one pass, and the softmax of all of them on the way.

use ingle_kernel::vector::{largest, sum_of_exponentials};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

/// Logits that are passed over at once where none of them is among the best.
const PIECE: usize = 32;

/// How many of which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// How many.
    pub k: usize,
    /// Rows that are not.
    pub barred: HashSet<usize>,
    /// For each row, 0 where it is not; `None` for all.
    pub allow: Option<&'a [u8]>,
    /// For each row, what is added to its logit; `None` for nothing.
    pub boost: Option<&'a [f32]>,
}

impl Wanted<'_> {
    fn admits(&self, row: usize) -> bool {
        self.allow.is_none_or(|allow| allow[row] != 0) && !self.barred.contains(&row)
    }
}

/// A scored row. Ordered so that the *worst* of a heap comes out first: lower score, then higher row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The row.
    pub row: usize,
    /// Its logit and its boost.
    pub score: f32,
    /// Its logit alone.
    pub logit: f32,
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

/// Logits of the rows from `first` on, and the largest of them; what is not a number counts for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    first: usize,
    logits: &'a [f32],
    most: f32,
}

impl<'a> Block<'a> {
    /// Looks for the largest.
    pub fn new(first: usize, logits: &'a [f32]) -> Self {
        let most = largest(logits);
        Self {
            first,
            logits,
            most,
        }
    }
}

/// Takes logits in blocks and keeps the best rows of those that are wanted.
///
/// `O(n + m log k)` time for `n` logits of which `m` were among the best when they came, and `O(k)`
/// memory.
#[derive(Debug)]
pub struct Best<'a> {
    wanted: Wanted<'a>,
    heap: BinaryHeap<Scored>,
}

impl<'a> Best<'a> {
    /// Nothing seen yet.
    pub fn new(wanted: Wanted<'a>) -> Self {
        Self {
            wanted,
            heap: BinaryHeap::new(),
        }
    }

    /// Takes the logits of some rows.
    ///
    /// # Panics
    /// If `allow` or `boost` has no entry for one of these rows.
    pub fn offer(&mut self, block: &Block<'_>) {
        let Block {
            first,
            logits,
            most,
        } = *block;
        if self.wanted.k == 0 || self.beaten(most) {
            return;
        }
        for (piece, logits) in logits.chunks(PIECE).enumerate() {
            if !self.beaten(largest(logits)) {
                self.offer_each(first + piece * PIECE, logits);
            }
        }
    }

    /// Whether no row of a logit up to this can be among the best any more.
    fn beaten(&self, most: f32) -> bool {
        self.wanted.boost.is_none() && self.full() && self.worst().is_some_and(|worst| most < worst)
    }

    fn full(&self) -> bool {
        self.heap.len() == self.wanted.k
    }

    /// The score of the last of the best so far.
    fn worst(&self) -> Option<f32> {
        self.heap.peek().map(|worst| worst.score)
    }

    fn offer_each(&mut self, first: usize, logits: &[f32]) {
        let boost = (self.wanted.boost).map(|boost| &boost[first..first + logits.len()]);
        for (at, &logit) in logits.iter().enumerate() {
            let score = logit + boost.map_or(0.0, |boost| boost[at]);
            let candidate = Scored {
                row: first + at,
                score,
                logit,
            };
            let full = self.full();
            if full && self.heap.peek().is_some_and(|worst| candidate >= *worst) {
                continue;
            }
            if score.is_nan() || !self.wanted.admits(candidate.row) {
                continue;
            }
            if full {
                self.heap.pop();
            }
            self.heap.push(candidate);
        }
    }

    /// The best rows, best first; of equal scores the lower row comes first. Fewer than were wanted
    /// come only if fewer were left.
    pub fn into_sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec()
    }
}

/// The softmax's denominator over the logits seen so far: `sum` of `exp(logit - max)`.
#[derive(Clone, Copy, Debug)]
pub struct Mass {
    max: f32,
    sum: f32,
}

impl Default for Mass {
    fn default() -> Self {
        Self {
            max: f32::NEG_INFINITY,
            sum: 0.0,
        }
    }
}

impl Mass {
    /// Of logits that were added up elsewhere: their largest, and the sum of `exp(logit - max)`.
    pub fn of(max: f32, sum: f32) -> Self {
        Self { max, sum }
    }

    /// Takes more logits.
    pub fn add(&mut self, block: &Block<'_>) {
        let Block { logits, most, .. } = *block;
        let max = self.max.max(most);
        if max > f32::NEG_INFINITY {
            let before = self.sum * (self.max - max).exp();
            self.sum = before + sum_of_exponentials(logits, max);
            self.max = max;
        }
    }

    /// The probability of a row with this logit, `0..=1`.
    pub fn probability(self, logit: f32) -> f32 {
        ((logit - self.max).exp() / self.sum).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In blocks of three, as an engine does it in larger ones.
    fn best(logits: &[f32], wanted: Wanted<'_>) -> Vec<Scored> {
        let mut best = Best::new(wanted);
        for (block, logits) in logits.chunks(3).enumerate() {
            best.offer(&Block::new(block * 3, logits));
        }
        best.into_sorted()
    }

    fn rows(logits: &[f32], wanted: Wanted<'_>) -> Vec<usize> {
        best(logits, wanted).iter().map(|s| s.row).collect()
    }

    fn k(k: usize) -> Wanted<'static> {
        Wanted {
            k,
            ..Wanted::default()
        }
    }

    #[test]
    fn ties_go_to_the_lower_row() {
        assert_eq!(rows(&[1.0, 2.0, 2.0, 1.0, 2.0], k(4)), [1, 2, 4, 0]);
    }

    #[test]
    fn zero_wanted_and_nothing_allowed_are_empty() {
        let nothing = Wanted {
            allow: Some(&[0, 0]),
            ..k(2)
        };
        assert!(rows(&[1.0, 2.0], k(0)).is_empty());
        assert!(rows(&[1.0, 2.0], nothing).is_empty());
        assert!(rows(&[], k(2)).is_empty());
    }

    #[test]
    fn what_is_not_a_number_is_never_recommended() {
        let logits = [f32::NAN, 0.5, f32::NEG_INFINITY];
        assert_eq!(rows(&logits, k(3)), [1, 2]);
        let mut mass = Mass::default();
        mass.add(&Block::new(0, &logits));
        assert_eq!(
            (mass.probability(0.5), mass.probability(f32::NEG_INFINITY)),
            (1.0, 0.0)
        );
    }

    #[test]
    fn a_boost_moves_the_score_and_not_the_logit() {
        let wanted = Wanted {
            boost: Some(&[0.0, -2.0, 1.5]),
            ..k(2)
        };
        let found = best(&[1.0, 2.0, 0.0], wanted);
        let found: Vec<_> = found.iter().map(|s| (s.row, s.score, s.logit)).collect();
        assert_eq!(found, [(2, 1.5, 0.0), (0, 1.0, 1.0)]);
    }

    proptest! {
        #[test]
        fn equals_a_full_sort(
            logits in prop::collection::vec((-4i8..4).prop_map(f32::from), 0..200),
            boosts in prop::collection::vec((-4i8..4).prop_map(f32::from), 200),
            wanted in 0usize..50,
            step in 1usize..4,
            barred in prop::collection::hash_set(0usize..200, 0..9),
        ) {
            let boosted: Vec<f32> = logits.iter().zip(&boosts).map(|(a, b)| a + b).collect();
            let allow: Vec<u8> = (0..logits.len()).map(|r| u8::from(r % step == 0)).collect();
            let mut expected: Vec<usize> = (0..logits.len())
                .filter(|r| allow[*r] == 1 && !barred.contains(r))
                .collect();
            expected.sort_by(|a, b| boosted[*b].total_cmp(&boosted[*a]).then(a.cmp(b)));
            expected.truncate(wanted);
            let boost = Some(&boosts[..]);
            let wanted = Wanted { k: wanted, barred, allow: Some(&allow), boost };
            prop_assert_eq!(rows(&logits, wanted), expected);
        }

        #[test]
        fn probabilities_are_those_of_the_whole_softmax(
            logits in prop::collection::vec(-90f32..90.0, 1..50),
        ) {
            let mut mass = Mass::default();
            logits.chunks(7).for_each(|block| mass.add(&Block::new(0, block)));
            let max = logits.iter().copied().fold(f32::MIN, f32::max);
            let sum: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
            for &logit in &logits {
                let expected = f64::from(logit - max).exp() / sum;
                prop_assert!((f64::from(mass.probability(logit)) - expected).abs() < 1e-5);
            }
        }
    }
}
