//! A fold: a backbone that is trained without one part of the users, and judges these users as if they were unseen. It
//! starts from the initial weights and does not change the backbone; its item table is rotated onto the backbone's.

use super::epochs::{self, Epochs, Start};
use super::{BACKBONE, Inputs, Outcome, Stage, Training, backbone};
use crate::training::checkpoint::load_module;
use crate::training::coder::Coder;
use crate::training::config::Schedule;
use crate::training::epoch::Learns;
use crate::training::folds;
use anyhow::Result;
use burn::module::Module;
use ingle_model::Model;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The item table, rotated onto the backbone's.
const TABLE: &str = "table.safetensors";

/// Trains the fold that leaves out this part of the users.
pub(super) struct Fold {
    /// The part.
    pub part: usize,
}

/// Name of a fold's stage.
pub(super) fn name(part: usize) -> String {
    format!("fold-{}", part + 1)
}

/// File of a fold's item table in its stage's folder.
pub(in crate::training) fn table_file(run: &crate::training::Run, part: usize) -> PathBuf {
    run.stage_dir(&name(part)).join(TABLE)
}

impl Stage for Fold {
    fn name(&self) -> String {
        name(self.part)
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        let folds = inputs.config.denoising.folds;
        json!({ "stage": "fold", "part": self.part, "folds": folds })
    }

    fn uses(&self, earlier: &str) -> bool {
        earlier == backbone::NAME
    }

    fn figure(&self) -> &'static str {
        "validation ndcg@10 of users new to a fold"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        // As many epochs as the backbone's best one, so that folds fit their users as closely as the backbone does.
        let backbone = training.run.finished_stage(backbone::NAME);
        let best = backbone.and_then(|done| done.best.as_ref());
        let schedule = Schedule {
            epochs: best.map_or(1, |best| best.epoch),
            ..training.run.config.training.clone()
        };
        let mut course = training.course(self.name(), Learns::Items, schedule);
        let users = course.lengths.iter_mut().zip(&training.context.parts);
        let left_out = users.filter(|(_, part)| **part == self.part);
        left_out.for_each(|(clicks, _)| *clicks = 0);
        let model = training.fresh()?;
        let outcome = epochs::train(self, &course, Start::of(model), training)?;
        if matches!(outcome, Outcome::Finished(_)) {
            let best = training.dir(&self.name()).join(BACKBONE);
            let own = folds::table(&training.with_backbone(&best)?);
            let width = training.run.config.backbone.width;
            let (other, counts) = (folds::table(&training.model), &training.context.counts);
            let turned = folds::aligned(&own, &other, width, counts);
            folds::write(&table_file(training.run, self.part), &turned, width)?;
        }
        Ok(outcome)
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        let items = training.model.backbone.valid().items.val();
        let table = folds::open(&dir.join(TABLE), items.dims(), &items.device())?;
        training.folds.push(table);
        Ok(())
    }
}

impl Epochs for Fold {
    /// On the users that the fold is not trained on.
    fn validate(
        &self,
        training: &Training<'_>,
        model: &Model,
        _: Option<&Coder>,
    ) -> Result<(&'static str, f64)> {
        let parts = &training.context.parts;
        let left_out = |user: usize| parts[user] == self.part;
        Ok(("ndcg@10", training.ndcg10(model, left_out)))
    }
}

/// The recommenders of all folds.
pub(super) fn recommenders(training: &Training<'_>) -> Result<Vec<Model>> {
    let of = |part| {
        let model = training.model.valid();
        let best = training.dir(&name(part)).join(BACKBONE);
        Ok(Model {
            backbone: load_module(&best, model.backbone)?,
            method: model.method,
        })
    };
    (0..training.folds.len()).map(of).collect()
}
