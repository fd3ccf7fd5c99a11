//! Settings of a training run: a TOML file in which every setting has a comment, and overrides on the command line.
//! The resolved configuration is saved with the run, so that the run documents how it was made.

mod beginning;
mod denoising;
mod keys;

use anyhow::{Context, Result, bail};
use ingle_model::config::BackboneConfig;
use ingle_model::kept::Rule;
use ingle_model::methods::MethodConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;

use ingle_data::InputError;

pub use beginning::Beginning;
pub use denoising::Denoising;
pub use keys::apply;
use keys::{choose, misspelt, refuse_inapplicable, take_removed};

/// All settings of a run; its data come beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seed of all random draws.
    pub seed: u64,
    /// Thresholds on the noise probability. Each gives a history without the clicks above it, and the catalogue is
    /// ranked by the mean over these histories. Chosen on validation clicks if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Rule>,
    /// The method.
    pub method: MethodConfig,
    /// The backbone and its sizes.
    pub backbone: BackboneConfig,
    /// How the backbone is trained.
    pub training: Schedule,
    /// How the denoiser is trained.
    pub denoising: Denoising,
}

/// Epochs, steps and early stopping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Largest number of passes over the data.
    pub epochs: usize,
    /// Stop when the validation figure has not improved for this many epochs.
    pub patience: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// How the learning rate changes over the epochs.
    pub decay: Decay,
    /// Clicks per optimisation step, without padding.
    pub batch_clicks: usize,
    /// Initial item embeddings: "titles", "random" or a file.
    pub embeddings: Beginning,
    /// Whether item embeddings are normalised to length 1, so that only their directions are learnt.
    pub unit: bool,
    /// The loss.
    pub loss: Loss,
    /// Items drawn per step as negatives, beside the step's targets; 0 ranks the whole catalogue, which is better
    /// and, up to some ten thousand items, fast.
    pub negatives: usize,
}

/// The loss of a backbone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// The cross-entropy of the target among all items, or among `negatives`.
    #[default]
    Softmax,
    /// The binary cross-entropies of the target and of one item that the user has not clicked, as in most papers.
    Binary,
}

/// How the learning rate changes in a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// Constant.
    None,
    /// Cosine decay to 0 over all epochs ([SGDR](https://arxiv.org/abs/1608.03983), without restarts).
    Cosine,
}

impl Decay {
    /// The factor of the learning rate after `share` of a training, `0.0..=1.0`.
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
            embeddings: Beginning::default(),
            unit: true,
            loss: Loss::default(),
            negatives: 0,
        }
    }
}

impl Schedule {
    /// The schedule for training the encoder alone for this many more epochs: a third of the learning rate, decaying
    /// to 0.
    #[must_use]
    pub fn of_encoder(&self, epochs: usize) -> Self {
        Self {
            epochs,
            patience: epochs,
            learning_rate: self.learning_rate / 3.0,
            decay: Decay::Cosine,
            ..self.clone()
        }
    }
}

impl Config {
    /// Reads `file` (the defaults without one), applies the `--set key=value` overrides and `--method`, and checks
    /// the result.
    ///
    /// # Errors
    /// Input errors that name the key: unknown keys, values of the wrong type or out of range.
    pub fn resolve(file: Option<&Path>, sets: &[String], method: Option<&str>) -> Result<Self> {
        let Some(path) = file else {
            return Self::of("", sets, method);
        };
        let text = std::fs::read_to_string(path)
            .map_err(|e| InputError::other(format!("cannot read {}: {e}", path.display())))?;
        // Parsed here first, so that the error names the file; errors of overrides name the override.
        if let Err(error) = text.parse::<toml::Table>() {
            bail!(InputError::other(format!("{}: {error}", path.display())));
        }
        Self::of(&text, sets, method)
    }

