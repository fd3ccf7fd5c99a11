//! Noise detection: how well noise probabilities separate noise from clean clicks.

pub use crate::calibration::{BINS, Bin, reliability};

use crate::calibration::calibration_error;
use serde::{Deserialize, Serialize};

/// Area under the ROC curve, average precision and expected calibration error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Probability that a noisy click scores above a clean one; ties count half.
    pub auc: f64,
    /// Mean precision at each noisy click, tied scores taken together.
    pub ap: f64,
    /// Mean distance between predicted probability and observed share over 15 equal-width bins,
    /// weighted by clicks.
    pub ece: f64,
    /// Number of judged clicks.
    pub clicks: usize,
    /// Number of noise clicks among them.
    pub noisy: usize,
}

/// Compares noise `probabilities` with labels. `None` unless both classes occur.
///
/// # Panics
/// If there is not one label per probability.
pub fn detection(probabilities: &[f32], noisy: &[bool]) -> Option<Detection> {
    assert_eq!(probabilities.len(), noisy.len(), "one label a click");
    let positives = noisy.iter().filter(|&&n| n).count();
    let negatives = noisy.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..noisy.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let (mut above, mut seen) = (0usize, 0usize);
    let (mut pairs, mut precision) = (0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| probabilities[a] == probabilities[b]) {
        let hits = tied.iter().filter(|&&click| noisy[click]).count();
        let misses = tied.len() - hits;
        pairs += misses as f64 * (above as f64 + hits as f64 / 2.0);
        above += hits;
        seen += tied.len();
        precision += hits as f64 * above as f64 / seen as f64;
    }
    Some(Detection {
        auc: pairs / (positives as f64 * negatives as f64),
        ap: precision / positives as f64,
        ece: calibration_error(probabilities, noisy),
        clicks: noisy.len(),
        noisy: positives,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_detector_scores_one() {
        let d = detection(&[1.0, 0.0, 1.0, 0.0], &[true, false, true, false]).expect("both");
        assert_eq!((d.auc, d.ap, d.ece), (1.0, 1.0, 0.0));
    }

    #[test]
    fn ties_count_half_and_reversal_mirrors() {
        let d = detection(&[0.5; 4], &[true, false, false, false]).expect("both");
        assert_eq!((d.auc, d.ap), (0.5, 0.25));
        assert!((d.ece - 0.25).abs() < 1e-9);
        let d = detection(&[0.1, 0.9], &[true, false]).expect("both");
        assert_eq!(d.auc, 0.0);
    }

    #[test]
    fn agrees_with_scikit_learn() {
        // roc_auc_score and average_precision_score of scikit-learn 1.7 on these.
        let p = [0.1, 0.4, 0.35, 0.8, 0.35, 0.7];
        let y = [false, false, true, true, false, true];
        let d = detection(&p, &y).expect("both");
        assert!((d.auc - 0.833_333_333_333).abs() < 1e-9, "{}", d.auc);
        assert!((d.ap - 0.866_666_666_666).abs() < 1e-9, "{}", d.ap);
    }

    #[test]
    fn one_class_alone_cannot_be_judged() {
        assert_eq!(detection(&[0.1, 0.2], &[false, false]), None);
        assert_eq!(detection(&[], &[]), None);
    }
}
