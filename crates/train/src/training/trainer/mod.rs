//! The loop over a training's phases and epochs: steps, validation, the best weights, checkpoints.

mod choose;
mod finish;
mod tables;
mod teach;
mod validate;

use super::Run;
use super::average::blend;
use super::backbone::Learner;
use super::checkpoint::{self, State, load_module, save_module};
use super::coder::{read_codes, write_codes};
use super::config::Schedule;
use super::epoch::{self, Context, Ended, Trained};
use super::judge::{self, LabelledHistory};
use super::rounds::dynamics::Dynamics;
use super::run::{CODER, CODES};
use super::samples::{latest, popularity};
use crate::data::{Case, Split};
use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::optim::{AdamConfig, ModuleOptimizer};
use ingle_model::methods::{Learns, Phase};
use ingle_model::{Known, Model};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::time::Instant;

/// The initial weights, saved if there are folds, which start from the same ones.
const FRESH: &str = "fresh.bpk";
/// Training metrics, one JSON line per epoch.
pub(super) const METRICS: &str = "metrics.jsonl";
/// The learning dynamics of the log's clicks.
pub(super) const DYNAMICS: &str = "dynamics.safetensors";

/// A training in progress.
pub(super) struct Trainer<'a> {
    run: &'a mut Run,
    context: &'a Context<'a>,
    trained: Trained,
    /// The moving average (EMA) of the weights over epochs; this model is validated and saved.
    average: Model,
    state: State,
    phases: Vec<Phase>,
    valid: Vec<Case<'a>>,
    /// The validation histories with noise added and labelled; empty if no denoiser is trained.
    corrupted: Vec<LabelledHistory>,
    since: Instant,
    /// Seconds spent in training steps since the current phase was entered.
    stepping: f64,
}

impl<'a> Trainer<'a> {
    /// Starts from the run's checkpoint, or from the beginning if there is none.
    pub(super) fn start(run: &'a mut Run, context: &'a Context<'a>) -> Result<Self> {
        let whole = checkpoint::load(&run.dir, begin(run, context)?)?;
        checkpoint::keep_lines(&run.dir.join(METRICS), whole.state.lines)?;
        let valid = judge::cases(context.data, Split::Valid);
        let max_len = whole.model.backbone.max_len();
        let draw = (run.config.denoising.rate, u64::MAX);
        let corrupted = corrupted(context, &valid, draw, max_len);
        let mut trainer = Self {
            phases: run.config.phases(),
            run,
            context,
            trained: Trained {
                model: whole.model,
                optimizer: whole.optimizer,
                learner: None,
                coder: None,
                known: Known::popularity(popularity(&context.counts)),
                folds: Vec::new(),
                dynamics: None,
                beliefs: None,
                lessons: None,
            },
            average: whole.average,
            state: whole.state,
            valid,
            corrupted,
            since: Instant::now(),
            stepping: 0.0,
        };
        trainer.equip()?;
        if let (Some(learner), Some(path)) = (&mut trainer.trained.learner, whole.moments) {
            learner.load(&path)?;
        }
        if let (Some(coder), Some(dir)) = (&mut trainer.trained.coder, &whole.dir) {
            coder.load(dir)?;
        }
        if let (Some(dynamics), Some(dir)) = (&mut trainer.trained.dynamics, &whole.dir) {
            dynamics.load(&dir.join(DYNAMICS))?;
        }
        Ok(trainer)
    }

    /// Prepares what the current phase needs beside the model: the learner of the backbone, the coder of
    /// semantic codes, and the results of earlier phases.
    fn equip(&mut self) -> Result<()> {
        let phase = self.phases.get(self.state.phase).cloned();
        let learns = phase.as_ref().map(|phase| phase.learns);
        self.take_tables()?;
        let config = &self.run.config;
        let (model, counts) = (&self.trained.model, &self.context.counts);
        let by_hand = self.context.by_hand && learns.is_some_and(Learns::ranks);
        let learner = by_hand.then(|| {
            let learner = Learner::new(model, &config.backbone, &config.training, counts);
            match learns {
                Some(Learns::Recommender) => learner.encoder_only(config.denoising.attention),
                Some(Learns::Encoder) => learner.encoder_only(0.0),
                _ => learner,
            }
        });
        let coder = match phase.as_ref().zip(config.method.code_width()) {
            Some((phase, width)) if phase.learns == Learns::Prior => {
                Some(self.coder(phase, width)?)
            }
            _ => None,
        };
        let watched = learns == Some(Learns::Backbone) && self.run.watches();
        self.trained.dynamics = watched.then(|| Dynamics::new(self.context.data));
        (self.trained.learner, self.trained.coder) = (learner, coder);
        self.trained.lessons = None;
        self.stepping = 0.0;
        let done = &self.phases[..self.state.phase];
        if done.iter().any(|p| p.learns == Learns::Prior) {
            // Codes of the latest round.
            self.trained.known.codes = Some(read_codes(&self.run.dir.join(CODES))?);
        }
        self.trained.beliefs = match phase {
            None => None,
            Some(phase) => self.beliefs(&phase)?,
        };
        Ok(())
    }

