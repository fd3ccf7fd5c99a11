//! Cost of corruption for a run, and the share that denoising wins back.

use crate::data::{Case, Dataset};
use crate::evaluation::{Asked, Keep};
use crate::metrics::paired::Difference;
use crate::metrics::ranking::{Figures, NDCG10};
use crate::training::config::Denoising;
use crate::training::judge::{self, Answer, LabelledHistory};
use crate::training::samples::Corruption;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Shares of the clicks that are replaced.
pub const RATES: [f64; 5] = [0.0, 0.1, 0.2, 0.3, 0.5];
/// Stream of the draws at the first rate; those of the other rates follow.
const STREAM: u64 = u64::MAX - 100;

/// Masked NDCG@10 for histories of which a share was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// The share.
    pub rate: f64,
    /// With the run's kept histories.
    pub model: f64,
    /// With every click kept.
    pub all: f64,
    /// With the random control.
    pub random: f64,
    /// With the oracle.
    pub oracle: f64,
    /// Gain of the kept histories over keeping every click, paired by user.
    pub gain: Difference,
}

/// The figures at every rate, over clean cases of different users. `moved` is called with the number of cases done;
/// `seed` is that of the draws.
///
/// # Errors
/// If clicks of this dataset cannot be replaced.
pub fn robustness(
    asked: &Asked<'_>,
    (settings, seed): (&Denoising, u64),
    data: &Dataset,
    cases: &[Case<'_>],
    mut moved: impl FnMut(usize),
) -> Result<Vec<Robustness>> {
    let corruption = Corruption::new(settings, data)?;
    let mut curve = Vec::new();
    for (at, rate) in (0..).zip(RATES) {
        let corruption = corruption.at_rate(rate);
        let corrupt =
            |case: &Case<'_>| corruption.apply(case.history, case.user, seed, STREAM + at);
        let histories: Vec<LabelledHistory> = cases.iter().map(corrupt).collect();
        let corrupted: Vec<Case<'_>> = (cases.iter().zip(&histories))
            .map(|(case, (history, noise))| Case {
                noise: Some(noise),
                ..case.corrupted(history)
            })
            .collect();
        let ways = asked.ways(true);
        let answers = asked.answers(&corrupted, &ways, at, &mut moved);
        // A run without a scorer keeps every click.
        let of = |way: Keep| {
            let place = ways.iter().position(|&other| other == way);
            &answers[place.unwrap_or(0)]
        };
        let users: Vec<usize> = cases.iter().map(|case| case.user).collect();
        let ndcg10 = |way| judge::masked(of(way)).ndcg10();
        curve.push(Robustness {
            rate,
            model: ndcg10(Keep::Model),
            all: ndcg10(Keep::All),
            random: ndcg10(Keep::Random),
            oracle: ndcg10(Keep::Oracle),
            gain: Difference::paired(&each(of(Keep::Model)), &each(of(Keep::All)), &users),
        });
    }
    Ok(curve)
}

/// Masked NDCG@10 of each answer.
fn each(answers: &[Answer]) -> Vec<f64> {
    let answers = answers.iter();
    answers
        .map(|answer| Figures::of_rank(answer.rank.masked)[NDCG10])
        .collect()
}
