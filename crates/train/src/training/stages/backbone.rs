//! The backbone: the recommender that learns from all users.

use super::epochs::{self, Epochs, Start};
use super::{Inputs, Outcome, Stage, Training};
use crate::training::epoch::Learns;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// Its name.
pub(in crate::training) const NAME: &str = "backbone";

/// Trains the backbone.
pub(super) struct Backbone;

impl Stage for Backbone {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        let config = inputs.config;
        let denoising = &config.denoising;
        let mut reads = json!({
            "stage": NAME,
            "data": inputs.data,
            "seed": config.seed,
            "dropped": inputs.dropped,
            "log_labels": denoising.log_labels == Some(true),
            "backbone": config.backbone,
            "training": config.training,
        });
        if let Some(warm) = inputs.warm {
            reads["warm"] = json!(warm);
        }
        reads
    }

    fn uses(&self, _earlier: &str) -> bool {
        false
    }

    fn figure(&self) -> &'static str {
        "validation ndcg@10"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let schedule = training.run.config.training.clone();
        let course = training.course(self.name(), Learns::Items, schedule);
        let start = Start {
            watched: training.run.watches(),
            ..Start::of(training.beginning()?)
        };
        epochs::train(self, &course, start, training)
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        training.take_backbone(dir)
    }
}

impl Epochs for Backbone {}
