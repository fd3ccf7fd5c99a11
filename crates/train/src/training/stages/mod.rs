//! The stages of a training, one file each, and the loop over them.
//!
//! A stage reads some of the settings and uses the results of some earlier stages; its fingerprint is a hash over both.
//! What it makes lies in a folder of its own, `RUN/stages/NAME/`. `run.json` lists the finished stages. A training is
//! resumed at the first stage that is not finished, and a run takes over from another one every stage whose fingerprint
//! it has itself ([inherit](super::inherit)). To add a stage: a file with a [`Stage`], and a line in [`list`].

mod backbone;
mod choose;
mod epochs;
mod fold;
mod gate;
mod judging;
mod prior;
mod reader;
mod scorer;
mod tables;
mod titles;

pub(super) use backbone::NAME as BACKBONE_STAGE;
pub(super) use epochs::optimizer;
pub(super) use fold::table_file;
pub(super) use prior::CODER;

use super::checkpoint::{self, load_module, save_module};
use super::coder::read_codes;
use super::config::{Config, lm_folder};
use super::epoch::Context;
use super::judge::{self, LabelledHistory};
use super::metrics;
use super::run::{Best, CODES, Finished, Run};
use super::samples::{latest, popularity};
use super::warm;
use crate::data::{Case, InputError, Split};
use anyhow::{Context as _, Result, bail};
use burn::prelude::*;
use ingle_bundle::sha256_hex;
use ingle_model::methods::Part;
use ingle_model::{ItemFeatures, Model};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The initial weights of the backbone and of its folds, which start from the same ones.
const FRESH: &str = "fresh.bpk";
/// The learning dynamics of the log's clicks, among the backbone's results.
pub(super) const DYNAMICS: &str = "dynamics.safetensors";
/// Weights of a backbone.
const BACKBONE: &str = "backbone.bpk";
/// Weights of a method.
const METHOD: &str = "method.bpk";

/// A part of a training with results of its own.
pub(super) trait Stage {
    /// Its name, unique in a training: of its folder and in messages and metrics.
    fn name(&self) -> String;

    /// What it is, with the settings and inputs that it reads.
    fn reads(&self, inputs: &Inputs<'_>) -> Value;

    /// Whether it uses what this earlier stage made; a stage that does not say uses all.
    fn uses(&self, earlier: &str) -> bool {
        let _ = earlier;
        true
    }

    /// Whether it has a number of its own among the stages, which names its random draws.
    fn draws(&self) -> bool {
        true
    }

    /// The figure by which its best epoch was selected.
    fn figure(&self) -> &'static str {
        ""
    }

    /// Makes its results, from where it was interrupted.
    ///
    /// # Errors
    /// If files cannot be read or written, or the training diverges.
    fn run(&self, training: &mut Training<'_>) -> Result<Outcome>;

    /// Gives its results, which lie in `dir`, to the stages after it.
    ///
    /// # Errors
    /// If files cannot be read.
    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        let _ = (dir, training);
        Ok(())
    }
}

/// How a stage ended.
pub(super) enum Outcome {
    /// The user interrupted it.
    Interrupted,
    /// With its figure and the epoch it is of, if it has epochs.
    Finished(Option<(f64, usize)>),
}

/// What stages are made from.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    /// The settings.
    pub config: &'a Config,
    /// Hash of the dataset.
    pub data: &'a str,
    /// Hash of the noise probabilities by which clicks are dropped from the log, if they are.
    pub dropped: Option<&'a str>,
    /// Hash of the weights that the backbone starts with, if they are of an earlier run.
    pub warm: Option<&'a str>,
    /// Whether the learning dynamics are used.
    pub watches: bool,
    /// Number of the stage, which names its random draws.
    pub number: u64,
}

impl Inputs<'_> {
    /// The settings of `[denoising]` that scorers are trained by, without `keys`.
    fn denoising(&self, keys: &[&str]) -> Value {
        /// Read by other stages alone.
        const OTHERS: [&str; 6] = [
            "consensus_epochs",
            "folds",
            "language_model",
            "log_labels",
            "reader_histories",
            "rounds",
        ];
        let mut settings = json!(self.config.denoising);
        if let Some(settings) = settings.as_object_mut() {
            for key in OTHERS.iter().chain(keys) {
                settings.remove(*key);
            }
        }
        json!([settings, self.config.denoising.log_labels.unwrap_or(true)])
    }
}

