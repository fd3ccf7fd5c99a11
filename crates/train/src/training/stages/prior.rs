//! The scorer's part that judges by what the items are, with the semantic codes that it learns from titles.

use super::epochs::{self, Epochs, Start, optimizer};
use super::{Inputs, Outcome, Stage, Training, reader, titles};
use crate::training::coder::Coder;
use crate::training::epoch::Learns;
use anyhow::Result;
use ingle_model::methods::{Part, Views};
use ingle_model::{ItemFeatures, Model};
use serde_json::{Value, json};
use std::path::Path;

/// The network that makes codes from titles.
pub(in crate::training) const CODER: &str = "coder.bpk";

/// Trains the part in a round.
pub(super) struct Prior {
    /// Name of the stage.
    pub name: String,
    /// The round, counted from 1.
    pub round: usize,
}

impl Stage for Prior {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        json!({
            "stage": "prior",
            "number": inputs.number,
            "round": self.round,
            "method": inputs.config.method,
            "denoising": inputs.denoising(&["dynamics", "consistency"]),
        })
    }

    fn figure(&self) -> &'static str {
        "validation noise auc of the prior"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let start = Start {
            coder: coder(training)?,
            beliefs: self.beliefs(training)?,
            ..Start::of(training.model.clone())
        };
        let schedule = training.run.config.denoising.schedule(self.round);
        let learns = Learns::Scorer(Part::Prior, self.round);
        let course = training.course(self.name(), learns, schedule);
        epochs::train(self, &course, start, training)
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        training.take_method(dir)?;
        training.take_codes(dir)
    }
}

impl Prior {
    /// Soft labels by the language model, if one reads the log.
    fn beliefs(&self, training: &Training<'_>) -> Result<Option<Vec<Vec<f32>>>> {
        let config = &training.run.config;
        let share = config.denoising.reading;
        if !config.reads() || share <= 0.0 {
            return Ok(None);
        }
        let mut beliefs = reader::beliefs(training, self.round)?;
        (beliefs.iter_mut().flatten()).for_each(|belief| *belief *= share);
        Ok(Some(beliefs))
    }
}

impl Epochs for Prior {
    /// With the codes as they would be exported.
    fn validate(
        &self,
        training: &Training<'_>,
        model: &Model,
        coder: Option<&Coder>,
    ) -> Result<(&'static str, f64)> {
        let features = ItemFeatures {
            codes: (coder.map(Coder::codes)).or_else(|| training.features.codes.clone()),
            ..training.features.clone()
        };
        let verdicts = training.verdicts(model, &features)?;
        let views = verdicts.by_view(Views::default());
        Ok(("auc", views.map_or(0.0, |views| views.prior.auc)))
    }
}

/// The learner of codes; from the second round on it continues with the weights of the last round.
fn coder(training: &Training<'_>) -> Result<Option<Coder>> {
    let (run, device) = (&training.run, &training.context.device);
    let Some(width) = run.config.method.code_width() else {
        return Ok(None);
    };
    let features = titles::features(training)?;
    let coder = Coder::new(features, width, run.config.seed, optimizer(), device);
    match run.latest(CODER) {
        Some(before) => coder.from(&before).map(Some),
        None => Ok(Some(coder)),
    }
}
