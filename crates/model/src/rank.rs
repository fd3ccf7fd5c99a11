//! Top-k of many logits in one pass, together with their softmax, and the mean of several softmaxes.

use ingle_kernel::vector::{largest, sum_of_exponentials};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};
use std::ops::Range;

/// Logits that are skipped together if none of them can be among the best.
pub(crate) const PIECE: usize = 32;

/// Which rows to return.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Number of rows.
    pub k: usize,
    /// Rows that are excluded.
    pub barred: HashSet<usize>,
    /// By row: 0 if it is excluded; `None` to exclude none.
    pub allow: Option<&'a [u8]>,
    /// By row: added to its logit; `None` for nothing.
    pub boost: Option<&'a [f32]>,
}

impl Wanted<'_> {
    fn admits(&self, row: usize) -> bool {
        self.allow.is_none_or(|allow| allow[row] != 0) && !self.barred.contains(&row)
    }
}

/// A scored row. The order puts the worst first in a heap: lower score, then higher row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The row.
    pub row: usize,
    /// Logit plus boost.
    pub score: f32,
    /// Logit without boost.
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

/// The logits of consecutive rows from `first` on, and their maximum; NaN is ignored.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    first: usize,
    logits: &'a [f32],
    most: f32,
}

impl<'a> Block<'a> {
    /// A block, with its maximum computed.
    pub fn new(first: usize, logits: &'a [f32]) -> Self {
        let most = largest(logits);
        Self {
            first,
            logits,
            most,
        }
    }
}

/// Takes logits in blocks and keeps the best rows.
///
/// `O(n + m log k)` time for `n` logits of which `m` were among the best when they came, and `O(k)` memory.
#[derive(Debug)]
pub struct Best<'a> {
    wanted: Wanted<'a>,
    heap: BinaryHeap<Scored>,
}

impl<'a> Best<'a> {
    /// Starts without rows.
    pub fn new(wanted: Wanted<'a>) -> Self {
        Self {
            wanted,
            heap: BinaryHeap::new(),
        }
    }

    /// Adds a block of logits.
    ///
    /// # Panics
    /// If `allow` or `boost` has no entry for one of these rows.
    pub fn offer(&mut self, block: &Block<'_>) {
        let Block {
            first,
            logits,
            most,
        } = *block;
        if !self.may_take(first..first + logits.len(), most) {
            return;
        }
        for (piece, logits) in logits.chunks(PIECE).enumerate() {
            let first = first + piece * PIECE;
            if self.may_take(first..first + logits.len(), largest(logits)) {
                self.offer_each(first, logits);
            }
        }
    }

    /// Whether one of these rows could be among the best, if none of them has a logit above `most`.
    ///
    /// # Panics
    /// If `allow` or `boost` has no entry for one of these rows.
    pub(crate) fn may_take(&self, rows: Range<usize>, most: f32) -> bool {
        let Wanted {
            k, allow, boost, ..
        } = &self.wanted;
        let barred = allow.is_some_and(|allow| allow[rows.clone()].iter().all(|&one| one == 0));
        if *k == 0 || barred {
            return false;
        }
        let Some(worst) = self.worst().filter(|_| self.full()) else {
            return true;
        };
        let boosted = most + boost.map_or(0.0, |boost| largest(&boost[rows]));
        boosted.is_nan() || boosted >= worst
    }

    fn full(&self) -> bool {
        self.heap.len() == self.wanted.k
    }

    /// The lowest score among the best so far.
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

    /// The best rows, best first; rows with equal scores are sorted by row. Fewer than `k` if fewer are not excluded.
    pub fn into_sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec()
    }
}

/// The softmax's denominator over the logits so far: `sum` of `exp(logit - max)`.
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
    /// From a maximum and a sum of `exp(logit - max)` computed elsewhere.
    pub fn of(max: f32, sum: f32) -> Self {
        Self { max, sum }
    }

    /// Adds logits.
    pub fn add(&mut self, block: &Block<'_>) {
        let Block { logits, most, .. } = *block;
        let max = self.max.max(most);
        if max > f32::NEG_INFINITY {
            let before = self.sum * (self.max - max).exp();
            self.sum = before + sum_of_exponentials(logits, max);
            self.max = max;
        }
    }

    /// The probability of a logit, `0..=1`.
    pub fn probability(self, logit: f32) -> f32 {
        ((logit - self.max).exp() / self.sum).clamp(0.0, 1.0)
    }

    /// The logarithm of the sum of the exponentials of all logits.
    fn logarithm(self) -> f32 {
        self.max + self.sum.ln()
    }
}

/// The mean of several softmaxes over the same rows.
///
/// The mean probability of a row is expressed as a logit: the one that has this probability in the last softmax. The
/// mean of a single softmax is therefore that softmax.
#[derive(Clone, Debug)]
pub struct Mean {
    /// By softmax: added to a logit, gives the logarithm of its weighted part of the mean.
    offsets: Vec<f32>,
    /// Most that the mean can exceed the largest of its parts by.
    above: f32,
    last: Mass,
}

