//! A run: the folder a training writes, and the loop over phases and epochs.
//!
//! ```text
//! RUN/config.toml     the configuration as resolved
//! RUN/run.json        dataset, seed, figures of the best epochs, calibration
//! RUN/counts.json     clicks of each item in training
//! RUN/metrics.jsonl   one line an epoch
//! RUN/checkpoint/     where a resumed training goes on
//! RUN/model.bpk       the best weights
//! ```

use super::average::blend;
use super::backbone::Learner;
use super::checkpoint::{self, State, load_model, save_model, write_atomically};
use super::config::{Config, Schedule};
use super::device::Compute;
use super::embeddings;
use super::epoch::{self, Context, Ended, Trained};
use super::judge::{self, LabelledHistory, Verdicts};
use super::progress::Progress;
use super::samples::{Corruption, latest, popularity, tensor};
use crate::data::{Case, Dataset, InputError, Split};
use anyhow::{Context as _, Result, bail};
use burn::module::{Module, Param};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::prelude::*;
use ingle_model::methods::{Learns, Phase};
use ingle_model::{Model, ModelConfig};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const COUNTS: &str = "counts.json";

/// What a run says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Layout version of the run folder.
    pub version: u32,
    /// The program's version.
    pub ingle: String,
    /// Folder of the dataset.
    pub data: PathBuf,
    /// Hash of the dataset.
    pub data_hash: String,
    /// Items of the catalogue.
    pub items: usize,
    /// Where it is trained.
    pub device: Compute,
    /// Best validation figure of each finished phase.
    pub phases: Vec<BestOf>,
    /// Whether all phases are done.
    pub finished: bool,
    /// Fitted temperature of the noise logits.
    pub temperature: f32,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Most memory held, bytes.
    pub peak_memory: Option<u64>,
}

/// The best epoch of a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestOf {
    /// The phase.
    pub phase: String,
    /// What it was selected by.
    pub figure: String,
    /// The best value.
    pub value: f64,
    /// The epoch, counted from 1.
    pub epoch: usize,
}

/// A run folder.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where it is.
    pub dir: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// What it says of itself.
    pub about: About,
}

