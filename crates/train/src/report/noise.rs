//! Noise detection of a run, and its effect on the ranking.

use super::bootstrap::Estimate;
use crate::data::{Case, Dataset};
use crate::metrics::detection::{Bin, Detection, detection, reliability};
use crate::training::Run;
use crate::training::config::Denoising;
use crate::training::judge::{self, LabelledHistory, Verdicts};
use crate::training::samples::{Corruption, latest};
use anyhow::Result;
use burn::prelude::*;
use ingle_model::Model;
use ingle_model::methods::Views;
use serde::Serialize;

/// Stream of a report's draws, different from those of training with the same seed: training numbers epochs from 0,
/// and validation uses the largest number.
const STREAM: u64 = u64::MAX - 1;

/// Equal-width bins of the histogram of noise probabilities.
pub const HISTOGRAM: usize = 10;

/// Noise detection of a run on histories with labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Whether the labels came with the dataset; else they were drawn for this report.
    pub labels_of_dataset: bool,
    /// AUC, AP and ECE.
    pub detection: Detection,
    /// The same for each view, for a method with two.
    pub views: Option<Views<Detection>>,
    /// Predicted probability against observed share.
    pub reliability: Vec<Bin>,
    /// Share of the replaced clicks in each tenth of the noise probability.
    pub replaced: [f64; HISTOGRAM],
    /// The same for the other clicks.
    pub untouched: [f64; HISTOGRAM],
    /// NDCG@10 with the kept histories minus NDCG@10 with every click.
    pub gain: Estimate,
}

/// Noise detection on the histories of some cases; `None` for a method without a scorer, or if noise and clean clicks
/// do not both occur. Histories without labels are corrupted as in the run's training.
pub fn noise(
    run: &Run,
    data: &Dataset,
    model: &Model,
    cases: &[Case<'_>],
    gain: Estimate,
) -> Result<Option<Noise>> {
    let labels_of_dataset = data.has_labels();
    let draw = (run.config.seed, STREAM);
    let histories = labelled(&run.config.denoising, draw, data, model, cases)?;
    let last = run.config.denoising.last;
    let verdicts = judge::judge(model, &histories, last, &run.features()?, &Device::flex());
    let Some(verdicts) = verdicts else {
        return Ok(None);
    };
    let views = verdicts.by_view(run.about.views.unwrap_or_default());
    let Verdicts { logits, noisy, .. } = verdicts;
    let probabilities = judge::probabilities(&logits, run.about.scale);
    Ok(detection(&probabilities, &noisy).map(|detection| Noise {
        labels_of_dataset,
        detection,
        views,
        reliability: reliability(&probabilities, &noisy).to_vec(),
        replaced: histogram(&probabilities, &noisy, true),
        untouched: histogram(&probabilities, &noisy, false),
        gain,
    }))
}

/// The histories with labels: the dataset's own, or of a corruption with this seed and stream.
///
/// # Errors
/// If clicks of this dataset cannot be replaced with these settings.
pub fn labelled(
    settings: &Denoising,
    (seed, stream): (u64, u64),
    data: &Dataset,
    model: &Model,
    cases: &[Case<'_>],
) -> Result<Vec<LabelledHistory>> {
    let corruption = Corruption::new(settings, data)?.at_rate(settings.rate);
    let max_len = model.backbone.max_len();
    let history = |case: &Case<'_>| match case.noise {
        Some(noise) => (case.history.to_vec(), noise.to_vec()),
        None => corruption.apply(latest(case.history, max_len), case.user, seed, stream),
    };
    Ok(cases.iter().map(history).collect())
}

/// Shares of the clicks with that label in each bin of the noise probability.
fn histogram(probabilities: &[f32], noisy: &[bool], label: bool) -> [f64; HISTOGRAM] {
    let mut counts = [0usize; HISTOGRAM];
    for (&p, _) in probabilities
        .iter()
        .zip(noisy)
        .filter(|(_, n)| **n == label)
    {
        counts[((p * HISTOGRAM as f32) as usize).min(HISTOGRAM - 1)] += 1;
    }
    let all = counts.iter().sum::<usize>().max(1) as f64;
    counts.map(|count| count as f64 / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_histogram_sum_to_one_for_each_label() {
        let p = [0.0, 0.05, 0.95, 1.0];
        let noisy = [false, false, true, true];
        assert_eq!(histogram(&p, &noisy, true)[9], 1.0);
        assert_eq!(histogram(&p, &noisy, false)[0], 1.0);
        assert_eq!(histogram(&p, &[false; 4], true), [0.0; HISTOGRAM]);
    }
}
