//! Item tables of the folds: saved when a fold ends, loaded for later phases.

use super::{Trainer, best_file, fold_file};
use crate::training::checkpoint::load_module;
use crate::training::folds;
use crate::training::samples::tensor;
use anyhow::{Context as _, Result};
use burn::module::{Module, Param};
use ingle_model::Model;
use ingle_model::methods::{Learns, Phase};

impl Trainer<'_> {
    /// Saves a fold's item table, rotated onto the backbone's, and restores the backbone.
    pub(super) fn keep_fold(&mut self, phase: &Phase) -> Result<()> {
        let whole = self.whole()?;
        let width = self.run.config.backbone.width;
        let (own, other) = (folds::table(&self.trained.model), folds::table(&whole));
        let turned = folds::aligned(&own, &other, width, &self.context.counts);
        folds::write(&self.run.dir.join(fold_file(phase)), &turned, width)?;
        self.trained.model.backbone = whole.backbone;
        Ok(())
    }

    /// The model with the backbone that was trained on all users.
    fn whole(&self) -> Result<Model> {
        let trained = self.phases.iter().find(|p| p.learns == Learns::Backbone);
        let best = best_file(trained.context("folds come after the backbone")?);
        load_module(&self.run.dir.join(best), self.trained.model.clone())
    }

    /// Loads the tables of the folds trained so far. Before the encoder phase, also sets the item table to the
    /// mean.
    pub(super) fn take_tables(&mut self) -> Result<()> {
        let items = self.average.backbone.items.val();
        let done = &self.phases[..self.state.phase];
        let folds = done.iter().filter(|p| matches!(p.learns, Learns::Fold(_)));
        for phase in folds.skip(self.trained.folds.len()) {
            let path = self.run.dir.join(fold_file(phase));
            let table = folds::open(&path, items.dims(), &items.device())?;
            self.trained.folds.push(table);
        }
        let next = self.phases.get(self.state.phase).map(|phase| phase.learns);
        if next == Some(Learns::Encoder) && (self.state.epoch, self.state.step) == (0, 0) {
            self.agree()?;
        }
        Ok(())
    }

    /// Replaces the backbone's item table by the average of it and the mean of the folds' tables, half and half:
    /// together the folds have seen all users, but each of them has seen fewer than the backbone.
    fn agree(&mut self) -> Result<()> {
        let items = self.trained.model.backbone.items.val();
        let [rows, width] = items.dims();
        let folds = self.trained.folds.iter();
        let folds: Vec<Vec<f32>> = folds
            .map(|table| table.clone().into_data().iter().collect())
            .collect();
        let backbone = folds::table(&self.whole()?);
        let mean = folds::mean(&[backbone, folds::mean(&folds, width)], width);
        let mean = tensor(mean, [rows, width], &items.device());
        self.trained.model.backbone.items = Param::from_tensor(mean);
        self.average = self.trained.model.valid();
        Ok(())
    }
}
