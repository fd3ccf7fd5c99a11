//! What a training run is made of: a TOML file with every setting commented, and overrides on the
//! command line. The resolved configuration is saved with the run, so that it says itself how it
//! was made.

mod beginning;
mod denoising;
mod keys;

use anyhow::{Context, Result, bail};
use ingle_model::config::BackboneConfig;
use ingle_model::kept::Rule;
use ingle_model::methods::MethodConfig;
#[cfg(feature = "phases")]
use ingle_model::methods::{Phase, Plan};
use serde::{Deserialize, Serialize};
use std::path::Path;

use ingle_data::InputError;

pub use beginning::Beginning;
pub use denoising::Denoising;
pub use keys::apply;
use keys::{choose, misspelt, outdated};

/// Everything a run is made of beside its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The one source of every random choice.
    pub seed: u64,
    /// Thresholds on the probability of noise, each of which makes a history without the clicks above it: what is
    /// recommended is ranked by the mean over these histories. Chosen on validation clicks where this is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Rule>,
    /// The method.
    pub method: MethodConfig,
    /// Which encoder reads the clicks, and its sizes.
    pub backbone: BackboneConfig,
    /// How the backbone is trained.
    pub training: Schedule,
    /// How the denoiser is trained.
    pub denoising: Denoising,
}

/// Epochs, steps and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Passes over the data at most.
    pub epochs: usize,
    /// Stop when the validation figure has not improved for this many epochs.
    pub patience: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// How the learning rate changes over the epochs.
    pub decay: Decay,
    /// Clicks of one optimisation step, counted without padding.
    pub batch_clicks: usize,
    /// Weight of the past in the mean of the weights over epochs, which is what is validated and
    /// kept, `0.0..1.0`; 0 keeps the weights as they are.
    pub average: f64,
    /// What each item embedding loses of itself a step, times the learning rate.
    pub weight_decay: f64,
    /// Where item embeddings begin: "titles", "random" or a file.
    pub embeddings: Beginning,
    /// Whether item embeddings are kept at length 1, so that only their directions are learnt.
    pub unit: bool,
    /// Whether items of a history are left out of what its next item is ranked among, as they are left
    /// out of what is recommended.
    pub mask_seen: bool,
    /// What is minimised.
    pub loss: Loss,
    /// Items drawn a step to rank targets among, beside the targets of the step; 0 ranks the whole
    /// catalogue, which is better and, up to some ten thousand items, fast.
    pub negatives: usize,
    /// Shares of the clicks that are replaced before the next one is predicted from them, one of them in
    /// each history: a recommender that has seen such histories trusts no single click. None for
    /// histories as they are.
    pub replaced: Vec<f64>,
}

/// How far a step goes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The learning rate.
    pub rate: f64,
    /// What each weight loses of itself a step, times the learning rate.
    pub weight_decay: f64,
}

/// What a backbone is trained to minimise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// The cross-entropy of the target among all items, or among `negatives`.
    #[default]
    Softmax,
    /// The binary cross-entropies of the target and of one item that the user has not clicked: what most papers'
    /// backbones are trained by.
    Binary,
}

/// How a learning rate changes over a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// It stays as it is.
    None,
    /// Down to 0 over all epochs along half a wave of the cosine
    /// ([SGDR](https://arxiv.org/abs/1608.03983), without restarts).
    Cosine,
}

impl Decay {
    /// What is left of the learning rate after `share` of a training, `0.0..=1.0`.
    pub fn factor(self, share: f64) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Cosine => 0.5 + 0.5 * (std::f64::consts::PI * share).cos(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            keep: None,
            method: MethodConfig::named("dc4sr").expect("the default method is registered"),
            backbone: BackboneConfig::default(),
            training: Schedule::default(),
            denoising: Denoising::default(),
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            epochs: 100,
            patience: 8,
            learning_rate: 1e-3,
            decay: Decay::None,
            batch_clicks: 1024,
            average: 0.0,
            weight_decay: 0.0,
            embeddings: Beginning::default(),
            unit: true,
            mask_seen: false,
            loss: Loss::default(),
            negatives: 0,
            replaced: Vec::new(),
        }
    }
}

impl Schedule {
    /// How the encoder alone goes on for so many epochs: as it was trained, at a third of the rate, which
    /// falls to 0.
    #[must_use]
    pub fn of_encoder(&self, epochs: usize) -> Self {
        Self {
            epochs,
            patience: epochs,
            learning_rate: self.learning_rate / 3.0,
            decay: Decay::Cosine,
            average: 0.0,
            ..self.clone()
        }
    }
}

