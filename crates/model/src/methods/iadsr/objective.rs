//! Training: the semantic codes and states, by detecting replaced clicks; then both kinds of states and the score, by
//! the paper's losses and the same labels.

use super::Iadsr;
use super::align::contrast;
use super::tensors::{States, embeddings, of_all};
use crate::methods::objective::{Labelled, Objective, Step};
use crate::methods::{Clicks, NoiseLogits, Part, Views};
use crate::rng::Rng;
use burn::prelude::*;
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Int, TensorData};

/// Weight of each view's own label loss, relative to the score's.
const OWN: f32 = 0.5;

impl Objective for Iadsr {
    fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
        match part {
            Part::Prior => self.semantic_loss(step),
            Part::Scorer => self.aligned_loss(step),
        }
    }
}

impl Iadsr {
    fn semantic_loss(&self, step: &Step<'_>) -> Tensor<1> {
        let (labelled, clicks) = labelled(step);
        let states = self.semantic_states(&clicks);
        let logits = self.prior(&states, &labelled.batch.real);
        cross_entropy(logits, &labelled)
    }

    fn aligned_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let (labelled, clicks) = labelled(step);
        let states = self.states(&clicks, Some(step.rng));
        let NoiseLogits { fused, views } = self.logits(&states);
        let Views { prior, posterior } = views.expect("it has two views");
        let own = cross_entropy(prior, &labelled) + cross_entropy(posterior, &labelled);
        let labels = cross_entropy(fused.clone(), &labelled) + own * OWN;
        let mask = mask(fused, step.rng);
        let clean = labelled.labels.neg() + 1.0;
        labels
            + self.unrestored(&states, &clicks, mask) * self.reconstruction
            + misaligned(&states, &clicks, clean) * self.alignment
    }

    /// Reconstruction loss: mean squared error of the item embeddings reconstructed from masked states, over
    /// the clicks.
    fn unrestored(&self, states: &States, clicks: &Clicks, mask: Tensor<2>) -> Tensor<1> {
        let shape = states.collaborative.dims();
        let [batch, len, _] = shape;
        let mask = mask.reshape([batch, len, 1]).expand(shape);
        let restored = self.restored(states.collaborative.clone() * mask);
        let off = (restored - embeddings(clicks)).square().mean_dim(2);
        mean(off.reshape([batch, len]), &states.real)
    }
}

/// Alignment loss of both kinds of interests, short-term and long-term.
///
/// - `weights`: weight of each click in the alignment, `[batch, len]`
fn misaligned(states: &States, clicks: &Clicks, weights: Tensor<2>) -> Tensor<1> {
    let [batch, len, width] = states.semantic.dims();
    let States {
        semantic,
        collaborative,
        real,
    } = states;
    let flat = |x: &Tensor<3>| x.clone().reshape([batch * len, width]);
    let names = clicks.batch.items.clone().reshape([batch * len]);
    let weights = (weights * real.clone()).reshape([batch * len]);
    let short = contrast(flat(collaborative), flat(semantic), names, weights);
    let long = |x: &Tensor<3>| of_all(x, real).reshape([batch, width]);
    let users: Vec<i32> = (1..=batch as i32).collect();
    let device = real.device();
    let users = Tensor::<1, Int>::from_data(TensorData::new(users, [batch]), &device);
    let all = Tensor::ones([batch], &device);
    short + contrast(long(collaborative), long(semantic), users, all)
}

/// A random mask of kept clicks, 0 or 1, with the probabilities that the noise logits give. Gradients pass as
/// through those probabilities (straight-through [Gumbel-softmax](https://arxiv.org/abs/1611.01144)).
fn mask(noise: Tensor<2>, rng: &mut Rng) -> Tensor<2> {
    let (shape, device) = (noise.dims(), noise.device());
    let drawn = (0..shape.iter().product()).map(|_| logistic(rng.uniform()));
    let drawn = TensorData::new(drawn.collect::<Vec<f32>>(), shape);
    let soft = sigmoid(noise.neg() + Tensor::from_data(drawn, &device));
    let hard = soft.clone().greater_scalar(0.5).float();
    hard - soft.clone().detach() + soft
}

/// A logistic variate (the difference of two Gumbel variates) from a uniform one.
fn logistic(uniform: f32) -> f32 {
    let uniform = uniform.clamp(1e-6, 1.0 - 1e-6);
    (uniform / (1.0 - uniform)).ln()
}

fn labelled(step: &Step<'_>) -> (Labelled, Clicks) {
    let labelled = step.labelled.clone();
    let labelled = labelled.expect("a step of a view has labelled histories");
    let clicks = Clicks::of(step.backbone, labelled.batch.clone());
    (labelled, clicks)
}

/// Binary cross-entropy of the labels, mean over the judged clicks.
fn cross_entropy(logits: Tensor<2>, labelled: &Labelled) -> Tensor<1> {
    let labels = labelled.labels.clone();
    let noise = log_sigmoid(logits.clone()) * labels.clone();
    let clean = log_sigmoid(logits.neg()) * (labels.neg() + 1.0);
    mean((noise + clean).neg(), &labelled.judged)
}

