//! Calibration: a temperature ([Guo et al., 2017](https://arxiv.org/abs/1706.04599)) and a shift ([Platt,
//! 1999](https://doi.org/10.7551/mitpress/1113.003.0008)) turn noise logits into probabilities. They are
//! fitted on validation histories with known noise. The shift is needed because there is more noise in
//! training than in the histories that are judged.

use super::judge::Verdicts;
use ingle_bundle::Scale;
use ingle_model::methods::Views;

/// Newton steps; ten are enough for two parameters.
const STEPS: usize = 50;

/// Calibration of the fused logits and of each view.
pub fn scales(verdicts: &Verdicts) -> (Scale, Option<Views<Scale>>) {
    let fit = |logits: &[f32]| scale(logits, &verdicts.noisy);
    let views = verdicts.views.as_ref().map(|views| Views {
        prior: fit(&views.prior),
        posterior: fit(&views.posterior),
    });
    (fit(&verdicts.logits), views)
}

/// The scale with the smallest negative log-likelihood, found by Newton's method on `slope * logit + offset`.
/// The identity if there is nothing to fit: all labels are equal, or the logits are ordered against them.
pub fn scale(logits: &[f32], noisy: &[bool]) -> Scale {
    let (mut slope, mut offset) = (1.0f64, 0.0f64);
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
        for (&logit, &noisy) in logits.iter().zip(noisy) {
            let x = f64::from(logit);
            let probability = 1.0 / (1.0 + (-(slope * x + offset)).exp());
            let error = probability - f64::from(u8::from(noisy));
            let weight = probability * (1.0 - probability);
            gradient = [gradient[0] + error * x, gradient[1] + error];
            hessian = [
                hessian[0] + weight * x * x,
                hessian[1] + weight * x,
                hessian[2] + weight,
            ];
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        let step = [
            (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
            (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
        ];
        // Changes the slope by at most a factor of two: far from the minimum the quadratic approximation is
        // poor.
        slope = (slope - step[0]).clamp(slope / 2.0, slope * 2.0);
        offset -= step[1].clamp(-2.0, 2.0);
    }
    let fitted = Scale {
        temperature: (1.0 / slope) as f32,
        shift: (-offset / slope) as f32,
    };
    let sensible = fitted.is_usable() && (0.01..100.0).contains(&fitted.temperature);
    if sensible { fitted } else { Scale::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::Rng;

    fn drawn(temperature: f32, shift: f32) -> (Vec<f32>, Vec<bool>) {
        let mut rng = Rng::new(1, &[]);
        let logits: Vec<f32> = (0..40_000).map(|_| rng.normal(4.0)).collect();
        let noisy = (logits.iter())
            .map(|logit| rng.uniform() < 1.0 / (1.0 + (-(logit - shift) / temperature).exp()));
        let noisy = noisy.collect();
        (logits, noisy)
    }

    #[test]
    fn finds_the_scale_that_labels_were_drawn_with() {
        for (temperature, shift) in [(2.5, 0.0), (0.5, 3.0), (1.0, -1.5)] {
            let (logits, noisy) = drawn(temperature, shift);
            let found = scale(&logits, &noisy);
            assert!(
                (found.temperature / temperature - 1.0).abs() < 0.05,
                "{found:?}"
            );
            assert!((found.shift - shift).abs() < 0.15, "{found:?}");
            let verdicts = Verdicts {
                logits,
                noisy,
                views: None,
            };
            let before = verdicts.detection(Scale::default()).expect("both").ece;
            let after = verdicts.detection(found).expect("both").ece;
            assert!(after < 0.02 && after < before, "{before} {after}");
        }
    }

    #[test]
    fn labels_that_are_all_equal_or_upside_down_change_nothing() {
        let (logits, noisy) = drawn(1.0, 0.0);
        let upside_down: Vec<bool> = noisy.iter().map(|x| !x).collect();
        for labels in [vec![true; logits.len()], upside_down] {
            assert_eq!(scale(&logits, &labels), Scale::default());
        }
        assert_eq!(scale(&[], &[]), Scale::default());
    }
}
