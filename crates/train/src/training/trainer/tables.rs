//! The item tables of the folds: kept as each fold ends, and taken for what comes after.

use super::{Trainer, best_file, fold_file};
use crate::training::checkpoint::load_module;
use crate::training::folds;
use crate::training::samples::tensor;
use anyhow::{Context as _, Result, ensure};
use burn::module::{Module, Param};
use ingle_model::methods::{Learns, Phase};

impl Trainer<'_> {
    /// Keeps a fold's item table, turned as the backbone's, and brings the backbone back.
    pub(super) fn keep_fold(&mut self, phase: &Phase) -> Result<()> {
        let trained = self.phases.iter().find(|p| p.learns == Learns::Backbone);
        let best = best_file(trained.context("folds come after the backbone")?);
        let model = &mut self.trained.model;
        let whole = load_module(&self.run.dir.join(best), model.clone())?;
        let width = self.run.config.backbone.width;
        let (own, other) = (folds::table(model), folds::table(&whole));
        let turned = folds::aligned(&own, &other, width, &self.context.counts);
        folds::write(&self.run.dir.join(fold_file(phase)), &turned, width)?;
        model.backbone = whole.backbone;
        Ok(())
    }

    /// Takes the tables of the folds that are trained, and where the encoder is to learn to read it, the mean.
    pub(super) fn take_tables(&mut self) -> Result<()> {
        let dims = self.trained.model.backbone.items.dims();
        let done = &self.phases[..self.state.phase];
        let folds = done.iter().filter(|p| matches!(p.learns, Learns::Fold(_)));
        let read = |phase: &Phase| {
            let (width, table) = folds::read(&self.run.dir.join(fold_file(phase)))?;
            let fits = [table.len() / width, width] == dims;
            ensure!(fits, "a fold of another shape");
            Ok(table)
        };
        let tables = folds.map(read).collect::<Result<Vec<_>>>()?;
        let next = self.phases.get(self.state.phase).map(|phase| phase.learns);
        if next == Some(Learns::Encoder) && (self.state.epoch, self.state.step) == (0, 0) {
            self.agree(&tables)?;
        }
        let device = self.average.backbone.items.val().device();
        let tables = tables.into_iter();
        self.trained.folds = tables.map(|table| tensor(table, dims, &device)).collect();
        Ok(())
    }

    /// Puts the mean of the backbone's table and the folds' in place of the backbone's: each half of it, as the
    /// folds together know all users, but none of them as well.
    fn agree(&mut self, folds: &[Vec<f32>]) -> Result<()> {
        let items = self.trained.model.backbone.items.val();
        let [rows, width] = items.dims();
        let backbone = self.run.dir.join(best_file(&self.phases[0]));
        let backbone = folds::table(&load_module(&backbone, self.average.clone())?);
        let mean = folds::mean(&[backbone, folds::mean(folds, width)], width);
        let mean = tensor(mean, [rows, width], &items.device());
        self.trained.model.backbone.items = Param::from_tensor(mean);
        self.average = self.trained.model.valid();
        Ok(())
    }
}
