//! Settings chosen on the validation split.

use crate::evaluate::ndcg;
use crate::{Baseline, Error, Log, Method, Settings, recency};
use ingle_data::{Case, Dataset, Split};
use serde::Serialize;

/// Most cases that settings are compared on; of more, as many are taken at equal distances.
const CASES: usize = 25_000;

/// Settings that were tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The settings.
    pub settings: Settings,
    /// Validation NDCG@10, without the items clicked before.
    pub ndcg: f64,
}

/// The best settings, and all that were tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuned {
    /// The best by validation NDCG@10; of equal ones the first.
    pub settings: Settings,
    /// Its validation NDCG@10.
    pub ndcg: f64,
    /// All of them, in the order in which they were tried.
    pub trials: Vec<Trial>,
}

/// Tries a recommender's candidate settings and chooses the best on the validation split: first those that are learnt
/// with, and then the half-life of a history's clicks. The test split and unseen users have no part in it. `tried` is
/// called after each.
///
/// # Errors
/// If there are no training clicks or no validation targets.
pub fn tune(
    data: &Dataset,
    method: Method,
    seed: u64,
    tried: &mut dyn FnMut(&Trial),
) -> Result<Tuned, Error> {
    let log = Log::of(data)?;
    let cases = data.all_cases(Split::Valid, 1);
    let distance = cases.len().div_ceil(CASES).max(1);
    let cases: Vec<Case<'_>> = cases.into_iter().step_by(distance).collect();
    if cases.is_empty() {
        return Err(Error::NoValidation);
    }
    let mut trials: Vec<Trial> = Vec::new();
    let mut best: Option<(Baseline, f64)> = None;
    let mut judge = |baseline: Baseline| {
        let ndcg = ndcg(&baseline, &cases);
        let settings = baseline.settings().clone();
        let trial = Trial { settings, ndcg };
        tried(&trial);
        trials.push(trial);
        (baseline, ndcg)
    };
    for settings in method.candidates(&log) {
        let next = judge(Baseline::learn(&log, &settings, seed)?);
        if best.as_ref().is_none_or(|best| next.1 > best.1) {
            best = Some(next);
        }
    }
    let (mut baseline, mut ndcg) = best.ok_or(Error::NoValidation)?;
    let mut settings = baseline.settings().clone();
    // The first one is what the others were tried with.
    for &clicks in &recency::CANDIDATES[1..] {
        let Some(next) = baseline.reweighed(clicks) else {
            break;
        };
        let next = judge(next);
        if next.1 > ndcg {
            (settings, ndcg) = (next.0.settings().clone(), next.1);
        }
        baseline = next.0;
    }
    Ok(Tuned {
        settings,
        ndcg,
        trials,
    })
}