impl Run {
    /// Opens a run folder.
    ///
    /// # Errors
    /// If it is none, or of another version.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("run.json");
        let Ok(text) = fs::read(&path) else {
            let dir = dir.display();
            return Err(InputError::other(format!(
                "{dir} is no run folder: it has no run.json; `ingle train --out {dir}` makes one"
            ))
            .into());
        };
        let about: About = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        if about.version != checkpoint::VERSION {
            bail!(
                "{} was written by another version (layout {}, this is {}): train anew",
                dir.display(),
                about.version,
                checkpoint::VERSION
            );
        }
        let config = Config::read(&dir.join("config.toml"))?;
        Ok(Self {
            dir: dir.to_owned(),
            config,
            about,
        })
    }

    /// Begins a run in an empty or new folder.
    pub fn create(
        dir: &Path,
        config: Config,
        device: Compute,
        data_dir: &Path,
        data: &Dataset,
    ) -> Result<Self> {
        if device != Compute::Cpu && config.training.negatives > 0 {
            bail!(InputError::other(
                "training.negatives needs --device cpu: other devices rank the whole catalogue"
            ));
        }
        if config.method.denoises() {
            Corruption::new(&config.denoising, data)?;
        }
        if !config.training.embeddings.is_empty() {
            let path = Path::new(&config.training.embeddings);
            embeddings::read(path, data)?;
        }
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let about = About {
            version: checkpoint::VERSION,
            ingle: env!("CARGO_PKG_VERSION").to_owned(),
            data: fs::canonicalize(data_dir)?,
            data_hash: data.hash().to_owned(),
            items: data.n_items(),
            device,
            phases: Vec::new(),
            finished: false,
            temperature: 1.0,
            seconds: 0.0,
            peak_memory: None,
        };
        let run = Self {
            dir: dir.to_owned(),
            config,
            about,
        };
        let text = toml::to_string(&run.config)?;
        write_atomically(&dir.join("config.toml"), text.as_bytes())?;
        write_atomically(
            &dir.join(COUNTS),
            &serde_json::to_vec(&data.train_counts())?,
        )?;
        run.save()?;
        Ok(run)
    }

    fn save(&self) -> Result<()> {
        write_atomically(
            &self.dir.join("run.json"),
            &serde_json::to_vec_pretty(&self.about)?,
        )
    }

    /// Shape of the model, with the calibration as far as it is fitted.
    pub fn model_config(&self) -> ModelConfig {
        let mut gate = self.config.gate;
        gate.temperature = self.about.temperature;
        ModelConfig {
            items: self.about.items,
            backbone: self.config.backbone.clone(),
            method: self.config.method.clone(),
            gate,
        }
    }

    /// `ln(1 + clicks)` of each item in training, by index, entry 0 for padding.
    pub fn popularity(&self) -> Result<Vec<f32>> {
        let path = self.dir.join(COUNTS);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let counts: Vec<u32> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        Ok(popularity(&counts))
    }

    /// The model that training begins with; one that goes on brings its own embeddings.
    fn fresh_model(&self, data: &Dataset, device: &Device) -> Result<Model> {
        let mut model = Model::new(&self.model_config(), self.config.seed, device);
        let path = Path::new(&self.config.training.embeddings);
        if !path.as_os_str().is_empty() && checkpoint::find(&self.dir).is_none() {
            let width = self.config.backbone.width;
            // As long as those drawn at random.
            let length = ingle_model::backbone::EMBEDDING_DEVIATION * (width as f32).sqrt();
            let mut table = vec![0.0; width];
            table.extend(embeddings::initial(path, data, width, length)?);
            let table = tensor(table, [self.about.items + 1, width], device);
            model.backbone.items = Param::from_tensor(table.require_grad());
        }
        Ok(model)
    }

    /// The best weights, for inference on `device`.
    pub fn model(&self, device: &Device) -> Result<Model> {
        if !self.about.finished {
            let dir = self.dir.display();
            return Err(InputError::other(format!(
                "the training in {dir} is not finished: `ingle train --resume --out {dir}` goes on"
            ))
            .into());
        }
        let fresh = Model::new(&self.model_config(), self.config.seed, device);
        load_model(&self.dir.join("model.bpk"), fresh)
    }

    /// Trains until all phases are done (`true`) or `stop` is set (`false`). `device` is the one the
    /// run was created for.
    pub fn train(
        &mut self,
        data: &Dataset,
        device: &Device,
        stop: &AtomicBool,
        progress: &Progress,
    ) -> Result<bool> {
        if data.hash() != self.about.data_hash {
            bail!(InputError::other(format!(
                "the dataset has changed since this run began (its hash was {}, now {}): train anew",
                self.about.data_hash,
                data.hash()
            )));
        }
        let counts = data.train_counts();
        let context = Context {
            data,
            popularity: popularity(&counts),
            counts,
            corruption: (self.config.method.denoises())
                .then(|| Corruption::new(&self.config.denoising, data))
                .transpose()?,
            seed: self.config.seed,
            device: device.clone().autodiff(),
            by_hand: self.about.device == Compute::Cpu,
            stop,
            progress,
        };
        Trainer::start(self, &context)?.run()
    }
}

/// A training under way.
struct Trainer<'a> {
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
    fn start(run: &'a mut Run, context: &'a Context<'a>) -> Result<Self> {
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
        let max_len = model.backbone.max_len();
        let corrupted = (context.corruption.iter())
            .flat_map(|corruption| {
                valid.iter().map(move |case| {
                    let history = latest(case.history, max_len);
                    corruption.apply(history, case.user, context.seed, u64::MAX)
                })
            })
            .collect();
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

    fn run(mut self) -> Result<bool> {
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
            save_model(&self.run.dir.join(best_file(phase)), &self.average)?;
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
        trained.model = load_model(&best, trained.model.clone())?;
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
        save_model(&self.run.dir.join("model.bpk"), &self.average)?;
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
