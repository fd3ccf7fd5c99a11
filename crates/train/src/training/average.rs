//! Averages the weights over epochs. The exponential moving average (EMA) is what is validated, saved and
//! exported: it lies nearer to the middle of a flat minimum than the weights of any one epoch ([Averaging
//! Weights Leads to Wider Optima](https://arxiv.org/abs/1803.05407)). It costs one pass over the weights per
//! epoch and nothing in the browser.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use ingle_model::Model;
use std::collections::VecDeque;

/// The average after one more epoch: `decay * average + (1 - decay) * latest`. In the first epochs it is the
/// plain mean of all so far; `epoch` counts the epochs before this one. Neither model may be on an autodiff
/// device.
pub fn blend(average: Model, latest: &Model, decay: f64, epoch: usize) -> Model {
    let decay = decay.min(epoch as f64 / (epoch + 1) as f64);
    let mut collected = Collected::default();
    latest.visit(&mut collected);
    average.map(&mut Blend {
        latest: collected.0,
        decay,
    })
}

/// The parameters of a module in visiting order, each flattened.
#[derive(Default)]
struct Collected(VecDeque<Tensor<1>>);

impl ModuleVisitor for Collected {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push_back(param.val().flatten(0, D - 1));
    }
}

struct Blend {
    latest: VecDeque<Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let latest = self
            .latest
            .pop_front()
            .expect("both have the same parameters");
        let decay = self.decay;
        param.map(|mean| {
            let latest = latest.reshape(mean.dims());
            mean * decay + latest * (1.0 - decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::methods::MethodConfig;
    use ingle_model::{ModelConfig, weights};

    fn model(seed: u64) -> Model {
        let config = ModelConfig {
            items: 7,
            backbone: ingle_model::BackboneConfig {
                width: 4,
                feed_forward: 8,
                max_len: 5,
                ..Default::default()
            },
            method: MethodConfig::named("dc4sr").expect("a method"),
            gate: ingle_model::gate::GateConfig::default(),
            keep: None,
        };
        Model::new(&config, seed, &Device::flex())
    }

    /// Whether each weight of `mixed` is the weighted mean of those of `models`.
    fn is_mean(mixed: &Model, models: &[(&Model, f64)]) {
        let parts: Vec<_> = models
            .iter()
            .map(|(model, share)| (weights::collect(*model), *share as f32))
            .collect();
        for (name, weight) in weights::collect(mixed) {
            for (at, &value) in weight.data.iter().enumerate() {
                let expected: f32 = parts
                    .iter()
                    .map(|(part, share)| part[&name].data[at] * share)
                    .sum();
                assert!(
                    (value - expected).abs() < 1e-6,
                    "{name}: {value} {expected}"
                );
            }
        }
    }

    #[test]
    fn the_first_epochs_are_averaged_plainly_and_later_ones_exponentially() {
        let [a, b, c] = [1, 2, 3].map(model);
        is_mean(&blend(a.clone(), &b, 0.9, 0), &[(&b, 1.0)]);
        let two = blend(a.clone(), &b, 0.9, 1);
        is_mean(&two, &[(&a, 0.5), (&b, 0.5)]);
        is_mean(
            &blend(two, &c, 0.9, 2),
            &[(&a, 1.0 / 3.0), (&b, 1.0 / 3.0), (&c, 1.0 / 3.0)],
        );
        is_mean(&blend(a.clone(), &b, 0.9, 50), &[(&a, 0.9), (&b, 0.1)]);
    }

    #[test]
    fn without_a_decay_the_mean_is_the_latest() {
        let [a, b] = [1, 2].map(model);
        is_mean(&blend(a, &b, 0.0, 9), &[(&b, 1.0)]);
    }
}
