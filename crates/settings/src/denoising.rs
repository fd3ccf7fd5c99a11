//! How a denoiser is trained, and everything that teaches it.

use super::{Decay, Schedule};
use ingle_data::corrupt::Kind;
use serde::{Deserialize, Serialize};

/// How a denoiser is trained on labelled corruption.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Denoising {
    /// Passes over the data at most.
    pub epochs: usize,
    /// Stop when the validation AUC has not improved for this many epochs.
    pub patience: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Clicks of one optimisation step, counted without padding.
    pub batch_clicks: usize,
    /// Share of clicks that is replaced in the histories it is judged by and calibrated on.
    pub rate: f64,
    /// Shares of clicks that are replaced in training, one of them in each history: higher ones teach
    /// more an epoch.
    pub rates: Vec<f64>,
    /// Random clicks at most that are put into a history in training, in place of replacing some of its own;
    /// 0 to replace.
    pub inserted: usize,
    /// Share of the histories of training into which some clicks in a row of another user are put, one to three, in place
    /// of anything else: a shared device, or a present for somebody.
    pub sessions: f64,
    /// Users of an epoch, as a share of all, who are also judged by the recommender that was trained on
    /// them, so that the users of the log are judged well too.
    pub seen: f64,
    /// Share of the users whom prior, posterior and fusion do not learn from: by them they are selected and
    /// calibrated and it is chosen which clicks count, as they are judged like shoppers whom nothing was learnt from.
    /// 0 asks those that were learnt from, which promises more than holds.
    pub holdout: f64,
    /// How replacements are drawn; each history takes the next kind in turn.
    pub kinds: Vec<Kind>,
    /// Only the latest clicks of a history are replaced and judged.
    pub last: usize,
    /// Folder of a language model whose embeddings of the titles semantic codes are learnt from, beside
    /// their words; "default" for where `scripts/fetch-lm` puts one, and nothing for words alone.
    pub language_model: String,
    /// Parts that the users are split into, so that each user can be judged by a recommender that does
    /// not know him; 0 for none.
    pub folds: usize,
    /// Epochs in which the encoder learns to read the mean of the backbone's and the folds' item embeddings,
    /// which is then what ranks and what judges; 0 keeps the backbone's own.
    pub consensus_epochs: usize,
    /// How often prior, posterior and fusion are trained. Before every round but the first the language
    /// model is refined by the histories that the views disputed most in the round before.
    pub rounds: usize,
    /// Epochs of prior, and of posterior and fusion, in every round but the first.
    pub round_epochs: usize,
    /// Histories of an epoch in which the language model learns to tell noise; 0 if it is not to.
    pub reader_histories: usize,
    /// Such epochs, before the first round.
    pub reader_epochs: usize,
    /// Disputed histories that the language model is refined by.
    pub disputed: usize,
    /// How much of what the language model believes of clicks that were not replaced becomes the prior's
    /// label of them, `0.0..=1.0`.
    pub reading: f32,
    /// The same of the learning dynamics and the posterior.
    pub dynamics: f32,
    /// Weight of the two views' agreement in the loss.
    pub consistency: f32,
    /// Whether labels that came with the log are learnt from. Where nothing is said they are, but for those
    /// of `ingle corrupt --part log`, which no shop would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_labels: Option<bool>,
    /// Epochs in which the recommender's encoder goes on with what is kept of histories; 0 if it does not.
    pub recommender_epochs: usize,
    /// Shares of the clicks that are replaced in them, one of them in each history; none for histories as
    /// they are.
    pub recommender_rates: Vec<f64>,
    /// Weight in its loss of attention to clicks that are noise.
    pub attention: f32,
}

impl Default for Denoising {
    fn default() -> Self {
        Self {
            epochs: 16,
            patience: 16,
            learning_rate: 3e-3,
            batch_clicks: 1024,
            rate: 0.1,
            rates: vec![0.1, 0.3, 0.5],
            inserted: 0,
            sessions: 0.0,
            seen: 0.1,
            holdout: 0.1,
            kinds: vec![Kind::Uniform, Kind::Popularity],
            last: 20,
            language_model: String::new(),
            folds: 4,
            consensus_epochs: 6,
            rounds: 1,
            round_epochs: 4,
            reader_histories: 2500,
            reader_epochs: 2,
            disputed: 500,
            reading: 0.2,
            dynamics: 0.2,
            consistency: 0.1,
            log_labels: None,
            recommender_epochs: 0,
            recommender_rates: vec![0.0, 0.1, 0.2, 0.3],
            attention: 0.1,
        }
    }
}

impl Denoising {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the first key out of its range.
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
        if !self.recommender_rates.is_empty() {
            shares("recommender_rates", &self.recommender_rates, true)?;
        }
        for (key, value) in [
            ("seen", self.seen),
            ("sessions", self.sessions),
            ("holdout", self.holdout),
            ("reading", f64::from(self.reading)),
            ("dynamics", f64::from(self.dynamics)),
        ] {
            shares(key, &[value], true)?;
        }
        for (key, value) in [
            ("consistency", self.consistency),
            ("attention", self.attention),
        ] {
            if !(0.0..=10.0).contains(&value) {
                return Err(format!(
                    "denoising.{key} is {value}, but must be between 0 and 10"
                ));
            }
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
        let positive = [
            ("rounds", self.rounds),
            ("round_epochs", self.round_epochs),
            ("reader_epochs", self.reader_epochs),
            ("disputed", self.disputed),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(format!("denoising.{key} is 0, but must be at least 1")),
            None => Ok(()),
        }
    }

    /// The epochs and steps of a round among these settings.
    pub fn schedule(&self, round: usize) -> Schedule {
        Schedule {
            epochs: if round > 1 {
                self.round_epochs
            } else {
                self.epochs
            },
            patience: self.patience,
            learning_rate: self.learning_rate,
            batch_clicks: self.batch_clicks,
            decay: Decay::Cosine,
            ..Schedule::default()
        }
    }
}
