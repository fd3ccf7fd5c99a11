//! Evaluation by the protocol of `ingle evaluate`: the same cases, the same items masked, the same figures.

use crate::order::{best_by, better};
use crate::{Baseline, Similarity};
use ingle_data::{Case, Dataset, Split};
use ingle_metrics::beyond::{Beyond, Catalogue};
use ingle_metrics::paired::Difference;
use ingle_metrics::ranking::{FIGURES, Figures, NDCG10, Rank};
use rayon::prelude::*;

/// Length of the lists of which coverage, diversity and the like are computed.
pub const LIST: usize = 10;

/// Figures of a recommender on a split.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Rank of each case's target, in the order of [`Dataset::all_cases`].
    pub ranks: Vec<Rank>,
    /// User of each case.
    pub whose: Vec<usize>,
    /// Number of users.
    pub users: usize,
    /// Means without the items clicked before, in the order of [`names`](ingle_metrics::ranking::names).
    pub masked: [f64; FIGURES],
    /// Means over all items.
    pub unmasked: [f64; FIGURES],
    /// What the lists of [`LIST`] items are worth beyond accuracy, without the items clicked before.
    pub beyond: Beyond,
}

impl Evaluation {
    /// Masked NDCG@10 of every case.
    pub fn gains(&self) -> Vec<f64> {
        let ranks = self.ranks.iter();
        ranks
            .map(|rank| Figures::of_rank(rank.masked)[NDCG10])
            .collect()
    }

    /// Masked NDCG@10 and its standard error, clustered by user.
    pub fn ndcg(&self) -> Difference {
        Difference::paired(&self.gains(), &vec![0.0; self.ranks.len()], &self.whose)
    }
}

/// Evaluates a recommender on a split; `latest` is the most targets of an unseen user.
pub fn evaluate(baseline: &Baseline, data: &Dataset, split: Split, latest: usize) -> Evaluation {
    let cases = data.all_cases(split, latest);
    let answers: Vec<(Rank, Vec<u32>)> = cases
        .par_iter()
        .map(|case| {
            let scores = baseline.scores(case.history);
            let (places, clicked) = (baseline.places(), case.real());
            let rank = rank_of(&scores, places, case.target, &clicked);
            (rank, best_by(&scores, places, &clicked, LIST))
        })
        .collect();
    let (ranks, lists): (Vec<Rank>, Vec<Vec<u32>>) = answers.into_iter().unzip();
    let whose: Vec<usize> = cases.iter().map(|case| case.user).collect();
    let mut users = whose.clone();
    users.sort_unstable();
    users.dedup();
    Evaluation {
        whose,
        users: users.len(),
        masked: Figures::of(&ranks.iter().map(|rank| rank.masked)).values(),
        unmasked: Figures::of(&ranks.iter().map(|rank| rank.unmasked)).values(),
        ranks,
        beyond: beyond(data, &lists),
    }
}

/// What lists of recommendations are worth beyond accuracy; two items are as similar as the cosine of their users says.
pub fn beyond(data: &Dataset, lists: &[Vec<u32>]) -> Beyond {
    let similarity = Similarity::of(data).ok();
    Beyond::of(lists, &Catalogue::of(&data.train_counts()), |a, b| {
        similarity
            .as_ref()
            .map_or(0.0, |similarity| similarity.cosine(a, b))
    })
}

/// NDCG@10 of some cases, without the items clicked before.
pub(crate) fn ndcg(baseline: &Baseline, cases: &[Case<'_>]) -> f64 {
    let rank = |case: &Case<'_>| {
        let scores = baseline.scores(case.history);
        rank_of(&scores, baseline.places(), case.target, &case.real()).masked
    };
    let ranks: Vec<usize> = cases.par_iter().map(rank).collect();
    Figures::of(&ranks.iter().copied()).ndcg10()
}

/// The rank of a target as [`rank`](ingle_metrics::ranking::rank) has it of scores that [`Baseline::rank`] made
/// different, without sorting them.
fn rank_of(scores: &[f32], places: &[u32], target: u32, clicked: &[u32]) -> Rank {
    let first = |item: &u32| better(scores, places, *item, target).is_lt();
    let mut hidden: Vec<u32> = clicked.to_vec();
    hidden.sort_unstable();
    hidden.dedup();
    let hidden = hidden.into_iter().filter(first).count();
    let unmasked = 1 + (1..scores.len() as u32).filter(first).count();
    Rank {
        masked: unmasked - hidden,
        unmasked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{best, untie};
    use ingle_metrics::ranking::rank;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranks_and_lists_by_place_are_those_of_scores_that_differ(
            values in prop::collection::vec(prop_oneof![Just(f32::NAN), (-2_i8..3).prop_map(f32::from)], 1..30),
            target in any::<prop::sample::Index>(), clicked in prop::collection::vec(1_u32..30, 0..6),
            seed in any::<u64>(),
        ) {
            let items = values.len();
            let target = 1 + target.index(items) as u32;
            let clicked: Vec<u32> = clicked.into_iter().filter(|&item| item as usize <= items).collect();
            let order = ingle_model::Rng::new(seed, &[]).permutation(items);
            let places: Vec<u32> = [u32::MAX].into_iter().chain(order.iter().map(|&at| at as u32)).collect();
            let mut scores = [0.0].into_iter().chain(values).collect::<Vec<f32>>();
            let found = rank_of(&scores, &places, target, &clicked);
            let listed = best_by(&scores, &places, &clicked, 7);
            untie(&mut scores, &places);
            prop_assert_eq!(found, rank(&scores, target, &clicked));
            prop_assert_eq!(listed, best(&scores, &clicked, 7));
        }
    }
}
