//! The loop over a training's phases and epochs: steps, validation, the best weights, checkpoints.

use super::Run;
use super::average::blend;
use super::backbone::Learner;
use super::checkpoint::{self, State, load_module, save_module, write_atomically};
use super::config::Schedule;
use super::epoch::{self, Context, Ended, Trained};
use super::judge::{self, LabelledHistory, Verdicts};
use super::run::BestOf;
use super::samples::latest;
use crate::data::{Case, Split};
use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::prelude::*;
use ingle_model::Model;
use ingle_model::methods::{Learns, Phase};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// A training under way.
pub(super) struct Trainer<'a> {
    run: &'a mut Run,
    context: &'a Context<'a>,
    trained: Trained,
    /// The mean of the weights over epochs, which is what is validated and kept.
    average: Model,
    state: State,
    phases: &'static [Phase],
    valid: Vec<Case<'a>>,
    /// The validation histories corrupted, where a denoiser is trained.
    corrupted: Vec<LabelledHistory>,
    since: Instant,
}

impl<'a> Trainer<'a> {
    /// From the run's checkpoint, or from the beginning.
    pub(super) fn start(run: &'a mut Run, context: &'a Context<'a>) -> Result<Self> {
        let fresh = run.fresh_model(context.data, &context.device)?;
        let phases = run.config.method.phases();
        let whole = checkpoint::Whole {
            average: fresh.valid(),
            model: fresh,
            optimizer: optimizer(),
            state: State::fresh(),
            moments: None,
        };
        let checkpoint::Whole {
            model,
            average,
            optimizer,
            state,
            moments,
        } = checkpoint::load(&run.dir, whole)?;
        keep_lines(&run.dir.join("metrics.jsonl"), state.lines)?;
        let valid = judge::cases(context.data, Split::Valid);
        let corrupted = corrupted(context, &valid, model.backbone.max_len());
        let mut trainer = Self {
            run,
            context,
            trained: Trained {
                model,
                optimizer,
                learner: None,
            },
            average,
            state,
            phases,
            valid,
            corrupted,
            since: Instant::now(),
        };
        trainer.trained.learner = trainer.learner();
        if let (Some(learner), Some(path)) = (&mut trainer.trained.learner, moments) {
            learner.load(&path)?;
        }
        Ok(trainer)
    }

    /// What trains the backbone by hand, where the phase learns it and the device is the CPU.
    fn learner(&self) -> Option<Learner> {
        let phase = self.phases.get(self.state.phase)?;
        let by_hand = phase.learns == Learns::Backbone && self.context.by_hand;
        by_hand.then(|| {
            let config = &self.run.config;
            let (model, counts) = (&self.trained.model, &self.context.counts);
            Learner::new(model, &config.backbone, &config.training, counts)
        })
    }

    /// All phases that are left; `false` if the person stopped it.
    pub(super) fn run(mut self) -> Result<bool> {
        while let Some(phase) = self.phases.get(self.state.phase) {
            let schedule = match phase.learns {
                Learns::Backbone => self.run.config.training.clone(),
                Learns::Denoiser => self.run.config.denoising.schedule(),
            };
            while !self.phase_over(&schedule) {
                if !self.epoch(phase, &schedule)? {
                    return Ok(false);
                }
            }
            self.end_phase(phase)?;
        }
        self.end()?;
        Ok(true)
    }

    fn phase_over(&self, schedule: &Schedule) -> bool {
        let best = self.state.best.map_or(0, |(_, epoch)| epoch);
        self.state.epoch >= schedule.epochs || self.state.epoch >= best + schedule.patience
    }