#[cfg(feature = "phases")]
impl Config {
    /// What the training goes through.
    pub fn phases(&self) -> Vec<Phase> {
        let settings = &self.denoising;
        self.method.phases(&Plan {
            folds: settings.folds,
            consensus: settings.consensus_epochs > 0,
            rounds: settings.rounds,
            reader: !settings.language_model.is_empty() && settings.reader_histories > 0,
            recommender: settings.recommender_epochs > 0,
        })
    }

    /// Whether the learning dynamics teach anybody.
    pub fn watches(&self) -> bool {
        self.method.denoises() && self.denoising.dynamics > 0.0
    }
}

impl Config {
    /// Reads `file` (defaults without one), takes `--set key=value` overrides and `--method`, and
    /// checks the result.
    ///
    /// # Errors
    /// Input errors that name the key: unknown keys, values of the wrong type or out of range.
    pub fn resolve(file: Option<&Path>, sets: &[String], method: Option<&str>) -> Result<Self> {
        let Some(path) = file else {
            return Self::of("", sets, method);
        };
        let text = std::fs::read_to_string(path)
            .map_err(|e| InputError::other(format!("cannot read {}: {e}", path.display())))?;
        // Of the overrides as well, but what is wrong with those names itself.
        if let Err(error) = text.parse::<toml::Table>() {
            bail!(InputError::other(format!("{}: {error}", path.display())));
        }
        Self::of(&text, sets, method)
    }

    /// The same of a text.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn of(text: &str, sets: &[String], method: Option<&str>) -> Result<Self> {
        let mut table: toml::Table =
            (text.parse()).map_err(|e: toml::de::Error| InputError::other(e.to_string()))?;
        for set in sets {
            apply(&mut table, set)?;
        }
        if let Some(name) = method {
            choose(&mut table, name)?;
        }
        let unusable = |e: serde_path_to_error::Error<toml::de::Error>| {
            let (key, what) = (e.path().to_string(), e.inner().message());
            InputError::other(format!("the configuration is not usable: {key}: {what}"))
        };
        let read = serde_path_to_error::deserialize(toml::Value::Table(table.clone()));
        let config: Self = read.map_err(|e| misspelt(&table).unwrap_or_else(|| unusable(e)))?;
        config.validate()?;
        Ok(config)
    }

    /// The configuration a run was saved with.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let damaged = || format!("{} is damaged", path.display());
        let table: toml::Table = text.parse().with_context(damaged)?;
        if let Some(error) = outdated(&table) {
            bail!(InputError::other(format!("{}: {error}", path.display())));
        }
        table.try_into().with_context(damaged)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// An input error that names the key.
    pub fn validate(&self) -> Result<()> {
        let bad = |message: String| -> anyhow::Error { InputError::other(message).into() };
        self.backbone
            .validate()
            .map_err(|e| bad(format!("backbone.{e}")))?;
        self.method
            .validate()
            .map_err(|e| bad(format!("method.{e}")))?;
        for (name, schedule) in [
            ("training", self.training.clone()),
            ("denoising", self.denoising.schedule(1)),
        ] {
            schedule.validate(name).map_err(bad)?;
        }
        self.denoising.check().map_err(bad)
    }
}

impl Schedule {
    /// How far the steps go after `done` epochs.
    pub fn pace(&self, done: f64) -> Pace {
        Pace {
            rate: self.learning_rate * self.decay.factor(done / self.epochs as f64),
            weight_decay: self.weight_decay,
        }
    }

