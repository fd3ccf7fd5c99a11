//! The mean of item tables: the backbone's table is replaced by the average of it and the mean of the folds' tables, and
//! the encoder learns to read it.

use super::epochs::{self, Epochs, Start};
use super::{Inputs, Outcome, Stage, Training};
use crate::training::epoch::Learns;
use crate::training::folds;
use crate::training::samples::tensor;
use anyhow::Result;
use burn::module::Param;
use ingle_model::Model;
use serde_json::{Value, json};
use std::path::Path;

/// Trains the encoder on the mean of the item tables.
pub(super) struct Tables;

impl Stage for Tables {
    fn name(&self) -> String {
        "encoder".to_owned()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        json!({ "stage": "encoder", "epochs": inputs.config.denoising.consensus_epochs })
    }

    fn figure(&self) -> &'static str {
        "validation ndcg@10"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let config = &training.run.config;
        let schedule = (config.training).of_encoder(config.denoising.consensus_epochs);
        let course = training.course(self.name(), Learns::Encoder, schedule);
        let model = mean(training);
        epochs::train(self, &course, Start::of(model), training)
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        training.take_backbone(dir)
    }
}

impl Epochs for Tables {}

/// The model with the average of the backbone's table and of the mean of the folds', half and half: together the folds
/// have seen all users, but each of them has seen fewer than the backbone.
fn mean(training: &Training<'_>) -> Model {
    let mut model = training.model.clone();
    let items = model.backbone.items.val();
    let [rows, width] = items.dims();
    let folds = training.folds.iter();
    let folds: Vec<Vec<f32>> = folds
        .map(|table| table.clone().into_data().iter().collect())
        .collect();
    let backbone = folds::table(&model);
    let mean = folds::mean(&[backbone, folds::mean(&folds, width)], width);
    model.backbone.items = Param::from_tensor(tensor(mean, [rows, width], &items.device()));
    model
}