/// The stages of a training, in order.
pub(super) fn list(config: &Config) -> Vec<Box<dyn Stage>> {
    let settings = &config.denoising;
    let mut stages: Vec<Box<dyn Stage>> = vec![Box::new(backbone::Backbone)];
    if !config.method.denoises() {
        return stages;
    }
    for part in 0..settings.folds {
        stages.push(Box::new(fold::Fold { part }));
    }
    if settings.folds > 0 && settings.consensus_epochs > 0 {
        stages.push(Box::new(tables::Tables));
    }
    if lm_folder(settings).is_some() && config.method.code_width().is_some() {
        stages.push(Box::new(titles::Titles));
    }
    for round in 1..=settings.rounds {
        let name = |name: &str| in_round(config, name, round);
        if config.reads() {
            let name = name(reader::NAME);
            stages.push(Box::new(reader::Reader { name, round }));
        }
        for (part, learns) in config.method.parts() {
            let name = name(part);
            stages.push(match learns {
                Part::Prior => Box::new(prior::Prior { name, round }),
                Part::Scorer => Box::new(scorer::Scorer { name, round }),
            });
        }
        let name = name(gate::NAME);
        stages.push(Box::new(gate::Gate { name, round }));
    }
    stages
}

/// Name of a stage in a round; it has no number in a training of one round.
fn in_round(config: &Config, name: &str, round: usize) -> String {
    match config.denoising.rounds {
        1 => name.to_owned(),
        _ => format!("{name}-{round}"),
    }
}

/// The number of each stage.
fn numbers(stages: &[Box<dyn Stage>]) -> Vec<u64> {
    let mut next = 0;
    let numbers = stages.iter().map(|stage| {
        let number = next;
        next += u64::from(stage.draws());
        number
    });
    numbers.collect()
}

/// The fingerprint of each stage.
pub(super) fn fingerprints(stages: &[Box<dyn Stage>], inputs: Inputs<'_>) -> Vec<String> {
    let mut earlier: Vec<(String, String)> = Vec::new();
    for (stage, number) in stages.iter().zip(numbers(stages)) {
        let used = earlier.iter().filter(|(name, _)| stage.uses(name));
        let used: Vec<&String> = used.map(|(_, fingerprint)| fingerprint).collect();
        let whole = json!([stage.reads(&Inputs { number, ..inputs }), used]).to_string();
        earlier.push((stage.name(), sha256_hex(whole.as_bytes())));
    }
    earlier.into_iter().map(|(_, hash)| hash).collect()
}

/// A training in progress: what the stages so far made.
pub(super) struct Training<'a> {
    /// The run.
    pub run: &'a mut Run,
    /// What stays the same.
    pub context: &'a Context<'a>,
    /// The best weights so far, on the device of the training.
    pub model: Model,
    /// Item features known so far.
    pub features: ItemFeatures,
    /// Item tables of the trained folds, on a device without autodiff.
    pub folds: Vec<Tensor<2>>,
    /// The validation cases.
    pub valid: Vec<Case<'a>>,
    /// The validation histories with noise added and labelled; empty if no scorer is trained.
    pub corrupted: Vec<LabelledHistory>,
    /// Number of the current stage.
    pub number: u64,
    since: Instant,
}