    fn validate(&self, name: &str) -> Result<(), String> {
        if self.epochs == 0 || self.patience == 0 || self.batch_clicks == 0 {
            return Err(format!(
                "{name}: epochs, patience and batch_clicks must be at least 1"
            ));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate < 1.0) {
            let rate = self.learning_rate;
            return Err(format!(
                "{name}.learning_rate is {rate}, but must be between 0 and 1"
            ));
        }
        if !(0.0..1.0).contains(&self.average) {
            let average = self.average;
            return Err(format!(
                "{name}.average is {average}, but must be at least 0 and below 1"
            ));
        }
        if self.loss == Loss::Binary && (self.negatives > 0 || self.mask_seen) {
            return Err(format!(
                "{name}.negatives and {name}.mask_seen are for {name}.loss = \"softmax\": \"binary\" draws one \
                 item that the user has not clicked"
            ));
        }
        if !(0.0..=10.0).contains(&self.weight_decay) {
            let decay = self.weight_decay;
            return Err(format!(
                "{name}.weight_decay is {decay}, but must be between 0 and 10"
            ));
        }
        let outside = |share: &&f64| !(0.0..=1.0).contains(*share);
        if let Some(share) = self.replaced.iter().find(outside) {
            return Err(format!(
                "{name}.replaced has {share}, but must be between 0 and 1"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(sets: &[&str], method: Option<&str>) -> Result<Config> {
        let sets: Vec<String> = sets.iter().map(|&s| s.to_owned()).collect();
        Config::resolve(None, &sets, method)
    }

    #[test]
    fn a_value_of_the_wrong_type_is_told_with_its_key() {
        for (set, key) in [
            ("keep=0.5", "keep: "),
            ("training.epochs=many", "training.epochs: "),
            ("denoising.rates=0.1", "denoising.rates: "),
            ("backbone.width=1.5", "backbone.width: "),
            ("method.scorer_width=wide", "method"),
        ] {
            let error = resolve(&[set], None).expect_err(set).to_string();
            assert!(error.contains(key), "{set}: {error}");
        }
    }

    #[test]
    fn overrides_reach_nested_keys_and_round_trip() {
        let config = resolve(
            &[
                "backbone.width=32",
                "training.epochs = 3",
                "seed=9",
                "keep=[0.25, 0.75]",
            ],
            None,
        )
        .expect("valid");
        assert_eq!(
            (config.backbone.width, config.training.epochs, config.seed),
            (32, 3, 9)
        );
        let text = toml::to_string(&config).expect("TOML");
        assert_eq!(toml::from_str::<Config>(&text).expect("round trip"), config);
    }

    #[test]
    fn unknown_keys_and_methods_are_named() {
        for (set, message) in [
            (
                "backbone.widht=32",
                "no backbone.widht; did you mean backbone.width?",
            ),
            ("trainning.epochs=3", "no trainning; did you mean training?"),
            ("method.scorer_with=8", "did you mean method.scorer_width?"),
            ("xyz=1", "no xyz"),
        ] {
            let error = resolve(&[set], None).expect_err(set).to_string();
            assert!(error.contains(message), "{set}: {error}");
        }
        let error = resolve(&[], Some("dc5sr"))
            .expect_err("unknown")
            .to_string();
        assert!(
            error.contains("dc5sr") && error.contains("sasrec"),
            "{error}"
        );
    }

    #[test]
    fn what_took_the_place_of_the_gate_is_said() {
        let error = resolve(&["gate.tau_low=0.2"], None).expect_err("outdated");
        let error = error.to_string();
        assert!(error.contains("no [gate] any more"), "{error}");
        assert!(error.contains("keep = ["), "{error}");
    }

    #[test]
    fn the_learning_rate_goes_from_all_to_nothing() {
        for (share, factor) in [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)] {
            assert!((Decay::Cosine.factor(share) - factor).abs() < 1e-12);
            assert_eq!(Decay::None.factor(share), 1.0);
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        for (set, key) in [
            ("training.learning_rate=-1", "training.learning_rate"),
            ("training.average=1.0", "training.average"),
            ("backbone.dropout=1.5", "backbone.dropout"),
            ("denoising.rate=1.0", "denoising.rate"),
            ("training.replaced=[0.1, nan]", "training.replaced"),
            ("training.replaced=[2.0]", "training.replaced"),
            ("keep=[0.5, 0.25]", "keep is [0.5, 0.25]"),
            ("keep=[]", "keep"),
        ] {
            let error = resolve(&[set], None).expect_err(set).to_string();
            assert!(error.contains(key), "{set}: {error}");
        }
    }

    #[test]
    fn the_method_on_the_command_line_wins() {
        assert_eq!(
            resolve(&[], Some("sasrec")).expect("valid").method.name(),
            "sasrec"
        );
        let config = resolve(
            &["method.name=dc4sr", "method.scorer_width=8"],
            Some("dc4sr"),
        );
        let MethodConfig::Dc4sr(settings) = config.expect("valid").method else {
            panic!("another method");
        };
        assert_eq!(settings.scorer_width, 8);
    }
}
