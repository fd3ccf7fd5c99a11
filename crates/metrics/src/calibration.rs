//! Calibration: whether what has a probability of `p` happens in a share `p` of the cases.

use serde::Serialize;

/// Bins of the calibration error.
pub const BINS: usize = 15;

/// Cases whose predicted probabilities fall into one of equal-width bins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Cases (clicks, where noise is detected) in it.
    pub clicks: usize,
    /// Mean of their predicted probabilities.
    pub predicted: f64,
    /// Share of them in which it happened.
    pub observed: f64,
}

/// Predicted probability against observed share in [`BINS`] equal-width bins; empty bins are zero.
pub fn reliability(probabilities: &[f32], happened: &[bool]) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for (&p, &label) in probabilities.iter().zip(happened) {
        let bin = &mut bins[((p * BINS as f32) as usize).min(BINS - 1)];
        bin.clicks += 1;
        bin.predicted += f64::from(p);
        bin.observed += f64::from(u8::from(label));
    }
    for bin in &mut bins {
        bin.predicted /= bin.clicks.max(1) as f64;
        bin.observed /= bin.clicks.max(1) as f64;
    }
    bins
}

/// The expected calibration error: the mean distance between predicted probability and observed share over the bins of
/// [`reliability`], weighted by cases ([Guo et al., 2017](https://arxiv.org/abs/1706.04599)); 0 of no cases.
///
/// Of recommendations, `probabilities` are those of recommended items, and `happened` says which of them was the target.
///
/// # Panics
/// If there is not one outcome per probability.
pub fn calibration_error(probabilities: &[f32], happened: &[bool]) -> f64 {
    assert_eq!(probabilities.len(), happened.len(), "one outcome a case");
    let gaps = reliability(probabilities, happened);
    let gaps = gaps.map(|bin| bin.clicks as f64 * (bin.predicted - bin.observed).abs());
    gaps.iter().sum::<f64>() / happened.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_every_case_once_and_give_the_calibration_error() {
        let p = [0.0, 0.02, 0.5, 0.5, 1.0];
        let y = [false, false, true, false, true];
        let bins = reliability(&p, &y);
        assert_eq!(bins.iter().map(|bin| bin.clicks).sum::<usize>(), 5);
        assert_eq!((bins[0].clicks, bins[7].clicks, bins[14].clicks), (2, 2, 1));
        assert_eq!((bins[7].predicted, bins[7].observed), (0.5, 0.5));
        assert!((calibration_error(&p, &y) - 0.02 / 5.0).abs() < 1e-7);
    }

    #[test]
    fn probabilities_that_are_too_sure_have_an_error_of_their_excess() {
        let error = calibration_error(&[0.9; 10], &std::array::from_fn::<_, 10, _>(|at| at < 6));
        assert!((error - 0.3).abs() < 1e-6, "{error}");
        assert_eq!(calibration_error(&[], &[]), 0.0);
    }
}
