//! Validation: the figure by which each phase selects its best epoch, and which item tables compute it.

use super::Trainer;
use crate::data::Case;
use crate::metrics::detection::Detection;
use crate::metrics::ranking::{Figures, NDCG10};
use crate::training::coder::Coder;
use crate::training::judge::{self, Answer, LabelledHistory, Reading, Verdicts, probabilities};
use anyhow::{Context as _, Result};
use ingle_bundle::Scale;
use ingle_model::kept::KeptHistories;
use ingle_model::methods::{Learns, Phase, Views};
use ingle_model::{Known, Model};

impl Trainer<'_> {
    /// The validation figure of a phase, with its name.
    pub(super) fn validate(&self, phase: &Phase) -> Result<(&'static str, f64)> {
        let model = &self.average;
        let device = model.backbone.items.val().device();
        let known = &self.trained.known;
        let auc = |found: Option<Detection>| found.map_or(0.0, |found| found.auc);
        match phase.learns {
            Learns::Backbone | Learns::Fold(_) | Learns::Encoder => {
                // A fold is validated on the users that it was not trained on.
                let asked = |case: &&Case<'_>| match phase.learns {
                    Learns::Fold(fold) => self.context.parts[case.user] == fold,
                    _ => true,
                };
                let cases: Vec<Case<'_>> = self.valid.iter().filter(asked).copied().collect();
                let answers = judge::answer(model, &cases, known, &device, |_| ());
                Ok(("ndcg@10", self.weighed_ndcg10(&cases, &answers)))
            }
            Learns::Recommender => {
                let [clean, corrupted] = self.kept_ndcg10(model)?;
                Ok(("ndcg@10", f64::midpoint(clean, corrupted)))
            }
            Learns::Prior => {
                // With the codes as they would be exported.
                let codes = self.trained.coder.as_ref().map(Coder::codes);
                let known = Known {
                    codes: codes.or_else(|| known.codes.clone()),
                    ..known.clone()
                };
                let verdicts = self.verdicts(model, &known)?;
                let views = verdicts.by_view(Views::default());
                Ok(("auc", auc(views.map(|views| views.prior))))
            }
            Learns::Denoiser => {
                let verdicts = self.unseen_verdicts(model)?;
                Ok(("auc", auc(verdicts.detection(Scale::default()))))
            }
            Learns::Reader => unreachable!("a language model is validated by itself"),
        }
    }

    /// Masked NDCG@10, each target counting as much as it does in training.
    fn weighed_ndcg10(&self, cases: &[Case<'_>], answers: &[Answer]) -> f64 {
        let weight = |case| f64::from(self.context.data.target_weight(case).unwrap_or(1.0));
        let (mut sum, mut weights) = (0.0, 0.0);
        for (case, answer) in cases.iter().zip(answers) {
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
        let known = &self.trained.known;
        let device = model.backbone.items.val().device();
        let corrupted = self.valid.iter().zip(&self.corrupted);
        let corrupted: Vec<Case<'_>> = corrupted
            .map(|(case, (history, _))| case.corrupted(history))
            .collect();
        let ndcg10 = |cases: &[Case<'_>]| -> Result<f64> {
            let histories: Vec<&[u32]> = cases.iter().map(|case| case.history).collect();
            let readings = judge::read(model, &histories, known, &device).context(NO_DENOISER)?;
            let rule = config.keep.clone().context(NO_DENOISER)?;
            let kept = readings.iter().zip(cases).map(|(reading, case)| {
                let noise = probabilities(&reading.fused, config.gate.scale);
                let before = case.history.len() - noise.len();
                rule.histories(&noise, None).after(before)
            });
            let kept: Vec<KeptHistories> = kept.collect();
            let answers = judge::answer_over(model, cases, &kept, known, &device, |_| ());
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
    pub(super) fn verdicts(&self, model: &Model, known: &Known) -> Result<Verdicts> {
        let last = self.run.config.denoising.last;
        let device = model.backbone.items.val().device();
        let histories: Vec<LabelledHistory> =
            self.judges().map(|(_, history)| history.clone()).collect();
        let verdicts = judge::judge(model, &histories, last, known, &device);
        verdicts.context(NO_DENOISER)
    }

    /// The same verdicts, with the users treated as unseen: each is judged through the item table of the fold
    /// that was not trained on the user.
    pub(super) fn unseen_verdicts(&self, model: &Model) -> Result<Verdicts> {
        let (users, labelled): (Vec<usize>, Vec<&LabelledHistory>) = self.judges().unzip();
        let histories: Vec<&[u32]> = labelled.iter().map(|(items, _)| &items[..]).collect();
        let readings = self.unseen_readings(model, &users, &histories)?;
        let last = self.run.config.denoising.last;
        let mut verdicts = Verdicts::default();
        for (reading, (_, labels)) in readings.iter().zip(labelled) {
            verdicts.add_reading(reading, labels, last);
        }
        Ok(verdicts)
    }

    /// Noise logits of users' histories, each computed with the item table of the fold that was not trained
    /// on the user; with the model's own table if there are no folds.
    pub(super) fn unseen_readings(
        &self,
        model: &Model,
        users: &[usize],
        histories: &[&[u32]],
    ) -> Result<Vec<Reading>> {
        let eyes = (&self.trained.folds[..], &self.context.parts[..]);
        judge::read_by_fold(model, eyes, users, histories, &self.trained.known).context(NO_DENOISER)
    }
}

pub(super) const NO_DENOISER: &str = "a phase that trains a denoiser needs a method that has one";
