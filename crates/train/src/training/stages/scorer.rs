//! The rest of a scorer: in a method of two views the posterior and the fusion.

use super::epochs::{self, Epochs, Start};
use super::{DYNAMICS, Inputs, Outcome, Stage, Training, backbone, reader};
use crate::training::coder::Coder;
use crate::training::epoch::Learns;
use crate::training::rounds::dynamics::Dynamics;
use crate::training::rounds::from_dynamics;
use anyhow::Result;
use ingle_bundle::Scale;
use ingle_model::Model;
use ingle_model::methods::Part;
use serde_json::{Value, json};
use std::path::Path;

/// Trains the scorer in a round.
pub(super) struct Scorer {
    /// Name of the stage.
    pub name: String,
    /// The round, counted from 1.
    pub round: usize,
}

impl Stage for Scorer {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        let mut own = vec!["reading"];
        if !inputs.watches {
            own.push("dynamics");
        }
        json!({
            "stage": "scorer",
            "number": inputs.number,
            "round": self.round,
            "method": inputs.config.method,
            "denoising": inputs.denoising(&own),
            "watches": inputs.watches,
        })
    }

    fn figure(&self) -> &'static str {
        "validation noise auc"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let start = Start {
            beliefs: self.beliefs(training)?,
            ..Start::of(training.model.clone())
        };
        let schedule = training.run.config.denoising.schedule(self.round);
        let learns = Learns::Scorer(Part::Scorer, self.round);
        let course = training.course(self.name(), learns, schedule);
        epochs::train(self, &course, start, training)
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        training.take_method(dir)
    }
}

impl Scorer {
    /// Soft labels by the learning dynamics, if they are used.
    fn beliefs(&self, training: &Training<'_>) -> Result<Option<Vec<Vec<f32>>>> {
        if !training.run.watches() {
            return Ok(None);
        }
        let (data, config) = (training.context.data, &training.run.config);
        let settings = &config.denoising;
        let believed = if config.reads() {
            reader::beliefs(training, self.round)?
        } else {
            let row = |user| vec![settings.rate as f32; data.train(user).len()];
            (0..data.n_users()).map(row).collect()
        };
        let mut dynamics = Dynamics::new(data);
        dynamics.load(&training.dir(backbone::NAME).join(DYNAMICS))?;
        let weight = settings.dynamics;
        Ok(Some(from_dynamics(data, &dynamics, &believed, weight)))
    }
}

impl Epochs for Scorer {
    fn validate(
        &self,
        training: &Training<'_>,
        model: &Model,
        _: Option<&Coder>,
    ) -> Result<(&'static str, f64)> {
        let found = training.unseen_verdicts(model)?;
        let found = found.detection(Scale::default());
        Ok(("auc", found.map_or(0.0, |found| found.auc)))
    }
}
