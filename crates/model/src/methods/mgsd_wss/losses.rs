//! Parts of the loss: the weak signal, flags with straight-through gradients, and the contrast of kept with
//! dropped clicks.

use crate::rng::Rng;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::sigmoid;

/// Keeps logarithms finite.
const LEAST: f32 = 1e-6;

/// Mean squared error of noise probabilities over the judged clicks.
///
/// # Shapes
/// - `noise`, `labels`, `judged`: `[batch, len]`
pub(super) fn weak_signal(noise: Tensor<2>, labels: &Tensor<2>, judged: &Tensor<2>) -> Tensor<1> {
    let [_batch, _len] = noise.dims();
    let error = (noise - labels.clone()).square() * judged.clone();
    error.sum() / judged.clone().sum().clamp_min(1.0)
}

/// Random flags, 1 for kept and 0 for dropped, with the probabilities that the noise `logits` give. Gradients
/// pass as through the soft draw (straight-through Gumbel-softmax of two classes, [Jang et al.,
/// 2017](https://arxiv.org/abs/1611.01144): the difference of two Gumbel variates is logistic).
pub(super) fn kept(logits: &Tensor<2>, temperature: f32, rng: &mut Rng) -> Tensor<2> {
    let shape = logits.dims();
    let logistic = |rng: &mut Rng| {
        let u = rng.uniform().clamp(LEAST, 1.0 - LEAST);
        (u / (1.0 - u)).ln()
    };
    let drawn: Vec<f32> = (0..shape.iter().product()).map(|_| logistic(rng)).collect();
    let drawn = Tensor::from_data(TensorData::new(drawn, shape), &logits.device());
    let soft = sigmoid((drawn - logits.clone()) / temperature);
    let hard = soft.clone().detach().greater_scalar(0.5).float();
    hard + soft.clone() - soft.detach()
}

/// Contrast of kept with dropped vectors by their similarity to the target, weighted by the confidence of
/// each flag: `-ln(kept / (kept + dropped))`, mean over the histories that count and have both.
#[derive(Debug)]
pub(super) struct Contrast<'a> {
    /// `[batch, n, width]`
    pub(super) vectors: &'a Tensor<3>,
    /// `[batch, 1, width]`
    pub(super) target: &'a Tensor<3>,
    /// Flags: 1 for kept, `[batch, n]`
    pub(super) kept: Tensor<2>,
    /// Noise probabilities, `[batch, n]`
    pub(super) noise: Tensor<2>,
    /// Weight of each vector, `[batch, n]`, 0 on padding
    pub(super) weights: Tensor<2>,
    /// 1 where a history counts, `[batch, 1]`
    pub(super) counts: Tensor<2>,
}

impl Contrast<'_> {
    pub(super) fn loss(self, temperature: f32) -> Tensor<1> {
        let [batch, n, width] = self.vectors.dims();
        let target = self.target.clone().expand([batch, n, width]);
        let inner = (self.vectors.clone() * target.clone()).sum_dim(2);
        let long = |x: Tensor<3>| x.square().sum_dim(2).clamp_min(LEAST).sqrt();
        let cosine = inner / (long(self.vectors.clone()) * long(target));
        let likeness = (cosine.reshape([batch, n]) / temperature).exp() * self.weights.clone();
        let clean = self.noise.clone().neg() + 1.0;
        let dropped = self.kept.clone().neg() + 1.0;
        let positive = (likeness.clone() * self.kept.clone() * clean).sum_dim(1);
        let negative = (likeness * dropped.clone() * self.noise).sum_dim(1);
        let some = |flags: Tensor<2>| {
            let any = (flags.detach() * self.weights.clone()).sum_dim(1);
            any.greater_scalar(LEAST).float()
        };
        let counts = self.counts * some(self.kept.clone()) * some(dropped);
        let share = (positive.clone() + LEAST) / (positive + negative + LEAST);
        (share.log().neg() * counts.clone()).sum() / counts.sum().clamp_min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(x: Tensor<1>) -> f32 {
        x.into_scalar::<f32>()
    }

    fn row(values: &[f32]) -> Tensor<2> {
        Tensor::<1>::from_floats(values, &Device::flex()).unsqueeze()
    }

    #[test]
    fn the_weak_signal_counts_judged_clicks_alone() {
        let noise = row(&[0.5, 0.0, 0.9]);
        let loss = weak_signal(noise, &row(&[1.0, 0.0, 0.0]), &row(&[1.0, 1.0, 0.0]));
        assert!((value(loss) - 0.125).abs() < 1e-6);
    }

    #[test]
    fn flags_are_hard_as_likely_as_the_logits_say_and_let_gradients_through() {
        let device = Device::flex().autodiff();
        let logits = Tensor::<2>::full([1, 4000], 3f32.ln(), &device).require_grad();
        let flags = kept(&logits, 0.5, &mut Rng::new(1, &[]));
        let hard: Vec<f32> = flags.clone().into_data().iter().collect();
        assert!(
            hard.iter()
                .all(|&f| f.abs() < 1e-6 || (f - 1.0).abs() < 1e-6)
        );
        let share = hard.iter().sum::<f32>() / 4000.0;
        assert!((share - 0.25).abs() < 0.03, "{share}");
        let gradients = flags.sum().backward();
        let slope: Vec<f32> = (logits.grad(&gradients).expect("a gradient").into_data())
            .iter()
            .collect();
        assert!(slope.iter().all(|&s| s <= 0.0) && slope.iter().sum::<f32>() < -1.0);
    }

    #[test]
    fn contrast_is_low_where_the_kept_are_like_the_target_and_the_dropped_are_not() {
        let device = Device::flex();
        let of = |second: [f32; 2], kept: &[f32]| {
            let vectors = Tensor::<3>::from_floats([[[1.0, 0.0], second]], &device);
            let target = Tensor::<3>::from_floats([[[1.0, 0.0]]], &device);
            let contrast = Contrast {
                vectors: &vectors,
                target: &target,
                kept: row(kept),
                noise: row(&[0.1, 0.9]),
                weights: row(&[1.0, 1.0]),
                counts: row(&[1.0]),
            };
            value(contrast.loss(0.5))
        };
        assert!(of([-1.0, 0.0], &[1.0, 0.0]) < of([1.0, 0.0], &[1.0, 0.0]));
        // Kept and dropped have equal similarity: ln 2, except for the confidence of .9.
        assert!((of([1.0, 0.0], &[1.0, 0.0]) - 2f32.ln()).abs() < 1e-4);
        assert_eq!(
            of([-1.0, 0.0], &[1.0, 1.0]),
            0.0,
            "nothing to contrast with"
        );
    }
}
