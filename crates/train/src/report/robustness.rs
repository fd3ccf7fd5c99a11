//! What corruption costs a run, and what its gate wins back of that.

use crate::data::{Case, Dataset};
use crate::training::config::Denoising;
use crate::training::judge::{self, LabelledHistory};
use crate::training::samples::{Corruption, real_clicks};
use anyhow::Result;
use burn::prelude::*;
use ingle_model::gate::GateConfig;
use ingle_model::{Known, Model};
use serde::{Deserialize, Serialize};

/// Shares of the clicks that are replaced.
pub const RATES: [f64; 5] = [0.0, 0.1, 0.2, 0.3, 0.5];
/// Names the draws; the first of them, so that streams of other rates are its neighbours.
const STREAM: u64 = u64::MAX - 100;

/// NDCG@10, masked, after histories of which a share was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// The share.
    pub rate: f64,
    /// With the gate.
    pub gated: f64,
    /// With every click counted in full.
    pub open: f64,
    /// With exactly the replaced clicks left out: no gate can do better by leaving clicks out.
    pub oracle: f64,
}

/// A model, and how it is to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The model.
    pub model: &'a Model,
    /// What is known of each item.
    pub known: &'a Known,
    /// Its gate; none for a method that judges nothing, for which every click counts.
    pub gate: Option<&'a GateConfig>,
    /// How clicks are replaced.
    pub settings: &'a Denoising,
    /// Seed of what is drawn.
    pub seed: u64,
}

/// Passes over all cases that [`robustness`] makes.
pub fn passes(judges: bool) -> usize {
    let rates = RATES.len();
    (if judges { 3 * rates } else { 2 * rates }) - 1
}

/// The figures at every rate, over clean cases; `moved` hears how many cases are done.
///
/// # Errors
/// If clicks of this dataset cannot be replaced.
pub fn robustness(
    asked: Asked<'_>,
    data: &Dataset,
    cases: &[Case<'_>],
    mut moved: impl FnMut(usize),
) -> Result<Vec<Robustness>> {
    let corruption = Corruption::new(asked.settings, data)?;
    let mut curve = Vec::new();
    for (at, rate) in (0..).zip(RATES) {
        let corruption = corruption.at_rate(rate);
        let corrupt =
            |case: &Case<'_>| corruption.apply(case.history, case.user, asked.seed, STREAM + at);
        let histories: Vec<LabelledHistory> = cases.iter().map(corrupt).collect();
        let mut ndcg10 = |histories: &[&[u32]], gate| {
            let cases = with(cases, histories);
            let device = Device::flex();
            let answers =
                judge::answer(asked.model, gate, &cases, asked.known, &device, &mut moved);
            judge::masked(&answers).ndcg10()
        };
        let seen: Vec<&[u32]> = histories.iter().map(|(clicks, _)| &clicks[..]).collect();
        let open = ndcg10(&seen, None);
        let gated = asked.gate.map_or(open, |gate| ndcg10(&seen, Some(gate)));
        let oracle = if rate > 0.0 {
            let real = histories.iter();
            let real: Vec<Vec<u32>> = real
                .map(|(clicks, noise)| real_clicks(clicks, noise))
                .collect();
            ndcg10(&real.iter().map(Vec::as_slice).collect::<Vec<_>>(), None)
        } else {
            open
        };
        curve.push(Robustness {
            rate,
            gated,
            open,
            oracle,
        });
    }
    Ok(curve)
}

/// The cases with other histories.
fn with<'a>(cases: &[Case<'a>], histories: &[&'a [u32]]) -> Vec<Case<'a>> {
    let cases = cases.iter().zip(histories);
    cases
        .map(|(case, history)| Case {
            history,
            noise: None,
            ..*case
        })
        .collect()
}
