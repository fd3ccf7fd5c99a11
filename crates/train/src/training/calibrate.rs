//! Temperature scaling ([Guo et al., 2017](https://arxiv.org/abs/1706.04599)): one number that
//! makes noise logits into probabilities a person can be shown, fitted on validation histories of
//! known noise.

use super::judge::Verdicts;

/// The temperature of least negative log-likelihood, between 0.05 and 20. Golden-section search:
/// in the logarithm of the temperature the likelihood has one maximum.
pub fn temperature(verdicts: &Verdicts) -> f32 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
    for _ in 0..40 {
        let span = (high - low) * GOLDEN;
        let (left, right) = (high - span, low + span);
        if loss(verdicts, left.exp()) < loss(verdicts, right.exp()) {
            high = right;
        } else {
            low = left;
        }
    }
    f64::midpoint(low, high).exp() as f32
}

/// Negative log-likelihood of the labels at a temperature.
fn loss(verdicts: &Verdicts, temperature: f64) -> f64 {
    let clicks = verdicts.logits.iter().zip(&verdicts.noisy);
    let losses = clicks.map(|(&logit, &noisy)| {
        let against = f64::from(if noisy { -logit } else { logit }) / temperature;
        // ln(1 + exp(x)) without overflow.
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    });
    losses.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::Rng;

    #[test]
    fn finds_the_temperature_that_labels_were_drawn_with() {
        let mut rng = Rng::new(1, &[]);
        let mut verdicts = Verdicts::default();
        for _ in 0..40_000 {
            let logit = rng.normal(4.0);
            let probability = 1.0 / (1.0 + (-logit / 2.5).exp());
            verdicts.logits.push(logit);
            verdicts.noisy.push(rng.uniform() < probability);
        }
        let found = temperature(&verdicts);
        assert!((found - 2.5).abs() < 0.1, "{found}");
        let before = verdicts.detection(1.0).expect("both").ece;
        let after = verdicts.detection(found).expect("both").ece;
        assert!(after < 0.02 && after < before, "{before} {after}");
    }
}