    /// One epoch with its validation and checkpoint; `false` if the person stopped it.
    fn epoch(&mut self, phase: &Phase, schedule: &Schedule) -> Result<bool> {
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
        let latest = self.trained.latest(phase, schedule);
        let before = self.state.epoch;
        self.average = blend(self.average.clone(), &latest, schedule.average, before);
        let (name, figure) = self.validate(phase)?;
        let state = &mut self.state;
        state.epoch += 1;
        (state.step, state.loss) = (0, (0.0, 0.0));
        if state.best.is_none_or(|(best, _)| figure > best) {
            state.best = Some((figure, state.epoch));
            save_module(&self.run.dir.join(best_file(phase)), &self.average)?;
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

    /// The figure a phase is selected by, on the validation split.
    fn validate(&self, phase: &Phase) -> Result<(&'static str, f64)> {
        let model = &self.average;
        let device = model.backbone.items.val().device();
        match phase.learns {
            Learns::Backbone => {
                let popularity = &self.context.popularity;
                let answers = judge::answer(model, None, &self.valid, popularity, &device, |_| ());
                Ok(("ndcg@10", judge::masked(&answers).ndcg10()))
            }
            Learns::Denoiser => {
                let auc = self
                    .verdicts(model, &device)?
                    .detection(1.0)
                    .map_or(0.0, |d| d.auc);
                Ok(("auc", auc))
            }
        }
    }

    /// The model's opinion of corrupted validation histories.
    fn verdicts(&self, model: &Model, device: &Device) -> Result<Verdicts> {
        let last = self.run.config.denoising.last;
        let popularity = &self.context.popularity;
        let verdicts = judge::judge(model, &self.corrupted, last, popularity, device);
        verdicts.context("a phase that trains a denoiser needs a method that has one")
    }

    fn end_phase(&mut self, phase: &Phase) -> Result<()> {
        let best = self.run.dir.join(best_file(phase));
        let trained = &mut self.trained;
        trained.model = load_module(&best, trained.model.clone())?;
        trained.optimizer = optimizer();
        self.average = trained.model.valid();
        let (value, epoch) = self.state.best.context("a phase has at least one epoch")?;
        let figure = match phase.learns {
            Learns::Backbone => "validation ndcg@10",
            Learns::Denoiser => "validation noise auc",
        };
        self.run
            .about
            .phases
            .retain(|done| done.phase != phase.name);
        self.run.about.phases.push(BestOf {
            phase: phase.name.to_owned(),
            figure: figure.to_owned(),
            value,
            epoch,
        });
        if phase.learns == Learns::Denoiser {
            let device = self.average.backbone.items.val().device();
            self.run.about.temperature =
                super::calibrate::temperature(&self.verdicts(&self.average, &device)?);
        }
        self.state.next_phase();
        self.trained.learner = self.learner();
        self.checkpoint()
    }

    fn end(&mut self) -> Result<()> {
        save_module(&self.run.dir.join("model.bpk"), &self.average)?;
        self.run.about.finished = true;
        self.run.about.peak_memory = super::progress::peak_memory();
        self.account()
    }

    /// The run's own account goes first: once a checkpoint is past the end of a phase, what came of
    /// the phase could not be found out again.
    fn checkpoint(&mut self) -> Result<()> {
        self.account()?;
        checkpoint::save(
            &self.run.dir,
            [&self.trained.model, &self.average],
            &self.trained.optimizer,
            self.trained.learner.as_mut(),
            &self.state,
        )
    }

    /// Adds the time since the last call to the run's.
    fn account(&mut self) -> Result<()> {
        self.run.about.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        self.run.save()
    }

    fn log(&mut self, line: &serde_json::Value) -> Result<()> {
        let path = self.run.dir.join("metrics.jsonl");
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)?;
        writeln!(file, "{line}").with_context(|| format!("cannot write {}", path.display()))?;
        self.state.lines += 1;
        Ok(())
    }
}

/// The validation histories corrupted, the same at every epoch; none where no denoiser is trained.
fn corrupted(context: &Context<'_>, valid: &[Case<'_>], max_len: usize) -> Vec<LabelledHistory> {
    let Some(corruption) = &context.corruption else {
        return Vec::new();
    };
    let corrupt = |case: &Case<'_>| {
        let history = latest(case.history, max_len);
        corruption.apply(history, case.user, context.seed, u64::MAX)
    };
    valid.iter().map(corrupt).collect()
}

fn best_file(phase: &Phase) -> String {
    format!("best-{}.bpk", phase.name)
}

fn optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// Drops the lines of epochs that a resumed training will run again.
fn keep_lines(path: &Path, lines: usize) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(());
    };
    let kept: String = text.split_inclusive('\n').take(lines).collect();
    write_atomically(path, kept.as_bytes())
}
