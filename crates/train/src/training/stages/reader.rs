//! The reader: a language model that gives soft labels of the log's clicks.

use super::{Inputs, Outcome, Stage, Training, gate};
use crate::training::config::lm_folder;
use crate::training::rounds::reader;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Its name, but for the round.
pub(super) const NAME: &str = "reader";

/// Fits or refines the language model of a round, and scores the log with it.
pub(super) struct Reader {
    /// Name of the stage.
    pub name: String,
    /// The round, counted from 1.
    pub round: usize,
}

impl Stage for Reader {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        json!({
            "stage": NAME,
            "data": inputs.data,
            "round": self.round,
            "settings": reader::settings(inputs.config),
            "lm": lm_folder(&inputs.config.denoising),
        })
    }

    fn uses(&self, earlier: &str) -> bool {
        [NAME, gate::NAME]
            .iter()
            .any(|name| earlier.starts_with(name))
    }

    fn figure(&self) -> &'static str {
        "validation noise auc of the language model"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let (config, context) = (&training.run.config, training.context);
        let dir = training.dir(&self.name);
        let before = (self.round > 1).then(|| {
            let disputed = gate::disputed_file(training, self.round - 1);
            (folder(training, self.round - 1), disputed)
        });
        let before = before.as_ref().map(|(dir, file)| (&**dir, &**file));
        let interrupted = (context.stop, context.progress);
        let done = reader::work(&dir, before, config, context.data, interrupted)?;
        let valid = done.map(|prior| prior.about.valid);
        Ok(valid.map_or(Outcome::Interrupted, |valid| {
            Outcome::Finished(valid.map(|valid| (valid.auc, valid.epoch)))
        }))
    }
}

/// Folder of a round's language model.
pub(super) fn folder(training: &Training<'_>, round: usize) -> PathBuf {
    training.dir(&training.in_round(NAME, round))
}

/// The language model's noise probability of each training click by user.
pub(super) fn beliefs(training: &Training<'_>, round: usize) -> Result<Vec<Vec<f32>>> {
    reader::beliefs(&folder(training, round), training.context.data)
}
