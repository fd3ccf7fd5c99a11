//! What a phase learns from beside the log: titles, soft labels of clicks that were not replaced, and kept
//! histories.

use super::validate::NO_DENOISER;
use super::{DYNAMICS, Trainer, optimizer};
use crate::prior::open_lm;
use crate::training::coder::{self, Coder};
use crate::training::config::lm_folder;
use crate::training::epoch::ROUND;
use crate::training::folds;
use crate::training::judge::probabilities;
use crate::training::rounds::dynamics::Dynamics;
use crate::training::rounds::{from_dynamics, reader};
use crate::training::run::CODER;
use crate::training::samples::Lesson;
use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::prelude::*;
use ingle_model::Rng;
use ingle_model::methods::{Learns, Phase};

/// Stream of the random lengths to which histories are cut for the recommender.
const BEGINNING: u64 = 8;
/// Stream that draws which kept history the recommender learns from.
const KEPT: u64 = 9;

impl Trainer<'_> {
    /// The title features that codes are learnt from. A language model needs minutes to read all titles, so its
    /// features are saved and a resumed training reads them from the file.
    pub(super) fn features(&self) -> Result<(Vec<f32>, usize)> {
        let (data, config) = (self.context.data, &self.run.config);
        let kept = self.run.dir.join("titles.safetensors");
        if kept.exists() {
            let (columns, values) = folds::read(&kept)?;
            return Ok((values, columns));
        }
        let folder = lm_folder(&config.denoising);
        let lm = folder
            .map(|folder| open_lm(&folder, &Device::flex()))
            .transpose()?;
        let progress = self.context.progress;
        let (values, columns) = coder::features(
            data.items(),
            data.n_items(),
            config.seed,
            lm.as_ref(),
            progress,
        );
        if lm.is_some() {
            folds::write(&kept, &values, columns)?;
        }
        Ok((values, columns))
    }

    /// The learner of codes for this phase; from the second round on it continues with the weights of the last
    /// round.
    pub(super) fn coder(&self, phase: &Phase, width: usize) -> Result<Coder> {
        let (seed, device) = (self.run.config.seed, &self.context.device);
        let coder = Coder::new(self.features()?, width, seed, optimizer(), device);
        match phase.round {
            0 | 1 => Ok(coder),
            _ => coder.from(&self.run.dir.join(CODER)),
        }
    }

    /// Whether a language model reads the log.
    pub(super) fn reads(&self) -> bool {
        self.phases
            .iter()
            .any(|phase| phase.learns == Learns::Reader)
    }

    /// Soft labels: the noise probability of each training click by user, from the teacher of the view that the
    /// phase trains. The prior's teacher is the language model, the posterior's is the learning dynamics. `None` if
    /// there is no teacher.
    pub(super) fn beliefs(&self, phase: &Phase) -> Result<Option<Vec<Vec<f32>>>> {
        let (dir, data) = (&self.run.dir, self.context.data);
        let settings = &self.run.config.denoising;
        match phase.learns {
            Learns::Prior if self.reads() && settings.reading > 0.0 => {
                let mut beliefs = reader::beliefs(dir, data, phase.round)?;
                (beliefs.iter_mut().flatten()).for_each(|belief| *belief *= settings.reading);
                Ok(Some(beliefs))
            }
            Learns::Denoiser if self.run.watches() => {
                let believed = if self.reads() {
                    reader::beliefs(dir, data, phase.round)?
                } else {
                    let row = |user| vec![settings.rate as f32; data.train(user).len()];
                    (0..data.n_users()).map(row).collect()
                };
                let mut dynamics = Dynamics::new(data);
                dynamics.load(&dir.join(DYNAMICS))?;
                let weight = settings.dynamics;
                Ok(Some(from_dynamics(data, &dynamics, &believed, weight)))
            }
            _ => Ok(None),
        }
    }

    /// Fits the round's language model and scores the log with it; `false` if the user interrupted it.
    pub(super) fn read_log(&mut self, phase: &Phase) -> Result<bool> {
        let (run, context) = (&self.run, self.context);
        let (stop, progress) = (context.stop, context.progress);
        let round = phase.round;
        let done = reader::work(&run.dir, &run.config, context.data, round, (stop, progress))?;
        self.state.best = done
            .and_then(|prior| prior.about.valid)
            .map(|valid| (valid.auc, valid.epoch));
        self.account()?;
        Ok(self.state.best.is_some())
    }

    /// The recommender's training samples for the current epoch, by user. Each is the beginning of a history, with
    /// some clicks replaced and without the clicks that one of the rule's thresholds leaves out. Only the beginning
    /// is scored: in a shop, too, the scorer has not seen the next click.
    pub(super) fn kept_lessons(&self) -> Result<Vec<Lesson>> {
        let context = self.context;
        let model = self.average.valid();
        let max_len = model.backbone.max_len();
        let learning: Vec<usize> = (0..context.data.n_users())
            .filter(|&user| context.data.train(user).len() > 1)
            .collect();
        let stream = ROUND + self.state.epoch as u64;
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
        let readings = self.unseen_readings(&model, &learning, &histories)?;
        let config = self.run.model_config();
        let rule = config.keep.context(NO_DENOISER)?;
        let mut by_user = vec![Lesson::default(); context.data.n_users()];
        for ((user, lesson), reading) in learning.into_iter().zip(lessons).zip(&readings) {
            let noise = probabilities(&reading.fused, config.gate.scale);
            let kept = rule.histories(&noise, None);
            let place = [KEPT, stream, user as u64];
            let drawn = kept.draw(Rng::new(context.seed, &place).uniform());
            by_user[user] = lesson.without(drawn, &noise);
        }
        Ok(by_user)
    }
}
