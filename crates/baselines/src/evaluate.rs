//! Evaluation by the protocol of `ingle evaluate`: the same cases, the same items masked, the same figures.

use crate::order::best;
use crate::{Baseline, Likeness};
use ingle_data::{Case, Dataset, Split};
use ingle_metrics::beyond::{Beyond, Catalogue};
use ingle_metrics::ranking::{FIGURES, Figures, Rank, rank};
use rayon::prelude::*;

/// Length of the lists of which coverage, diversity and the like are computed.
pub const LIST: usize = 10;

/// Figures of a recommender on a split.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Rank of each case's target, in the order of [`Dataset::all_cases`].
    pub ranks: Vec<Rank>,
    /// Number of users.
    pub users: usize,
    /// Means without the items clicked before, in the order of [`names`](ingle_metrics::ranking::names).
    pub masked: [f64; FIGURES],
    /// Means over all items.
    pub unmasked: [f64; FIGURES],
    /// What the lists of [`LIST`] items are worth beyond accuracy, without the items clicked before.
    pub beyond: Beyond,
}

/// Evaluates a recommender on a split; `latest` is the most targets of an unseen user.
pub fn evaluate(baseline: &Baseline, data: &Dataset, split: Split, latest: usize) -> Evaluation {
    let cases = data.all_cases(split, latest);
    let answers: Vec<(Rank, Vec<u32>)> = cases
        .par_iter()
        .map(|case| {
            let scores = baseline.rank(case.history);
            let clicked = case.real();
            (
                rank(&scores, case.target, &clicked),
                best(&scores, &clicked, LIST),
            )
        })
        .collect();
    let (ranks, lists): (Vec<Rank>, Vec<Vec<u32>>) = answers.into_iter().unzip();
    let counts = data.train_counts();
    let catalogue = Catalogue::of(&counts);
    let likeness = Likeness::of(data).ok();
    let beyond = Beyond::of(&lists, &catalogue, |a, b| {
        likeness
            .as_ref()
            .map_or(0.0, |likeness| likeness.cosine(a, b))
    });
    let mut users: Vec<usize> = cases.iter().map(|case| case.user).collect();
    users.sort_unstable();
    users.dedup();
    Evaluation {
        users: users.len(),
        masked: Figures::of(&ranks.iter().map(|rank| rank.masked)).values(),
        unmasked: Figures::of(&ranks.iter().map(|rank| rank.unmasked)).values(),
        ranks,
        beyond,
    }
}

/// NDCG@10 of some cases, without the items clicked before.
pub(crate) fn ndcg(baseline: &Baseline, cases: &[Case<'_>]) -> f64 {
    let ranks: Vec<usize> = cases
        .par_iter()
        .map(|case| rank(&baseline.rank(case.history), case.target, &case.real()).masked)
        .collect();
    Figures::of(&ranks.iter().copied()).ndcg10()
}