/// Mean over the places where `counted` is 1; both are `[batch, len]`.
fn mean(x: Tensor<2>, counted: &Tensor<2>) -> Tensor<1> {
    let count = counted.clone().sum().clamp_min(1.0);
    (x * counted.clone()).sum() / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::Backbone;
    use crate::methods::iadsr::Config;
    use crate::methods::objective::RankLoss;
    use crate::{BackboneConfig, Batch, Codes, ItemFeatures};
    use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};

    struct Unasked;

    impl RankLoss for Unasked {
        fn cross_entropy(&mut self, _: Tensor<2>, _: &[u32]) -> Tensor<1> {
            unreachable!("nothing is ranked")
        }
    }

    fn sizes() -> BackboneConfig {
        BackboneConfig {
            width: 16,
            max_len: 8,
            ..BackboneConfig::default()
        }
    }

    /// Twelve items of two kinds, by code; items 1 to 6 are of the first.
    fn features() -> ItemFeatures {
        let mut rng = Rng::new(3, &[]);
        let mut rows = vec![0.0; 32];
        for item in 1..=12 {
            let kind = if item <= 6 { 2.0 } else { -2.0 };
            let value = |at| if at == 0 { kind } else { rng.normal(0.3) };
            rows.extend((0..32).map(value));
        }
        ItemFeatures {
            popularity: vec![1.0; 13],
            codes: Some(Codes::quantize(&rows, 32)),
        }
    }

    /// Histories of one kind, with one click of the other.
    fn histories(device: &Device) -> Labelled {
        let clicks: [&[u32]; 4] = [
            &[1, 2, 9, 3, 4],
            &[7, 8, 10, 5, 11],
            &[6, 12, 1, 3],
            &[2, 9, 8, 7, 12],
        ];
        let noise = [
            [0.0, 0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0],
            [1.0, 0.0, 0.0, 0.0, 0.0],
        ];
        let batch = Batch::new(&clicks, 5, &features(), device);
        Labelled {
            judged: batch.real.clone(),
            batch,
            labels: Tensor::from_floats(noise, device),
            beliefs: None,
        }
    }

    /// Losses of the steps that train a part, and the method afterwards.
    fn trained(config: &Config, part: Part, steps: usize) -> (Vec<f32>, Iadsr) {
        let device = Device::flex();
        let mut rng = Rng::new(1, &[]);
        let backbone = Backbone::new(&sizes(), 12, &mut rng, &device);
        let mut method = Iadsr::new(config, &sizes(), &mut rng, &device.clone().autodiff());
        let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
        let mut losses = Vec::new();
        for _ in 0..steps {
            let mut step = Step {
                backbone: &backbone,
                histories: None,
                targets: &[],
                labelled: Some(histories(&device)),
                consistency: 0.0,
                rank: &mut Unasked,
                rng: &mut rng,
            };
            let loss = method.loss(part, &mut step);
            let gradients = GradientsParams::from_grads(loss.backward(), &method);
            method = optimizer.step(0.01, method, gradients);
            losses.push(loss.inner().into_scalar::<f32>());
        }
        (losses, method)
    }

    fn falls(losses: &[f32]) -> bool {
        let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len() as f32;
        assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
        mean(&losses[losses.len() - 10..]) < 0.8 * mean(&losses[..10])
    }

    #[test]
    fn losses_of_both_parts_fall() {
        for part in [Part::Prior, Part::Scorer] {
            let (losses, _) = trained(&Config::default(), part, 60);
            assert!(falls(&losses), "{part:?}: {losses:?}");
        }
    }

    #[test]
    fn alignment_draws_interests_together() {
        let config = Config {
            alignment: 10.0,
            reconstruction: 1.0,
            ..Config::default()
        };
        let (losses, method) = trained(&config, Part::Scorer, 60);
        assert!(falls(&losses), "{losses:?}");
        let device = Device::flex();
        let backbone = Backbone::new(&sizes(), 12, &mut Rng::new(1, &[]), &device);
        let clicks = Clicks::of(&backbone, histories(&device).batch);
        let apart = |method: &Iadsr| {
            let states = method.states(&clicks, None);
            let all = states.real.ones_like();
            misaligned(&states, &clicks, all).into_scalar::<f32>()
        };
        let fresh = Iadsr::new(&config, &sizes(), &mut Rng::new(1, &[]), &device);
        assert!(apart(&method) < 0.7 * apart(&fresh));
    }

    #[test]
    fn a_mask_is_hard_and_its_gradient_is_not() {
        let device = Device::flex().autodiff();
        let noise = Tensor::<2>::from_floats([[-9.0, 0.3, 9.0]], &device).require_grad();
        let kept = mask(noise.clone(), &mut Rng::new(1, &[]));
        let gradients = kept.clone().sum().backward();
        let kept: Vec<f32> = kept.into_data().iter().collect();
        assert_eq!((kept[0], kept[2]), (1.0, 0.0));
        assert!(kept.iter().all(|&x| x == 0.0 || (x - 1.0).abs() < 1e-6));
        let gradient = noise.grad(&gradients).expect("a gradient").into_data();
        assert!(gradient.iter::<f32>().all(|x| x < 0.0));
    }
}
