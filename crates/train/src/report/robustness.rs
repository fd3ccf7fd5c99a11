//! What corruption costs a run, and what its gate wins back of that.

use crate::data::Case;
use crate::training::Run;
use crate::training::judge::{self, LabelledHistory};
use crate::training::samples::{Corruption, latest, real_clicks};
use anyhow::Result;
use burn::prelude::*;
use ingle_model::gate::GateConfig;
use ingle_model::{Known, Model};
use serde::Serialize;

/// Shares of the clicks that are replaced.
pub const RATES: [f64; 5] = [0.0, 0.1, 0.2, 0.3, 0.5];
/// Names the draws; the first of them, so that streams of other rates are its neighbours.
const STREAM: u64 = u64::MAX - 100;

/// NDCG@10, masked, after histories of which a share was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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

/// The figures at every rate, over clean cases; `moved` hears how many cases are done.
///
/// # Errors
/// If clicks of this dataset cannot be replaced.
pub fn robustness(
    (run, model, known): (&Run, &Model, &Known),
    data: &crate::data::Dataset,
    cases: &[Case<'_>],
    mut moved: impl FnMut(usize),
) -> Result<Vec<Robustness>> {
    let (settings, gate) = (&run.config.denoising, run.model_config().gate);
    let corruption = Corruption::new(settings, data)?;
    let max_len = model.backbone.max_len();
    let mut curve = Vec::new();
    for (at, rate) in (0..).zip(RATES) {
        let corruption = corruption.at_rate(rate);
        let corrupt = |case: &Case<'_>| {
            let clicks = latest(case.history, max_len);
            corruption.apply(clicks, case.user, run.config.seed, STREAM + at)
        };
        let histories: Vec<LabelledHistory> = cases.iter().map(corrupt).collect();
        let real: Vec<Vec<u32>> = (histories.iter())
            .map(|(clicks, noise)| real_clicks(clicks, noise))
            .collect();
        let mut ndcg10 = |histories: Vec<&[u32]>, gate: Option<&GateConfig>| {
            let cases = cases.iter().zip(histories);
            let cases: Vec<Case<'_>> = cases
                .map(|(case, history)| Case {
                    history,
                    noise: None,
                    ..*case
                })
                .collect();
            let device = Device::flex();
            let answers = judge::answer(model, gate, &cases, known, &device, &mut moved);
            judge::masked(&answers).ndcg10()
        };
        let seen = || histories.iter().map(|(clicks, _)| &clicks[..]).collect();
        curve.push(Robustness {
            rate,
            gated: ndcg10(seen(), Some(&gate)),
            open: ndcg10(seen(), None),
            oracle: ndcg10(real.iter().map(Vec::as_slice).collect(), None),
        });
    }
    Ok(curve)
}
