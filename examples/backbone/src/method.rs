//! A denoising method of one's own: a click is likely noise where its direction, in a learnt projection, is not that of
//! the other clicks. This file is all that a method needs.

use burn::module::Module;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::log_sigmoid;
use ingle_model::config::ConfigError;
use ingle_model::methods::{
    Clicks, Custom, Labelled, NoiseLogits, Objective, Part, ScoreTensors, Step,
};
use ingle_model::rng::linear;
use ingle_model::{BackboneConfig, Rng};
use serde::{Deserialize, Serialize};

/// Avoids division by 0.
const SHORTEST: f32 = 1e-12;

/// Compares every click with the mean of the others.
#[derive(Module, Debug)]
pub struct Agreement {
    project: Linear,
    judge: Linear,
}

/// `[method]`, beside `name`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Width of the projection, 1 to 1024.
    pub state_width: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { state_width: 32 }
    }
}

impl Custom for Agreement {
    const NAME: &'static str = "agreement";
    const PARTS: &'static [(&'static str, Part)] = &[("agreement", Part::Scorer)];
    type Config = Config;

    fn validate(config: &Config) -> Result<(), ConfigError> {
        let fits = (1..=1024).contains(&config.state_width);
        let wrong = || ConfigError::new("state_width", config.state_width, "between 1 and 1024");
        fits.then_some(()).ok_or_else(wrong)
    }

    fn new(config: &Config, backbone: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self {
        Self {
            project: linear(backbone.width, config.state_width, rng, device),
            judge: linear(1, 1, rng, device),
        }
    }
}

impl ScoreTensors for Agreement {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        let states = self.project.forward(clicks.embedded.clone());
        let shape @ [batch, len, width] = states.dims();
        let real = clicks.batch.real.clone().reshape([batch, len, 1]);
        let states = states * real.expand(shape);
        // The direction of the others' mean is that of their sum.
        let others = states.clone().sum_dim(1).expand([batch, len, width]) - states.clone();
        // Under the root, whose gradient at 0 is infinite.
        let length = |x: &Tensor<3>| (x.clone().square().sum_dim(2) + SHORTEST).sqrt();
        let cosine = (states.clone() * others.clone()).sum_dim(2);
        let cosine = cosine / (length(&states) * length(&others));
        let fused = self.judge.forward(cosine).reshape([batch, len]);
        Some(NoiseLogits { fused, views: None })
    }
}

impl Objective for Agreement {
    fn loss(&self, _: Part, step: &mut Step<'_>) -> Tensor<1> {
        let labelled = step.labelled.take();
        let Labelled {
            batch,
            labels,
            judged,
            ..
        } = labelled.expect("a step of the scorer has labelled histories");
        let clicks = Clicks::of(step.backbone, batch);
        let logits = self.noise_logits(&clicks).expect("every click is judged");
        let noise = log_sigmoid(logits.fused.clone()) * labels.clone();
        let clean = log_sigmoid(logits.fused.neg()) * (labels.neg() + 1.0);
        let count = judged.clone().sum().clamp_min(1.0);
        ((noise + clean) * judged).sum().neg() / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::gate::GateConfig;
    use ingle_model::methods::{Method, MethodConfig};
    use ingle_model::{Batch, ItemFeatures, Model, ModelConfig};

    fn config(state_width: usize) -> Result<ModelConfig, serde_json::Error> {
        crate::register();
        let method = serde_json::json!({ "name": "agreement", "state_width": state_width });
        Ok(ModelConfig {
            items: 9,
            backbone: BackboneConfig {
                width: 8,
                ..BackboneConfig::default()
            },
            method: serde_json::from_value(method)?,
            gate: GateConfig::default(),
            keep: None,
        })
    }

    fn noise(model: &Model, history: &[u32], len: usize) -> Vec<f32> {
        let known = ItemFeatures {
            popularity: vec![0.0; 10],
            codes: None,
        };
        let batch = Batch::new(&[history], len, &known, &Device::flex());
        let clicks = Clicks::of(&model.backbone, batch);
        let logits = model.method.noise_logits(&clicks).expect("judges");
        let logits = logits.fused.into_data();
        let logits: Vec<f32> = logits.iter().collect();
        logits[len - history.len()..].to_vec()
    }

    #[test]
    fn padding_changes_no_verdict_and_other_clicks_do() {
        let model = Model::new(&config(4).expect("settings"), 3, &Device::flex());
        assert!(matches!(model.method, Method::Registered(_)));
        let verdicts = noise(&model, &[1, 2, 3], 3);
        for (found, due) in noise(&model, &[1, 2, 3], 6).iter().zip(&verdicts) {
            assert!((found - due).abs() < 1e-5, "{found} {due}");
        }
        assert_ne!(noise(&model, &[1, 2, 4], 3)[0], verdicts[0]);
    }

    #[test]
    fn settings_are_read_checked_and_written_as_those_of_built_in_methods() {
        let found = config(4).expect("settings").method;
        assert_eq!((found.name(), found.denoises()), ("agreement", true));
        let text = serde_json::to_string(&found).expect("JSON");
        assert_eq!(
            serde_json::from_str::<MethodConfig>(&text).expect("reads"),
            found
        );
        assert!(config(0).expect("settings").validate().is_err());
        let usual = MethodConfig::named("agreement").expect("is registered");
        assert!(
            serde_json::to_string(&usual)
                .expect("JSON")
                .contains(r#""state_width":32"#)
        );
        let misspelt = serde_json::json!({ "name": "agreement", "width": 4 });
        let error = serde_json::from_value::<MethodConfig>(misspelt).expect_err("refused");
        assert!(error.to_string().contains("width"), "{error}");
    }

    #[test]
    #[should_panic(expected = "built-in")]
    fn the_name_of_a_built_in_method_is_taken() {
        #[derive(Module, Debug)]
        struct Taken {
            own: Agreement,
        }
        impl ScoreTensors for Taken {
            fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
                self.own.noise_logits(clicks)
            }
        }
        impl Objective for Taken {
            fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
                self.own.loss(part, step)
            }
        }
        impl Custom for Taken {
            const NAME: &'static str = "dc4sr";
            const PARTS: &'static [(&'static str, Part)] = Agreement::PARTS;
            type Config = Config;
            fn new(
                config: &Config,
                backbone: &BackboneConfig,
                rng: &mut Rng,
                device: &Device,
            ) -> Self {
                Self {
                    own: Agreement::new(config, backbone, rng, device),
                }
            }
        }
        ingle_model::methods::register::<Taken>();
    }
}
