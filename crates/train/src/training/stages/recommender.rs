//! The recommender's encoder on kept histories, with a constant item table.

use super::epochs::{self, Epochs, Start};
use super::judging::NO_SCORER;
use super::{Inputs, Outcome, Stage, Training};
use crate::training::coder::Coder;
use crate::training::epoch::{Learns, ROUND};
use crate::training::judge::probabilities;
use crate::training::samples::Lesson;
use anyhow::{Context as _, Result};
use burn::module::Module;
use ingle_model::{Model, Rng};
use serde_json::{Value, json};
use std::path::Path;

/// Stream of the random lengths to which histories are cut.
const BEGINNING: u64 = 8;
/// Stream that draws which kept history is learnt from.
const KEPT: u64 = 9;

/// Trains the encoder.
pub(super) struct Recommender;

impl Stage for Recommender {
    fn name(&self) -> String {
        "recommender".to_owned()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        json!({
            "stage": "recommender",
            "number": inputs.number,
            "denoising": inputs.config.denoising,
            "keep": inputs.config.keep,
        })
    }

    fn figure(&self) -> &'static str {
        "validation ndcg@10 of what is kept of histories, clean and corrupted"
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let config = &training.run.config;
        let settings = &config.denoising;
        let schedule = config.training.of_encoder(settings.recommender_epochs);
        let course = training.course(self.name(), Learns::Encoder, schedule);
        let start = Start {
            attention: settings.attention,
            ..Start::of(training.model.clone())
        };
        epochs::train(self, &course, start, training)
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        training.take_backbone(dir)
    }
}

impl Epochs for Recommender {
    fn validate(
        &self,
        training: &Training<'_>,
        average: &Model,
        _: Option<&Coder>,
    ) -> Result<(&'static str, f64)> {
        let [clean, corrupted] = training.kept_ndcg10(average)?;
        Ok(("ndcg@10", f64::midpoint(clean, corrupted)))
    }

    /// Each sample is the beginning of a history, with some clicks replaced and without the clicks that one of the
    /// rule's thresholds leaves out. Only the beginning is scored: in a shop, too, the scorer has not seen the next
    /// click.
    fn lessons(
        &self,
        training: &Training<'_>,
        average: &Model,
        epoch: usize,
    ) -> Result<Option<Vec<Lesson>>> {
        let context = training.context;
        let model = average.valid();
        let max_len = model.backbone.max_len();
        let learning: Vec<usize> = (0..context.data.n_users())
            .filter(|&user| context.data.train(user).len() > 1)
            .collect();
        let stream = ROUND + epoch as u64;
        let rates = &context.denoising.recommender_rates;
        let hardening = (!rates.is_empty()).then(|| context.corruption().at_rates(rates));
        let lessons = context.lessons(&learning, max_len, hardening.as_ref(), stream);
        let lessons: Vec<Lesson> = (lessons.iter().zip(&learning))
            .map(|(lesson, &user)| {
                let place = [BEGINNING, stream, user as u64];
                lesson.beginning(&mut Rng::new(context.seed, &place))
            })
            .collect();
        let histories: Vec<&[u32]> = lessons.iter().map(|lesson| &lesson.items[..]).collect();
        let readings = training.unseen_readings(&model, &learning, &histories)?;
        let config = training.run.model_config();
        let rule = config.keep.context(NO_SCORER)?;
        let mut by_user = vec![Lesson::default(); context.data.n_users()];
        for ((user, lesson), reading) in learning.into_iter().zip(lessons).zip(&readings) {
            let noise = probabilities(&reading.fused, config.gate.scale);
            let kept = rule.histories(&noise, None);
            let place = [KEPT, stream, user as u64];
            let drawn = kept.draw(Rng::new(context.seed, &place).uniform());
            by_user[user] = lesson.without(drawn, &noise);
        }
        Ok(Some(by_user))
    }

    fn starts_as_best(&self) -> bool {
        true
    }
}