impl Mean {
    /// From softmaxes with weights that add up to 1.
    ///
    /// # Panics
    /// If there are none.
    pub fn of(softmaxes: &[(Mass, f32)]) -> Self {
        let (last, _) = *softmaxes.last().expect("a softmax");
        let offset =
            |(mass, weight): &(Mass, f32)| weight.ln() + (last.logarithm() - mass.logarithm());
        Self {
            offsets: softmaxes.iter().map(offset).collect(),
            above: (softmaxes.len() as f32).ln(),
            last,
        }
    }

    /// The logit of a row, given its logit in each softmax.
    pub fn logit(&self, logits: &[f32]) -> f32 {
        let parts = logits.iter().zip(&self.offsets).map(|(a, b)| a + b);
        let most = parts.clone().fold(f32::NEG_INFINITY, |most, part| {
            // NaN stays NaN.
            if part > most || part.is_nan() {
                part
            } else {
                most
            }
        });
        most + parts.map(|part| (part - most).exp()).sum::<f32>().ln()
    }

    /// An upper bound on the logit of every row whose logits are at most `most`, by softmax. It needs no
    /// exponentials: all parts of the mean are taken to be as large as the largest.
    pub(crate) fn ceiling(&self, most: &[f32]) -> f32 {
        let parts = most.iter().zip(&self.offsets).map(|(a, b)| a + b);
        let largest = parts.fold(f32::NEG_INFINITY, f32::max);
        // Logits have a relative rounding error of a few 1e-7.
        largest + self.above + 1e-5 * (1.0 + largest.abs())
    }

    /// The softmax in which the returned logits have the mean probabilities.
    pub fn mass(&self) -> Mass {
        self.last
    }
}

/// The weighted mean of the softmaxes of rows of logits, entry by entry.
///
/// # Panics
/// If a row is not as long as `out`.
pub fn mean_probabilities(softmaxes: &[(&[f32], f32)], out: &mut [f32]) {
    out.fill(0.0);
    for &(logits, weight) in softmaxes {
        assert_eq!(logits.len(), out.len(), "a logit for each entry");
        let mut mass = Mass::default();
        mass.add(&Block::new(0, logits));
        for (out, &logit) in out.iter_mut().zip(logits) {
            *out += weight * mass.probability(logit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Processes blocks of three; an engine uses larger ones.
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

    fn mass(logits: &[f32]) -> Mass {
        let mut mass = Mass::default();
        mass.add(&Block::new(0, logits));
        mass
    }

    #[test]
    fn the_mean_of_one_softmax_is_that_softmax() {
        let logits = [3.0, -2.0, 0.1];
        let mean = Mean::of(&[(mass(&logits), 1.0)]);
        for logit in logits {
            assert_eq!(mean.logit(&[logit]), logit);
        }
    }

    #[test]
    fn a_row_that_is_no_number_in_one_softmax_is_none_in_the_mean() {
        let mean = Mean::of(&[(mass(&[1.0, 2.0]), 0.5), (mass(&[2.0, 0.0]), 0.5)]);
        for row in [[f32::NAN, 1.0], [1.0, f32::NAN], [f32::NAN; 2]] {
            assert!(mean.logit(&row).is_nan());
        }
    }

    proptest! {
        #[test]
        fn the_mean_of_softmaxes_is_the_mean_of_their_probabilities(
            rows in prop::collection::vec((-30f32..30.0, -30f32..30.0, -30f32..30.0), 1..50),
            shares in (1u8..9, 1u8..9, 1u8..9),
        ) {
            let logits = [
                rows.iter().map(|r| r.0).collect::<Vec<f32>>(),
                rows.iter().map(|r| r.1).collect(),
                rows.iter().map(|r| r.2).collect(),
            ];
            let all = f32::from(shares.0) + f32::from(shares.1) + f32::from(shares.2);
            let weights = [shares.0, shares.1, shares.2].map(|share| f32::from(share) / all);
            let softmaxes = [0, 1, 2].map(|n| (mass(&logits[n]), weights[n]));
            let mean = Mean::of(&softmaxes);
            let mut direct = vec![9.0; rows.len()];
            mean_probabilities(&[0, 1, 2].map(|n| (&logits[n][..], weights[n])), &mut direct);
            let exact = |row: usize| -> f64 {
                (0..3).map(|n| {
                    let sum: f64 = logits[n].iter().map(|&x| f64::from(x).exp()).sum();
                    f64::from(weights[n]) * f64::from(logits[n][row]).exp() / sum
                }).sum()
            };
            let most = [0, 1, 2].map(|n| largest(&logits[n]));
            let ceiling = mean.ceiling(&most);
            for row in 0..rows.len() {
                let logit = mean.logit(&[0, 1, 2].map(|n| logits[n][row]));
                let (found, due) = (f64::from(mean.mass().probability(logit)), exact(row));
                prop_assert!((found - due).abs() < 1e-5, "{found} {due}");
                prop_assert!((f64::from(direct[row]) - due).abs() < 1e-5);
                prop_assert!(logit <= ceiling);
            }
        }

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
