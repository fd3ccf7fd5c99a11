//! Settings chosen on the validation split.

use crate::evaluate::ndcg;
use crate::{Baseline, Error, Log, Method, Settings};
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

/// Tries a recommender's candidate settings and chooses the best on the validation split. The test split and unseen
/// users have no part in it. `tried` is called after each.
///
/// # Errors
/// If there are no training clicks or no validation targets, or the log is too large for the recommender.
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
    let mut fitted: Option<Baseline> = None;
    for settings in method.candidates(&log) {
        let again = fitted
            .take()
            .filter(|before| before.settings().learns_as(&settings));
        let baseline = match again {
            Some(mut baseline) => {
                baseline.reweigh(&settings)?;
                baseline
            }
            None => Baseline::learn(&log, &settings, seed)?,
        };
        let ndcg = ndcg(&baseline, &cases);
        fitted = Some(baseline);
        let trial = Trial { settings, ndcg };
        tried(&trial);
        trials.push(trial);
    }
    let better = |best: Trial, next: &Trial| {
        if next.ndcg > best.ndcg {
            next.clone()
        } else {
            best
        }
    };
    let first = trials[0].clone();
    let Trial { settings, ndcg } = trials.iter().skip(1).fold(first, better);
    Ok(Tuned {
        settings,
        ndcg,
        trials,
    })
}
