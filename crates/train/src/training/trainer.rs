//! The loop over a training's phases and epochs: steps, validation, the best weights, checkpoints.

use super::Run;
use super::average::blend;
use super::backbone::Learner;
use super::checkpoint::{self, State, load_module, save_module};
use super::coder::{self, Coder, read_codes, write_codes};
use super::config::Schedule;
use super::epoch::{self, Context, Ended, Trained};
use super::folds;
use super::judge::{self, LabelledHistory, Verdicts};
use super::run::{BestOf, CODES};
use super::samples::{latest, popularity, tensor};
use crate::data::{Case, Split};
use crate::metrics::detection::Detection;
use crate::prior::open_lm;
use anyhow::{Context as _, Result, ensure};
use burn::module::{Module, Param};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::prelude::*;
use ingle_bundle::Scale;
use ingle_model::methods::{Learns, Phase, Views};
use ingle_model::{Known, Model};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::time::Instant;

/// What training began with, where folds begin there too.
const FRESH: &str = "fresh.bpk";

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
        let fresh = match checkpoint::find(&run.dir) {
            None => run.fresh_model(context.data, &context.device)?,
            Some(_) => run.blank_model(&context.device),
        };
        let folds = |phase: &Phase| matches!(phase.learns, Learns::Fold(_));
        if checkpoint::find(&run.dir).is_none() && run.config.method.phases().iter().any(folds) {
            save_module(&run.dir.join(FRESH), &fresh)?;
        }
        let whole = checkpoint::Whole {
            average: fresh.valid(),
            model: fresh,
            optimizer: optimizer(),
            state: State::fresh(),
            moments: None,
            dir: None,
        };
        let whole = checkpoint::load(&run.dir, whole)?;
        checkpoint::keep_lines(&run.dir.join("metrics.jsonl"), whole.state.lines)?;
        let valid = judge::cases(context.data, Split::Valid);
        let max_len = whole.model.backbone.max_len();
        let rate = run.config.denoising.rate;
        let corrupted = corrupted(context, &valid, rate, max_len);
        let mut trainer = Self {
            phases: run.config.method.phases(),
            run,
            context,
            trained: Trained {
                model: whole.model,
                optimizer: whole.optimizer,
                learner: None,
                coder: None,
                known: Known::popularity(popularity(&context.counts)),
                folds: Vec::new(),
            },
            average: whole.average,
            state: whole.state,
            valid,
            corrupted,
            since: Instant::now(),
        };
        trainer.equip()?;
        if let (Some(learner), Some(path)) = (&mut trainer.trained.learner, whole.moments) {
            learner.load(&path)?;
        }
        if let (Some(coder), Some(dir)) = (&mut trainer.trained.coder, whole.dir) {
            coder.load(&dir)?;
        }
        Ok(trainer)
    }

    /// Brings what the current phase needs beside the model: what trains the backbone by hand, what
    /// learns codes, and what earlier phases have left behind.
    fn equip(&mut self) -> Result<()> {
        let learns = self.phases.get(self.state.phase).map(|phase| phase.learns);
        let config = &self.run.config;
        let (model, counts) = (&self.trained.model, &self.context.counts);
        let by_hand = self.context.by_hand && learns.is_some_and(Learns::ranks);
        let learner =
            by_hand.then(|| Learner::new(model, &config.backbone, &config.training, counts));
        let width = config
            .method
            .code_width()
            .filter(|_| learns == Some(Learns::Prior));
        let device = &self.context.device;
        let coder = match width {
            None => None,
            Some(width) => Some(Coder::new(self.features()?, width, optimizer(), device)),
        };
        (self.trained.learner, self.trained.coder) = (learner, coder);
        let done = &self.phases[..self.state.phase];
        if self.trained.known.codes.is_none() && done.iter().any(|p| p.learns == Learns::Prior) {
            self.trained.known.codes = Some(read_codes(&self.run.dir.join(CODES))?);
        }
        let folds = done.iter().filter(|p| matches!(p.learns, Learns::Fold(_)));
        for phase in folds.skip(self.trained.folds.len()) {
            let items = self.average.backbone.items.val();
            let [rows, width] = items.dims();
            let (columns, table) = folds::read(&self.run.dir.join(fold_file(phase)))?;
            ensure!(
                columns == width && table.len() == rows * width,
                "a fold of another shape"
            );
            let table = tensor(table, [rows, width], &items.device());
            self.trained.folds.push(table);
        }
        Ok(())
    }

    /// What codes are learnt from. A language model takes minutes to read all titles: what it makes of
    /// them is kept, and a training that goes on does without it.
    fn features(&self) -> Result<(Vec<f32>, usize)> {
        let (data, config) = (self.context.data, &self.run.config);
        let kept = self.run.dir.join("titles.safetensors");
        if kept.exists() {
            let (columns, values) = folds::read(&kept)?;
            return Ok((values, columns));
        }
        let folder = config.denoising.lm_folder();
        let lm = folder
            .map(|folder| open_lm(&folder, &Device::flex()))
            .transpose()?;
        let progress = self.context.progress;
        let (values, columns) = coder::features(data, config.seed, lm.as_ref(), progress);
        if lm.is_some() {
            folds::write(&kept, &values, columns)?;
        }
        Ok((values, columns))
    }

    /// All phases that are left; `false` if the person stopped it.
    pub(super) fn run(mut self) -> Result<bool> {
        while let Some(phase) = self.phases.get(self.state.phase) {
            let schedule = self.schedule(phase);
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

    fn schedule(&self, phase: &Phase) -> Schedule {
        let config = &self.run.config;
        match phase.learns {
            Learns::Backbone => config.training.clone(),
            // As far as the backbone was trained: it is to know as much of others as that does.
            Learns::Fold(_) => Schedule {
                epochs: self.run.about.phases.first().map_or(1, |best| best.epoch),
                ..config.training.clone()
            },
            Learns::Prior | Learns::Denoiser => config.denoising.schedule(),
        }
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
            if let Some(coder) = &self.trained.coder {
                write_codes(&self.run.dir.join(CODES), &coder.codes())?;
            }
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
        let known = &self.trained.known;
        let auc = |found: Option<Detection>| found.map_or(0.0, |found| found.auc);
        match phase.learns {
            Learns::Backbone | Learns::Fold(_) => {
                let answers = judge::answer(model, None, &self.valid, known, &device, |_| ());
                Ok(("ndcg@10", judge::masked(&answers).ndcg10()))
            }
            Learns::Prior => {
                // With the codes as they would ship.
                let codes = self.trained.coder.as_ref().map(Coder::codes);
                let known = Known {
                    codes: codes.or_else(|| known.codes.clone()),
                    ..known.clone()
                };
                let verdicts = self.verdicts(&self.corrupted, model, &known)?;
                let views = verdicts.by_view(Views::default());
                Ok(("auc", auc(views.map(|views| views.prior))))
            }
            Learns::Denoiser => {
                let verdicts = self.unseen_verdicts(model)?;
                Ok(("auc", auc(verdicts.detection(Scale::default()))))
            }
        }
    }

    /// A model's opinion of corrupted histories.
    fn verdicts(
        &self,
        histories: &[LabelledHistory],
        model: &Model,
        known: &Known,
    ) -> Result<Verdicts> {
        let last = self.run.config.denoising.last;
        let device = model.backbone.items.val().device();
        let verdicts = judge::judge(model, histories, last, known, &device);
        verdicts.context("a phase that trains a denoiser needs a method that has one")
    }

    /// Its opinion of the validation histories as if they were of shoppers whom the recommender does not
    /// know: each is judged by a fold that was trained without it. Without folds, as they are.
    fn unseen_verdicts(&self, model: &Model) -> Result<Verdicts> {
        let (folds, known) = (&self.trained.folds, &self.trained.known);
        if folds.is_empty() {
            return self.verdicts(&self.corrupted, model, known);
        }
        let mut all = Verdicts::default();
        for (fold, table) in folds.iter().enumerate() {
            let mut model = model.clone();
            model.backbone.items = Param::from_tensor(table.clone());
            let own = |user| folds::part(user, folds.len(), self.context.seed) == fold;
            let histories: Vec<LabelledHistory> = (self.valid.iter().zip(&self.corrupted))
                .filter(|(case, _)| own(case.user))
                .map(|(_, history)| history.clone())
                .collect();
            all.extend(self.verdicts(&histories, &model, known)?);
        }
        Ok(all)
    }

    fn end_phase(&mut self, phase: &Phase) -> Result<()> {
        let best = self.run.dir.join(best_file(phase));
        self.trained.model = load_module(&best, self.trained.model.clone())?;
        let (value, epoch) = self.state.best.context("a phase has at least one epoch")?;
        let figure = match phase.learns {
            Learns::Backbone => "validation ndcg@10",
            Learns::Fold(_) => "validation ndcg@10 of a fold",
            Learns::Prior => "validation noise auc of the prior",
            Learns::Denoiser => "validation noise auc",
        };
        let phases = &mut self.run.about.phases;
        phases.retain(|done| done.phase != phase.name);
        phases.push(BestOf {
            phase: phase.name.to_owned(),
            figure: figure.to_owned(),
            value,
            epoch,
        });
        match phase.learns {
            Learns::Fold(_) => self.keep_fold(phase)?,
            Learns::Denoiser => self.calibrate()?,
            Learns::Backbone | Learns::Prior => {}
        }
        self.state.next_phase();
        if let Some(Learns::Fold(_)) = self.phases.get(self.state.phase).map(|p| p.learns) {
            let fresh = load_module(&self.run.dir.join(FRESH), self.trained.model.clone())?;
            self.trained.model.backbone = fresh.backbone;
        }
        self.trained.optimizer = optimizer();
        self.average = self.trained.model.valid();
        self.equip()?;
        self.checkpoint()
    }

    /// Keeps a fold's item table, turned as the backbone's, and brings the backbone back.
    fn keep_fold(&mut self, phase: &Phase) -> Result<()> {
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

    /// Fits what makes logits probabilities, on histories judged as a stranger's and as a user's of the
    /// log.
    fn calibrate(&mut self) -> Result<()> {
        let model = self.trained.model.valid();
        let mut verdicts = self.unseen_verdicts(&model)?;
        verdicts.extend(self.verdicts(&self.corrupted, &model, &self.trained.known)?);
        let about = &mut self.run.about;
        (about.scale, about.views) = super::calibrate::scales(&verdicts);
        Ok(())
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
            self.trained.coder.as_ref(),
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
fn corrupted(
    context: &Context<'_>,
    valid: &[Case<'_>],
    rate: f64,
    max_len: usize,
) -> Vec<LabelledHistory> {
    let Some(corruption) = &context.corruption else {
        return Vec::new();
    };
    let corruption = corruption.at_rate(rate);
    let corrupt = |case: &Case<'_>| {
        let history = latest(case.history, max_len);
        corruption.apply(history, case.user, context.seed, u64::MAX)
    };
    valid.iter().map(corrupt).collect()
}

fn best_file(phase: &Phase) -> String {
    format!("best-{}.bpk", phase.name)
}

fn fold_file(phase: &Phase) -> String {
    format!("{}.safetensors", phase.name)
}

pub(super) fn optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}
