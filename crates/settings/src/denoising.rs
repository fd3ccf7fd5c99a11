//! Settings of the denoiser's training.

use super::{Decay, Schedule};
use ingle_data::corrupt::Kind;
use serde::{Deserialize, Serialize};

/// Settings of the denoiser's training on corrupted histories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Denoising {
    /// Number of passes over the data, of which the one with the best validation AUC is kept. Rounds after the first
    /// have a quarter as many.
    pub epochs: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Clicks per optimisation step, without padding.
    pub batch_clicks: usize,
    /// Share of the clicks replaced in the histories for validation and calibration.
    pub rate: f64,
    /// Shares of the clicks replaced in training; each history uses one of them. Higher shares give more labels per
    /// epoch.
    pub rates: Vec<f64>,
    /// Share of the training histories into which one to three consecutive clicks of another user are inserted
    /// instead of any other noise: as on a shared device, or for a gift.
    pub sessions: f64,
    /// Share of the users held out from the training of prior, posterior and fusion. Epochs are selected, calibration
    /// is fitted and the keep rule is chosen on them, since they are judged like unseen users. With 0 these use the
    /// training users, and the figures are then too good.
    pub holdout: f64,
    /// How replacements are drawn; each history draws one of these kinds.
    pub kinds: Vec<Kind>,
    /// Only the latest clicks of a history are replaced and judged; their number.
    pub last: usize,
    /// Folder of a language model whose embeddings of the titles are used for semantic codes, beside the titles'
    /// words; "default" for the folder of `scripts/fetch-lm`, empty for words only.
    pub language_model: String,
    /// Number of folds: parts of the users, each judged by a recommender that was not trained on it; 0 for none.
    pub folds: usize,
    /// Epochs in which the encoder is trained on the mean of the backbone's and the folds' item tables, which then
    /// ranks and judges; 0 keeps the backbone's table.
    pub consensus_epochs: usize,
    /// Rounds in which prior, posterior and fusion are trained. Before every round but the first, the language model
    /// is refined on the histories on which the views disagreed most in the round before.
    pub rounds: usize,
    /// Histories per epoch in which the language model is trained to detect noise; 0 to leave it out.
    pub reader_histories: usize,
    /// Weight of the language model's noise probabilities in the prior's labels of clicks that were not replaced,
    /// `0.0..=1.0`.
    pub reading: f32,
    /// Weight of the learning dynamics in the posterior's labels, `0.0..=1.0`; they are recorded while the backbone is
    /// trained. A part of DC4SR that made no measurable difference: off (0) by default.
    pub dynamics: f32,
    /// Weight in the loss of the agreement of the two views. A part of DC4SR that made no measurable difference: off (0)
    /// by default.
    pub consistency: f32,
    /// Whether labels that came with the log are used for training. By default they are, except those of `ingle
    /// corrupt --part log`, which no shop would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_labels: Option<bool>,
}

impl Default for Denoising {
    fn default() -> Self {
        Self {
            epochs: 16,
            learning_rate: 3e-3,
            batch_clicks: 1024,
            rate: 0.1,
            rates: vec![0.1, 0.3, 0.5],
            sessions: 0.0,
            holdout: 0.1,
            kinds: vec![Kind::Uniform, Kind::Popularity],
            last: 20,
            language_model: String::new(),
            folds: 4,
            consensus_epochs: 6,
            rounds: 1,
            reader_histories: 2500,
            reading: 0.2,
            dynamics: 0.0,
            consistency: 0.0,
            log_labels: None,
        }
    }
}

impl Denoising {
    /// Checks every range.
    ///
    /// # Errors
    /// The first key that is out of its range.
    pub fn check(&self) -> Result<(), String> {
        let shares = |key: &str, found: &[f64], low_too: bool| {
            let fits = |x: &f64| (0.0..=1.0).contains(x) && (low_too || (*x > 0.0 && *x < 1.0));
            if !found.is_empty() && found.iter().all(fits) {
                return Ok(());
            }
            let found = match found {
                [one] => format!("{one}"),
                many => format!("{many:?}"),
            };
            Err(format!(
                "denoising.{key} is {found}, but must be between 0 and 1"
            ))
        };
        shares("rate", &[self.rate], false)?;
        shares("rates", &self.rates, true)?;
        for (key, value) in [
            ("sessions", self.sessions),
            ("holdout", self.holdout),
            ("reading", f64::from(self.reading)),
            ("dynamics", f64::from(self.dynamics)),
        ] {
            shares(key, &[value], true)?;
        }
        if !(0.0..=10.0).contains(&self.consistency) {
            return Err(format!(
                "denoising.consistency is {}, but must be between 0 and 10",
                self.consistency
            ));
        }
        if self.kinds.is_empty() || self.last == 0 {
            return Err("denoising.kinds and denoising.last must not be empty or 0".into());
        }
        if self.folds == 1 || self.folds > 100 {
            let folds = self.folds;
            return Err(format!(
                "denoising.folds is {folds}, but must be 0 or between 2 and 100"
            ));
        }
        match self.rounds {
            0 => Err("denoising.rounds is 0, but must be at least 1".to_owned()),
            _ => Ok(()),
        }
    }

    /// The schedule of a round (from 1) by these settings.
    pub fn schedule(&self, round: usize) -> Schedule {
        let epochs = match round {
            1 => self.epochs,
            _ => self.epochs.div_ceil(4),
        };
        Schedule {
            epochs,
            patience: epochs,
            learning_rate: self.learning_rate,
            batch_clicks: self.batch_clicks,
            decay: Decay::Cosine,
            ..Schedule::default()
        }
    }
}