    /// The same for the text of a file.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn of(text: &str, sets: &[String], method: Option<&str>) -> Result<Self> {
        let mut table: toml::Table =
            (text.parse()).map_err(|e: toml::de::Error| InputError::other(e.to_string()))?;
        if let Some(name) = method {
            choose(&mut table, name)?;
        }
        for set in sets {
            apply(&mut table, set)?;
        }
        if let Some(name) = method {
            choose(&mut table, name)?;
        }
        take_removed(&mut table)?;
        let unusable = |e: serde_path_to_error::Error<toml::de::Error>| {
            let (key, what) = (e.path().to_string(), e.inner().message());
            InputError::other(format!("the configuration is not usable: {key}: {what}"))
        };
        let read = serde_path_to_error::deserialize(toml::Value::Table(table.clone()));
        let config: Self = read.map_err(|e| misspelt(&table).unwrap_or_else(|| unusable(e)))?;
        refuse_inapplicable(&config)?;
        config.validate()?;
        Ok(config)
    }

    /// The configuration that was saved with a run.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let damaged = || format!("{} is damaged", path.display());
        let mut table: toml::Table = text.parse().with_context(damaged)?;
        let named = |e| InputError::other(format!("{}: {e}", path.display()));
        take_removed(&mut table).map_err(named)?;
        table.try_into().with_context(damaged)
    }

    /// Whether the method learns from the learning dynamics, which are recorded then.
    pub fn watches(&self) -> bool {
        self.method.taught() && self.denoising.dynamics > 0.0
    }

    /// Whether a language model scores the log for the method.
    pub fn reads(&self) -> bool {
        let settings = &self.denoising;
        let asked = !settings.language_model.is_empty() && settings.reader_histories > 0;
        self.method.taught() && asked
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
    /// Learning rate after `done` epochs.
    pub fn rate(&self, done: f64) -> f64 {
        self.learning_rate * self.decay.factor(done / self.epochs as f64)
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
        if self.loss == Loss::Binary && self.negatives > 0 {
            return Err(format!(
                "{name}.negatives is for {name}.loss = \"softmax\": \"binary\" draws one item that the user has \
                 not clicked"
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
        assert!(error.contains("dc5sr") && error.contains("none"), "{error}");
    }

    #[test]
    fn what_became_of_a_removed_setting_is_said() {
        let error = resolve(&["gate.tau_low=0.2"], None).expect_err("outdated");
        let error = error.to_string();
        assert!(error.contains("no gate any more"), "{error}");
        assert!(error.contains("keep = ["), "{error}");
    }

    #[test]
    fn a_setting_that_the_method_does_not_read_is_refused_unless_another_method_is_chosen() {
        let set = ["denoising.reading=0.3"];
        assert!(resolve(&set, Some("dc4sr")).is_ok());
        let named = ["method.name=iadsr", "denoising.reading=0.3"];
        let error = resolve(&named, None).expect_err("no effect").to_string();
        assert!(
            error.contains("denoising.reading has no effect on the method iadsr"),
            "{error}"
        );
        let off = ["method.name=iadsr", "denoising.reading=0"];
        assert!(resolve(&off, None).is_ok());
        let whole = resolve(&[], Some("none")).expect("valid");
        let saved = toml::to_string(&whole).expect("TOML");
        assert_eq!(Config::of(&saved, &[], None).expect("as saved"), whole);
        let file = "[denoising]\nreading = 0.3";
        let other = Config::of(file, &[], Some("iadsr")).expect("the file is for another method");
        assert_eq!(other.denoising, Denoising::default());
    }

    #[test]
    fn removed_settings_are_read_where_they_change_nothing() {
        let plain = resolve(&[], Some("dc4sr")).expect("valid");
        let old = [
            "method.name=dc4sr",
            "method.fusion=net",
            "method.base_rate=0.2",
        ];
        assert_eq!(resolve(&old, None).expect("valid"), plain);
        for (set, message) in [
            (
                "method.fusion=poe",
                "method.fusion = \"poe\" is no longer supported",
            ),
            ("training.average=0.9", "no training.average any more"),
        ] {
            let error = resolve(&["method.name=dc4sr", set], None)
                .expect_err(set)
                .to_string();
            assert!(error.contains(message), "{error}");
        }
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
            ("backbone.dropout=1.5", "backbone.dropout"),
            ("denoising.rate=1.0", "denoising.rate"),
            ("denoising.rates=[0.1, nan]", "denoising.rates"),
            ("denoising.rates=[2.0]", "denoising.rates"),
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
            "none"
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
