//! The gate: the weight of a click's embedding as a function of its noise probability.
//!
//! The weight is 1 below `tau_low`, 0 above `tau_high` and linear between them. If all clicks of a history
//! would get 0, the last one gets 1, so that there is always something to recommend from.

use crate::config::ConfigError;
use crate::methods::Views;
#[cfg(feature = "burn")]
use burn::prelude::*;
#[cfg(feature = "burn")]
use burn::tensor::activation::sigmoid;
use ingle_bundle::Scale;
use serde::{Deserialize, Serialize};

/// Thresholds on the noise probability, and the scale that calibrates it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateConfig {
    /// Below this noise probability a click's weight is 1.
    pub tau_low: f32,
    /// Above this noise probability a click's weight is 0.
    pub tau_high: f32,
    /// Calibration from noise logits to probabilities, fitted on validation histories with known noise.
    #[serde(skip)]
    pub scale: Scale,
    /// Calibration of each view, for methods with two views.
    #[serde(skip)]
    pub views: Option<Views<Scale>>,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            tau_low: 0.5,
            tau_high: 0.9,
            scale: Scale::default(),
            views: None,
        }
    }
}

impl GateConfig {
    /// Checks `0 <= tau_low < tau_high <= 1` and the scales.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !(0.0..=1.0).contains(&self.tau_low) {
            return Err(ConfigError::new("tau_low", self.tau_low, "between 0 and 1"));
        }
        if !(self.tau_high > self.tau_low && self.tau_high <= 1.0) {
            return Err(ConfigError::new(
                "tau_high",
                self.tau_high,
                "above tau_low and at most 1",
            ));
        }
        let views = self.views.map(|views| [views.prior, views.posterior]);
        for scale in views.into_iter().flatten().chain([self.scale]) {
            if !scale.is_usable() {
                let found = format!("{scale:?}");
                let expected = "of a temperature above 0 and a finite shift";
                return Err(ConfigError::new("scale", found, expected));
            }
        }
        Ok(())
    }

    /// Noise probabilities of a history's clicks from their logits, on slices.
    pub fn probabilities(logits: &[f32], scale: Scale) -> Vec<f32> {
        let logits = logits.iter();
        let scaled = logits.map(|logit| (logit - scale.shift) / scale.temperature);
        scaled.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
    }

    /// Weights of a history's clicks from their noise probabilities, on slices.
    pub fn weights(&self, noise: &[f32]) -> Vec<f32> {
        let noise = noise.iter();
        let keep = noise.map(|noise| (self.tau_high - noise) / (self.tau_high - self.tau_low));
        let mut keep: Vec<f32> = keep.map(|keep| keep.clamp(0.0, 1.0)).collect();
        let nothing_left = keep.iter().all(|&keep| keep <= 0.0);
        if let Some(last) = keep.last_mut().filter(|_| nothing_left) {
            *last = 1.0;
        }
        keep
    }

    /// Probabilities from logits.
    ///
    /// # Shapes
    /// - `logits` and output: `[batch, len]`
    #[cfg(feature = "burn")]
    pub fn probability(logits: Tensor<2>, scale: Scale) -> Tensor<2> {
        let [_batch, _len] = logits.dims();
        sigmoid((logits - scale.shift) / scale.temperature)
    }

    /// Keep weights from noise probabilities.
    ///
    /// # Shapes
    /// - `noise`: `[batch, len]`, `0..=1`
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding; the last position is a click
    /// - output: `[batch, len]`, `0..=1`, 0 on padding
    #[cfg(feature = "burn")]
    pub fn keep(&self, noise: Tensor<2>, real: Tensor<2>) -> Tensor<2> {
        let [batch, len] = noise.dims();
        let keep = ((noise.neg() + self.tau_high) / (self.tau_high - self.tau_low)).clamp(0.0, 1.0)
            * real.clone();
        let nothing_left = keep.clone().sum_dim(1).lower_equal_scalar(0.0).float();
        let last = Tensor::cat(
            vec![
                Tensor::zeros([batch, len - 1], &real.device()),
                real.slice([0..batch, len - 1..len]),
            ],
            1,
        );
        keep + last * nothing_left
    }
}

#[cfg(all(test, feature = "burn"))]
mod tests {
    use super::*;

    fn keep(noise: &[f32], real: &[f32]) -> Vec<f32> {
        let device = Device::flex();
        let row = |x: &[f32]| Tensor::<1>::from_floats(x, &device).unsqueeze::<2>();
        let gate = GateConfig {
            tau_low: 0.2,
            tau_high: 0.6,
            ..GateConfig::default()
        };
        gate.keep(row(noise), row(real))
            .into_data()
            .try_to_vec()
            .expect("floats")
    }

    #[test]
    fn equals_itself_without_tensors() {
        let gate = GateConfig {
            tau_low: 0.2,
            tau_high: 0.6,
            ..GateConfig::default()
        };
        for noise in [&[0.0, 0.25, 0.4, 0.7][..], &[0.9, 0.8], &[0.3]] {
            let due = keep(noise, &vec![1.0; noise.len()]);
            assert_eq!(gate.weights(noise), due);
        }
    }

    #[test]
    fn is_one_below_low_zero_above_high_and_linear_between() {
        let kept = keep(&[0.0, 0.2, 0.4, 0.6, 1.0], &[1.0; 5]);
        for (kept, expected) in kept.iter().zip([1.0, 1.0, 0.5, 0.0, 0.0]) {
            assert!((kept - expected).abs() < 1e-6, "{kept} {expected}");
        }
        let gate = GateConfig {
            tau_low: 0.2,
            tau_high: 0.6,
            ..GateConfig::default()
        };
        assert_eq!(gate.weights(&[0.0, 0.2, 0.4, 0.6, 1.0]), kept);
        assert_eq!(gate.weights(&[0.9, 0.9]), [0.0, 1.0]);
        assert!(gate.weights(&[]).is_empty());
    }

    #[test]
    fn padding_keeps_nothing() {
        assert_eq!(keep(&[0.0, 0.0], &[0.0, 1.0]), [0.0, 1.0]);
    }

    #[test]
    fn a_history_of_noise_keeps_its_last_click() {
        assert_eq!(keep(&[0.9, 0.9, 0.9], &[0.0, 1.0, 1.0]), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn rejects_thresholds_out_of_order() {
        let gate = GateConfig {
            tau_low: 0.9,
            tau_high: 0.5,
            ..GateConfig::default()
        };
        assert!(gate.validate().is_err());
        assert!(
            GateConfig {
                scale: Scale {
                    temperature: 0.0,
                    shift: 0.0,
                },
                ..GateConfig::default()
            }
            .validate()
            .is_err()
        );
        assert_eq!(GateConfig::default().validate(), Ok(()));
    }
}
