//! Settings of a reader.

use crate::data::InputError;
use crate::data::corrupt::Kind;
use crate::training::config::{Denoising, apply};
use ingle_lm::Tuning;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// All settings of a reader; saved with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seed of all random draws.
    pub seed: u64,
    /// Latest clicks of a history that are read, corrupted and judged.
    pub window: usize,
    /// Word pieces read of each title, at most.
    pub title_tokens: usize,
    /// Number of last layers that read the window together and have adapters. The layers below read every title once,
    /// which is much faster.
    pub adapt_layers: usize,
    /// Rank of an adapter.
    pub rank: usize,
    /// Adapters are scaled by `alpha / rank`.
    pub alpha: f32,
    /// Dropout before an adapter in training.
    pub dropout: f32,
    /// Histories per epoch, drawn anew for each; 0 uses all.
    pub histories: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// Adam's peak learning rate: it rises over the first steps and decays to 0 at the end.
    pub learning_rate: f64,
    /// Share of the steps over which the learning rate rises.
    pub warmup: f64,
    /// Tokens per step, padding included.
    pub batch_tokens: usize,
    /// Share of the clicks replaced in the validation histories.
    pub rate: f64,
    /// Shares of the clicks replaced in training; each history uses one of them. Higher shares give more labels.
    pub rates: Vec<f64>,
    /// How replacements are drawn; each history draws one of these kinds.
    pub kinds: Vec<Kind>,
    /// Users held out for validation, a tenth of all at most.
    pub validation: usize,
    /// Steps of a refinement on disputed histories.
    pub refine_steps: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            window: 20,
            title_tokens: 16,
            adapt_layers: 2,
            rank: 8,
            alpha: 16.0,
            dropout: 0.05,
            histories: 5000,
            epochs: 3,
            learning_rate: 3e-3,
            warmup: 0.05,
            batch_tokens: 1024,
            rate: 0.1,
            rates: vec![0.1, 0.3, 0.5],
            kinds: vec![Kind::Uniform, Kind::Popularity],
            validation: 500,
            refine_steps: 50,
        }
    }
}

impl Settings {
    /// The defaults with `key=value` overrides.
    ///
    /// # Errors
    /// Input errors that name the key: unknown, of the wrong type or out of range.
    pub fn resolve(sets: &[String]) -> anyhow::Result<Self> {
        let mut table = toml::Table::new();
        for set in sets {
            apply(&mut table, set)?;
        }
        let settings: Self = table
            .try_into()
            .map_err(|e: toml::de::Error| InputError::other(format!("--set: {}", e.message())))?;
        settings.check()?;
        Ok(settings)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first key that is out of its range.
    pub fn check(&self) -> Result<(), InputError> {
        for (key, value, most) in [
            ("window", self.window, 500),
            ("title_tokens", self.title_tokens, 500),
            ("adapt_layers", self.adapt_layers, 256),
            ("rank", self.rank, 1024),
            ("epochs", self.epochs, 10_000),
            ("batch_tokens", self.batch_tokens, 1 << 20),
            ("validation", self.validation, 1 << 30),
            ("refine_steps", self.refine_steps, 1 << 20),
        ] {
            let expected = format!("between 1 and {most}");
            require((1..=most).contains(&value), key, value, &expected)?;
        }
        for (key, value) in [
            ("dropout", f64::from(self.dropout)),
            ("warmup", self.warmup),
            ("rate", self.rate),
        ] {
            let fits = (0.0..1.0).contains(&value);
            require(fits, key, value, "at least 0 and below 1")?;
        }
        let (rate, alpha) = (self.learning_rate, self.alpha);
        let fits = rate > 0.0 && rate <= 1.0;
        require(fits, "learning_rate", rate, "above 0 and at most 1")?;
        let fits = alpha > 0.0 && alpha.is_finite();
        require(fits, "alpha", alpha, "above 0")?;
        require(self.rate > 0.0, "rate", self.rate, "above 0")?;
        let shares = !self.rates.is_empty() && self.rates.iter().all(|r| (0.0..=1.0).contains(r));
        require(
            shares,
            "rates",
            format!("{:?}", self.rates),
            "shares between 0 and 1",
        )?;
        require(!self.kinds.is_empty(), "kinds", "empty", "one kind or more")
    }

    /// The sizes of adapters.
    pub fn tuning(&self) -> Tuning {
        Tuning {
            layers: self.adapt_layers,
            rank: self.rank,
            alpha: self.alpha,
            dropout: self.dropout,
        }
    }

    /// How histories are corrupted.
    pub fn corruption(&self) -> Denoising {
        Denoising {
            rate: self.rate,
            rates: self.rates.clone(),
            kinds: self.kinds.clone(),
            last: self.window,
            ..Denoising::default()
        }
    }

    /// The learning rate after a share `done` of all steps.
    pub fn rate_at(&self, done: f64) -> f64 {
        let rise = if self.warmup > 0.0 {
            (done / self.warmup).min(1.0)
        } else {
            1.0
        };
        let fall = ((1.0 - done) / (1.0 - self.warmup)).min(1.0);
        // At least 1%, so that the first step is not zero.
        self.learning_rate * rise.min(fall).max(0.01)
    }
}

/// Rejects a value that is out of range.
fn require(fits: bool, key: &str, found: impl Display, expected: &str) -> Result<(), InputError> {
    if fits {
        return Ok(());
    }
    Err(InputError::other(format!(
        "{key} is {found}, but must be {expected}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_taken_and_wrong_ones_refused() {
        let resolve = |set: &str| Settings::resolve(&[set.to_owned()]);
        assert_eq!(
            resolve("kinds=[\"hard\"]").expect("valid").kinds,
            [Kind::Hard]
        );
        assert_eq!(resolve("epochs = 7").expect("valid").epochs, 7);
        for (set, part) in [
            ("epocs=7", "epocs"),
            ("epochs=many", "--set"),
            ("window=0", "window is 0"),
            ("rate=1.0", "rate is 1"),
            ("kinds=[]", "kinds"),
            ("rates=[2.0]", "rates"),
            ("learning_rate=-1.0", "learning_rate"),
            ("alpha=0.0", "alpha"),
            ("epochs", "key=value"),
        ] {
            let error = resolve(set).expect_err(set);
            assert!(error.downcast_ref::<InputError>().is_some(), "{set}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let settings = Settings::default();
        let rates = [0.0, 0.02, 0.05, 0.5, 1.0].map(|done| settings.rate_at(done));
        assert!(rates[0] > 0.0 && rates[0] < rates[1] && rates[1] < rates[2]);
        assert_eq!(rates[2], settings.learning_rate);
        assert!(rates[3] < rates[2] && rates[4] < rates[3]);
    }
}