    /// Runs all remaining phases; `false` if the user interrupted it.
    pub(super) fn run(mut self) -> Result<bool> {
        while let Some(phase) = self.phases.get(self.state.phase).cloned() {
            if !self.phase(&phase)? {
                return Ok(false);
            }
            self.end_phase(&phase)?;
        }
        self.end()?;
        Ok(true)
    }

    /// Runs one phase; `false` if the user interrupted it.
    fn phase(&mut self, phase: &Phase) -> Result<bool> {
        if phase.learns == Learns::Reader {
            return self.read_log(phase);
        }
        if phase.learns == Learns::Recommender && self.state.best.is_none() {
            // The weights before this phase count as its first candidate: they are kept unless an epoch
            // improves on them.
            let (_, figure) = self.validate(phase)?;
            self.keep_best(phase, figure)?;
        }
        let schedule = self.schedule(phase);
        while !self.phase_over(&schedule) {
            if !self.epoch(phase, &schedule)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn schedule(&self, phase: &Phase) -> Schedule {
        let config = &self.run.config;
        match phase.learns {
            Learns::Backbone => config.training.clone(),
            // As many epochs as the backbone's best one, so that folds fit their users as closely as the
            // backbone does.
            Learns::Fold(_) => Schedule {
                epochs: self.run.about.phases.first().map_or(1, |best| best.epoch),
                ..config.training.clone()
            },
            Learns::Prior | Learns::Denoiser => config.denoising.schedule(phase.round),
            Learns::Encoder => (config.training).of_encoder(config.denoising.consensus_epochs),
            Learns::Recommender => {
                (config.training).of_encoder(config.denoising.recommender_epochs)
            }
            Learns::Reader => unreachable!("a language model has epochs of its own"),
        }
    }

    fn phase_over(&self, schedule: &Schedule) -> bool {
        let best = self.state.best.map_or(0, |(_, epoch)| epoch);
        self.state.epoch >= schedule.epochs || self.state.epoch >= best + schedule.patience
    }

    /// One epoch with its validation and checkpoint; `false` if the user interrupted it.
    fn epoch(&mut self, phase: &Phase, schedule: &Schedule) -> Result<bool> {
        if phase.learns == Learns::Recommender {
            self.trained.lessons = Some(self.kept_lessons()?);
        }
        let start = Instant::now();
        let Self {
            context,
            trained,
            state,
            ..
        } = self;
        let ended = epoch::run(context, phase, schedule, trained, state)?;
        let Ended::Complete(loss, clicks) = ended else {
            self.checkpoint()?;
            return Ok(false);
        };
        let seconds = start.elapsed().as_secs_f64();
        self.stepping += seconds;
        let latest = self.trained.latest(phase, schedule);
        let before = self.state.epoch;
        self.average = blend(self.average.clone(), &latest, schedule.average, before);
        let (name, figure) = self.validate(phase)?;
        let state = &mut self.state;
        state.epoch += 1;
        (state.step, state.loss) = (0, (0.0, 0.0));
        if state.best.is_none_or(|(best, _)| figure > best) {
            self.keep_best(phase, figure)?;
        }
        let (best, best_epoch) = self.state.best.unwrap_or((figure, self.state.epoch));
        let epoch = self.state.epoch;
        self.context.progress.line(&format!(
            "{} {epoch:>3}  loss {loss:.4}  valid {name} {figure:.4}  best {best:.4} (epoch {best_epoch})  {seconds:.1} s, {:.0} clicks/s",
            phase.name, clicks / seconds
        ));
        self.log(&json!({
            "phase": phase.name, "epoch": epoch, "loss": loss, name: figure,
            "seconds": seconds, "validation_seconds": start.elapsed().as_secs_f64() - seconds,
            "clicks": clicks,
        }))?;
        self.checkpoint()?;
        Ok(true)
    }

    /// Saves the averaged weights as the best of the phase.
    fn keep_best(&mut self, phase: &Phase, figure: f64) -> Result<()> {
        self.state.best = Some((figure, self.state.epoch));
        save_module(&self.run.dir.join(best_file(phase)), &self.average)?;
        if let Some(coder) = &self.trained.coder {
            write_codes(&self.run.dir.join(CODES), &coder.codes())?;
            coder.keep(&self.run.dir.join(CODER))?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        // Runs of earlier versions have not chosen a rule yet.
        self.choose()?;
        save_module(&self.run.dir.join("model.bpk"), &self.average)?;
        self.run.about.finished = true;
        self.run.about.peak_memory = super::progress::peak_memory();
        self.account()
    }

    /// Saves the run's own file first: once the checkpoint is past the end of a phase, that phase's results
    /// cannot be computed again.
    fn checkpoint(&mut self) -> Result<()> {
        self.account()?;
        let Self { run, trained, .. } = self;
        checkpoint::save(
            &run.dir,
            [&trained.model, &self.average],
            &self.state,
            |dir| {
                trained.optimizer.save(dir.join("optimizer.bpk"))?;
                if let Some(learner) = &mut trained.learner {
                    learner.save(&dir.join(checkpoint::MOMENTS))?;
                }
                if let Some(coder) = &trained.coder {
                    coder.save(dir)?;
                }
                if let Some(dynamics) = &mut trained.dynamics {
                    dynamics.save(&dir.join(DYNAMICS))?;
                }
                Ok(())
            },
        )
    }

    /// Adds the time since the last call to the run's total and saves the run.
    fn account(&mut self) -> Result<()> {
        self.run.about.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        self.run.save()
    }

    fn log(&mut self, line: &serde_json::Value) -> Result<()> {
        let path = self.run.dir.join(METRICS);
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)?;
        writeln!(file, "{line}").with_context(|| format!("cannot write {}", path.display()))?;
        self.state.lines += 1;
        Ok(())
    }
}

/// The initial state: fresh weights, or what was taken over from another run. If there is a checkpoint, only
/// the shapes matter.
fn begin(run: &Run, context: &Context<'_>) -> Result<checkpoint::Whole> {
    let phases = run.config.phases();
    let mut state = State::fresh();
    let mut model = match checkpoint::find(&run.dir) {
        None => run.fresh_model(context.data, &context.device)?,
        Some(_) => run.blank_model(&context.device),
    };
    if checkpoint::find(&run.dir).is_none() {
        if phases.iter().any(|p| matches!(p.learns, Learns::Fold(_))) {
            save_module(&run.dir.join(FRESH), &model)?;
        }
        state.phase = run.about.phases.len();
        let backbones = |phase: &&Phase| matches!(phase.learns, Learns::Backbone | Learns::Encoder);
        if let Some(backbone) = phases[..state.phase].iter().rfind(backbones) {
            let next = phases.get(state.phase).map(|phase| phase.learns);
            if !matches!(next, Some(Learns::Fold(_))) {
                model = load_module(&run.dir.join(best_file(backbone)), model)?;
            }
            state.lines = fs::read_to_string(run.dir.join(METRICS))?.lines().count();
        }
    }
    Ok(checkpoint::Whole {
        average: model.valid(),
        model,
        optimizer: optimizer(),
        state,
        moments: None,
        dir: None,
    })
}

/// The validation histories with noise added at `rate`, drawn from `stream`, and their labels. If the log
/// came with labels, the histories stay unchanged. Empty if no denoiser is trained.
fn corrupted(
    context: &Context<'_>,
    valid: &[Case<'_>],
    (rate, stream): (f64, u64),
    max_len: usize,
) -> Vec<LabelledHistory> {
    let Some(corruption) = &context.corruption else {
        return Vec::new();
    };
    let corruption = corruption.at_rate(rate);
    let corrupt = |case: &Case<'_>| {
        let history = latest(case.history, max_len);
        match case.noise.filter(|_| context.knows_noise()) {
            Some(noise) => (history.to_vec(), latest(noise, max_len).to_vec()),
            None => corruption.apply(history, case.user, context.seed, stream),
        }
    };
    valid.iter().map(corrupt).collect()
}

pub(super) fn best_file(phase: &Phase) -> String {
    format!("best-{}.bpk", phase.name)
}

pub(super) fn fold_file(phase: &Phase) -> String {
    format!("{}.safetensors", phase.name)
}

pub(super) fn optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}