/// Runs all stages that are not finished; `false` if the user interrupted it.
///
/// # Errors
/// As the stages; and if the settings of a finished one have changed.
pub(super) fn train(run: &mut Run, context: &Context<'_>) -> Result<bool> {
    let stages = list(&run.config);
    let due = fingerprints(&stages, run.inputs());
    let names: Vec<String> = stages.iter().map(|stage| stage.name()).collect();
    unchanged(run, &names, &due)?;
    let position = checkpoint::position(&run.dir)?;
    metrics::keep(&run.dir, |stage, epoch| {
        let current = |state: &checkpoint::State| state.stage == stage && epoch <= state.epoch;
        run.finished_stage(stage).is_some() || position.as_ref().is_some_and(current)
    })?;
    let mut training = Training::start(run, context);
    let all = stages.len();
    for (at, (((stage, number), name), fingerprint)) in
        (stages.iter().zip(numbers(&stages)).zip(names).zip(due)).enumerate()
    {
        training.number = number;
        let dir = training.run.stage_dir(&name);
        if training.run.finished_stage(&name).is_some() {
            stage.load(&dir, &mut training)?;
            continue;
        }
        (context.progress).line(&format!("stage {} of {all}: {name}", at + 1));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let Outcome::Finished(best) = stage.run(&mut training)? else {
            training.account()?;
            return Ok(false);
        };
        stage.load(&dir, &mut training)?;
        training.run.about.stages.push(Finished {
            stage: name,
            fingerprint,
            best: best.map(|(value, epoch)| Best {
                figure: stage.figure().to_owned(),
                value,
                epoch,
            }),
        });
        training.account()?;
    }
    save_module(&training.run.dir.join("model.bpk"), &training.model.valid())?;
    training.run.about.finished = true;
    training.run.about.peak_memory = super::progress::peak_memory();
    training.account()?;
    Ok(true)
}

/// Refuses a run of which some finished stages were made from something else than they would be made from now.
fn unchanged(run: &Run, names: &[String], due: &[String]) -> Result<()> {
    for (name, due) in names.iter().zip(due) {
        if let Some(done) = run
            .finished_stage(name)
            .filter(|done| done.fingerprint != *due)
        {
            bail!(InputError::other(format!(
                "{} was trained with other settings than {} has now: change them back, or train anew",
                done.stage,
                run.dir.join("config.toml").display()
            )));
        }
    }
    Ok(())
}

impl<'a> Training<'a> {
    fn start(run: &'a mut Run, context: &'a Context<'a>) -> Self {
        let model = run.blank_model(&context.device);
        let valid = judge::cases(context.data, Split::Valid);
        let draw = (run.config.denoising.rate, u64::MAX);
        Self {
            corrupted: corrupted(context, &valid, draw, model.backbone.max_len()),
            model,
            run,
            context,
            features: ItemFeatures::popularity(popularity(&context.counts)),
            folds: Vec::new(),
            valid,
            number: 0,
            since: Instant::now(),
        }
    }

    /// The model with the initial backbone, which is saved: what it is made from may be gone when the training goes on.
    fn fresh(&self) -> Result<Model> {
        let path = self.run.dir.join(FRESH);
        if !path.exists() {
            let fresh = (self.run).fresh_model(self.context.data, &self.context.device)?;
            save_module(&path, &fresh.backbone)?;
        }
        self.with_backbone(&path)
    }

    /// The model with the backbone that the training of the backbone itself starts with.
    fn beginning(&self) -> Result<Model> {
        match &self.run.about.warm {
            Some(_) => self.with_backbone(&self.run.dir.join(warm::FILE)),
            None => self.fresh(),
        }
    }

    /// The model with the backbone of this file.
    fn with_backbone(&self, path: &Path) -> Result<Model> {
        Ok(Model {
            backbone: load_module(path, self.model.backbone.clone())?,
            method: self.model.method.clone(),
        })
    }

    fn take_backbone(&mut self, dir: &Path) -> Result<()> {
        self.model = self.with_backbone(&dir.join(BACKBONE))?;
        Ok(())
    }

    fn take_method(&mut self, dir: &Path) -> Result<()> {
        self.model.method = load_module(&dir.join(METHOD), self.model.method.clone())?;
        Ok(())
    }

    fn take_codes(&mut self, dir: &Path) -> Result<()> {
        if self.run.config.method.code_width().is_some() {
            self.features.codes = Some(read_codes(&dir.join(CODES))?);
        }
        Ok(())
    }

    /// Name of a stage in a round.
    fn in_round(&self, name: &str, round: usize) -> String {
        in_round(&self.run.config, name, round)
    }

    /// The folder of a stage.
    fn dir(&self, stage: &str) -> PathBuf {
        self.run.stage_dir(stage)
    }

    /// Adds the time since the last call to the run's total and saves the run.
    fn account(&mut self) -> Result<()> {
        self.run.about.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        self.run.save()
    }
}

/// The validation histories with noise added at `rate`, drawn from `stream`, and their labels. If the log
/// came with labels, the histories stay unchanged. Empty if no scorer is trained.
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
