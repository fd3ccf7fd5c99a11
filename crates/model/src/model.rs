//! A model: backbone and method. From a batch of histories to user vectors and verdicts.

use crate::backbone::Backbone;
use crate::batch::Batch;
use crate::config::ModelConfig;
use crate::gate::GateConfig;
use crate::methods::{Clicks, Method, ScoreTensors, Views};
use crate::rng::Rng;
use crate::weights::{self, Weights, WeightsError};
use burn::module::{Module, Param};
use burn::prelude::*;

/// A model's parameters.
#[derive(Module, Debug)]
pub struct Model {
    /// The encoder and its item table.
    pub backbone: Backbone,
    /// The denoising method.
    pub method: Method,
}

/// Output of a model for a batch of histories.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// One vector per history, `[batch, width]`; its inner products with the item table are the
    /// recommendation scores.
    pub user: Tensor<2>,
    /// The verdicts; `None` if the method has no scorer.
    pub verdict: Option<Verdict>,
}

/// A method's verdicts on all clicks.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Calibrated probability that the click is noise, `[batch, len]`, 0 on padding.
    pub noise: Tensor<2>,
    /// Weight of its embedding, `[batch, len]`, `0..=1`, 0 on padding.
    pub keep: Tensor<2>,
    /// Noise probability by each view, for methods with two views.
    pub views: Option<Views<Tensor<2>>>,
}

impl Model {
    /// A model with random weights; the same seed gives the same weights on every device.
    ///
    /// # Panics
    /// If `config` is not valid.
    pub fn new(config: &ModelConfig, seed: u64, device: &Device) -> Self {
        if let Err(error) = config.validate() {
            panic!("{error}");
        }
        let mut rng = Rng::new(seed, &[0]);
        let backbone = Backbone::new(&config.backbone, config.items, &mut rng, device);
        let mut rng = Rng::new(seed, &[1]);
        let method = config.method.init(&config.backbone, &mut rng, device);
        Self { backbone, method }
    }

    /// A model with the given item table `[items + 1, width]` and weights.
    ///
    /// # Errors
    /// If a weight is missing or does not have the shape that `config` gives it.
    pub fn assemble(
        config: &ModelConfig,
        table: Tensor<2>,
        weights: Weights,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        // The table is by far the largest part; random values for it would only be replaced.
        let blank = ModelConfig {
            items: 1,
            ..config.clone()
        };
        let mut model = Self::new(&blank, 0, device);
        model = weights::load(model, weights)?;
        model.backbone.items = Param::from_tensor(table);
        Ok(model)
    }

    /// Judges histories and encodes them with each click weighted by the gate. Without a gate every click has
    /// weight 1.
    pub fn encode(&self, batch: Batch, gate: Option<&GateConfig>) -> Encoded {
        let real = batch.real.clone();
        let clicks = Clicks::of(&self.backbone, batch);
        let verdict = gate.and_then(|gate| self.judge(&clicks, gate));
        let keep = verdict.as_ref().map(|verdict| &verdict.keep);
        let user = self.attend(clicks.embedded, keep, &real);
        Encoded { user, verdict }
    }

    /// User vectors from embedded clicks with weights.
    ///
    /// # Shapes
    /// - `embedded`: `[batch, len, width]`
    /// - `keep`: `[batch, len]`, `0..=1`; `None` for 1
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    /// - output: `[batch, width]`
    pub fn attend(
        &self,
        embedded: Tensor<3>,
        keep: Option<&Tensor<2>>,
        real: &Tensor<2>,
    ) -> Tensor<2> {
        let [batch, len, width] = embedded.dims();
        let hidden = self.backbone.gated(embedded, keep, real, None);
        let latest = hidden.slice([0..batch, len - 1..len, 0..width]);
        latest.reshape([batch, width])
    }

    /// The method's verdicts alone, without running the backbone.
    pub fn judge(&self, clicks: &Clicks, gate: &GateConfig) -> Option<Verdict> {
        let logits = self.method.noise_logits(clicks)?;
        let real = clicks.batch.real.clone();
        let probability = |logits, scale| GateConfig::probability(logits, scale) * real.clone();
        let noise = probability(logits.fused, gate.scale);
        let keep = gate.keep(noise.clone(), real.clone());
        let views = logits.views.map(|logits| {
            let (scale, posterior) = gate
                .views
                .map_or_else(Default::default, |v| (v.prior, v.posterior));
            Views {
                prior: probability(logits.prior, scale),
                posterior: probability(logits.posterior, posterior),
            }
        });
        Some(Verdict { noise, keep, views })
    }
}
