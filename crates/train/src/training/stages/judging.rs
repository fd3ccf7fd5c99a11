//! Validation figures, and the item tables by which users are judged.

use super::Training;
use crate::data::Case;
use crate::metrics::ranking::{Figures, NDCG10};
use crate::training::judge::{self, HistoryLogits, LabelledHistory, Verdicts, probabilities};
use anyhow::{Context as _, Result};
use ingle_model::kept::KeptHistories;
use ingle_model::{ItemFeatures, Model};

impl Training<'_> {
    /// Masked NDCG@10 on the users that are `asked`, each target counting as much as it does in training.
    pub(super) fn ndcg10(&self, model: &Model, asked: impl Fn(usize) -> bool) -> f64 {
        let cases: Vec<Case<'_>> = (self.valid.iter().filter(|case| asked(case.user)))
            .copied()
            .collect();
        let device = model.backbone.items.val().device();
        let answers = judge::answer(model, &cases, &self.features, &device, |_| ());
        let weight = |case| f64::from(self.context.data.target_weight(case).unwrap_or(1.0));
        let (mut sum, mut weights) = (0.0, 0.0);
        for (case, answer) in cases.iter().zip(&answers) {
            sum += weight(case) * Figures::of_rank(answer.rank.masked)[NDCG10];
            weights += weight(case);
        }
        // Where no target counts there is nothing to select by.
        if weights > 0.0 { sum / weights } else { 0.0 }
    }

    /// NDCG@10 over kept histories, of the validation histories and of the same histories with clicks
    /// replaced.
    pub(super) fn kept_ndcg10(&self, model: &Model) -> Result<[f64; 2]> {
        let config = self.run.model_config();
        let features = &self.features;
        let device = model.backbone.items.val().device();
        let corrupted = self.valid.iter().zip(&self.corrupted);
        let corrupted: Vec<Case<'_>> = corrupted
            .map(|(case, (history, _))| case.corrupted(history))
            .collect();
        let ndcg10 = |cases: &[Case<'_>]| -> Result<f64> {
            let histories: Vec<&[u32]> = cases.iter().map(|case| case.history).collect();
            let logits = judge::read(model, &histories, features, &device).context(NO_SCORER)?;
            let rule = config.keep.clone().context(NO_SCORER)?;
            let kept = logits.iter().zip(cases).map(|(scored, case)| {
                let noise = probabilities(&scored.fused, config.gate.scale);
                let before = case.history.len() - noise.len();
                rule.histories(&noise, None).after(before)
            });
            let kept: Vec<KeptHistories> = kept.collect();
            let answers = judge::answer_over(model, cases, &kept, features, &device, |_| ());
            Ok(judge::masked(&answers).ndcg10())
        };
        Ok([ndcg10(&self.valid)?, ndcg10(&corrupted)?])
    }

    /// The users on whom a denoiser is validated, with their corrupted validation histories.
    fn judges(&self) -> impl Iterator<Item = (usize, &LabelledHistory)> {
        let users = self.valid.iter().map(|case| case.user);
        (users.zip(&self.corrupted)).filter(|(user, _)| self.context.judges(*user))
    }

    /// The model's verdicts on corrupted validation histories.
    pub(super) fn verdicts(&self, model: &Model, features: &ItemFeatures) -> Result<Verdicts> {
        let last = self.run.config.denoising.last;
        let device = model.backbone.items.val().device();
        let histories: Vec<LabelledHistory> =
            self.judges().map(|(_, history)| history.clone()).collect();
        let verdicts = judge::judge(model, &histories, last, features, &device);
        verdicts.context(NO_SCORER)
    }

    /// The same verdicts, with the users treated as unseen: each is judged through the item table of the fold
    /// that was not trained on the user.
    pub(super) fn unseen_verdicts(&self, model: &Model) -> Result<Verdicts> {
        let (users, labelled): (Vec<usize>, Vec<&LabelledHistory>) = self.judges().unzip();
        let histories: Vec<&[u32]> = labelled.iter().map(|(items, _)| &items[..]).collect();
        let logits = self.logits_as_unseen(model, &users, &histories)?;
        let last = self.run.config.denoising.last;
        let mut verdicts = Verdicts::default();
        for (scored, (_, labels)) in logits.iter().zip(labelled) {
            verdicts.add_history(scored, labels, last);
        }
        Ok(verdicts)
    }

    /// Noise logits of users' histories, each computed with the item table of the fold that was not trained
    /// on the user; with the model's own table if there are no folds.
    pub(super) fn logits_as_unseen(
        &self,
        model: &Model,
        users: &[usize],
        histories: &[&[u32]],
    ) -> Result<Vec<HistoryLogits>> {
        let folds = (&self.folds[..], &self.context.parts[..]);
        judge::logits_by_fold(model, folds, users, histories, &self.features).context(NO_SCORER)
    }
}

pub(super) const NO_SCORER: &str = "a stage that judges clicks needs a method with a scorer";
