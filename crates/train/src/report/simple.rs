//! Simple recommenders on the same cases as the runs.

use super::bootstrap::Bootstrap;
use super::figures::Estimates;
use super::resampled;
use crate::data::{Dataset, InputError, Split};
use crate::metrics::beyond::Beyond;
use crate::training::judge::Answer;
use anyhow::Result;
use indicatif::ProgressBar;
use ingle_baselines::{Baseline, Evaluation, Method, Settings, evaluate, tune};
use serde::Serialize;

/// Which simple recommenders stand beside the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    /// All, with their settings chosen on validation: as fair as it gets
    #[default]
    Tuned,
    /// All, with default settings, which takes seconds
    Default,
    /// None
    None,
}

/// A simple recommender's figures.
#[derive(Clone, Debug, Serialize)]
pub struct SimpleFigures {
    /// The recommender and its settings.
    #[serde(flatten)]
    pub settings: Settings,
    /// Figures without the items of the history.
    pub masked: Estimates,
    /// The best run's masked figures less its own, on the same users.
    pub best_run_less: Estimates,
    /// What its lists are worth beyond accuracy.
    pub beyond: Beyond,
}

/// Fits the recommenders and evaluates them on the cases of the report; `best` are the answers of the run with the
/// highest NDCG@10. `bar` advances by one per user and recommender.
///
/// # Errors
/// An input error if nothing can be learnt from the dataset.
pub(super) fn simple(
    data: &Dataset,
    split: Split,
    (wanted, seed): (Wanted, u64),
    best: &Bootstrap,
    bar: &ProgressBar,
) -> Result<Vec<SimpleFigures>> {
    if wanted == Wanted::None {
        return Ok(Vec::new());
    }
    let told = |error: ingle_baselines::Error| InputError::other(format!("--baselines: {error}"));
    let one = |method: Method| -> Result<SimpleFigures> {
        bar.set_message(method.name());
        let settings = match wanted {
            Wanted::Tuned => {
                tune(data, method, seed, &mut |_| ())
                    .map_err(told)?
                    .settings
            }
            Wanted::Default | Wanted::None => method.settings(),
        };
        let baseline = Baseline::fit(data, &settings, seed).map_err(told)?;
        let found = evaluate(&baseline, data, split, 1);
        bar.inc(found.ranks.len() as u64);
        let answers = answers(&found);
        let own = resampled(&answers, seed, |answer| answer.rank.masked);
        Ok(SimpleFigures {
            settings,
            masked: Estimates(own.estimates()),
            best_run_less: Estimates(best.minus(&own)),
            beyond: found.beyond,
        })
    };
    Method::ALL.into_iter().map(one).collect()
}

fn answers(found: &Evaluation) -> Vec<Answer> {
    let each = found.ranks.iter().zip(&found.whose);
    each.map(|(&rank, &user)| Answer { rank, user }).collect()
}
