//! A run: the folder that a training writes. It is created, opened and resumed here.
//!
//! ```text
//! RUN/config.toml     the configuration with all defaults
//! RUN/run.json        dataset, finished stages with their figures, calibration
//! RUN/counts.json     training clicks of each item
//! RUN/noise.safetensors    noise probability of each click, if the log is denoised
//! RUN/fresh.bpk       the initial weights of the backbone and of the folds
//! RUN/warm.bpk        the weights that the backbone starts with instead, if they are of an earlier run
//! RUN/stages/NAME/    what a stage made
//! RUN/checkpoint/     the state from which the current stage is resumed
//! RUN/metrics.jsonl   one line per epoch
//! RUN/rounds.json     the figures of each round
//! RUN/model.bpk       the final weights
//!
//! stages/backbone/    backbone.bpk; dynamics.safetensors, the learning dynamics of the log's clicks, if they are used
//! stages/fold-N/      backbone.bpk; table.safetensors, the item table rotated onto the backbone's
//! stages/encoder/     backbone.bpk, with the mean of the item tables
//! stages/titles/      titles.safetensors, title features of a language model
//! stages/reader/      the language model, and its scores of the log
//! stages/prior/       method.bpk, codes.safetensors, and coder.bpk, which makes codes from titles
//! stages/scorer/      method.bpk
//! stages/gate/        gate.json; disputed.jsonl, histories on which the views disagree most
//! ```

use super::checkpoint::{self, load_module, write_atomically};
use super::choice::Choice;
use super::coder::read_codes;
use super::config::{Config, Loss, lm_folder};
use super::device::Compute;
use super::dropping::{self, Dropped};
use super::embeddings;
use super::epoch::Context;
use super::folds;
use super::progress::Progress;
use super::samples::{Corruption, popularity, tensor};
use super::stages::{self, BACKBONE_STAGE, DYNAMICS, Inputs};
use super::warm::Warm;
use crate::data::corrupt::Part;
use crate::data::{Dataset, InputError, what_is};
use crate::reader::open_lm;
use anyhow::{Context as _, Result, bail};
use burn::module::Param;
use burn::prelude::*;
use ingle_bundle::Scale;
use ingle_model::backbone::Kind;
use ingle_model::gate::GateConfig;
use ingle_model::kept::Rule;
use ingle_model::methods::Views;
use ingle_model::{ItemFeatures, Model, ModelConfig};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const COUNTS: &str = "counts.json";
/// Semantic codes, for methods that use them.
pub const CODES: &str = "codes.safetensors";
const STAGES: &str = "stages";

/// Contents of `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Layout version of the run folder.
    pub version: u32,
    /// Version of the program that wrote it.
    pub ingle: String,
    /// Folder of the dataset.
    pub data: PathBuf,
    /// Hash of the dataset.
    pub data_hash: String,
    /// Number of items in the catalogue.
    pub items: usize,
    /// The device it is trained on.
    pub device: Compute,
    /// The finished stages.
    #[serde(default)]
    pub stages: Vec<Finished>,
    /// The origin of the noise probabilities, if the log is denoised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
    /// The run whose weights the backbone starts with, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<Warm>,
    /// Whether all stages are finished.
    pub finished: bool,
    /// Calibration from noise logits to probabilities, once fitted.
    pub scale: Scale,
    /// Calibration of each view, for methods with two views.
    pub views: Option<Views<Scale>>,
    /// How the keep rule was chosen, if the settings left it open.
    pub keep: Option<Choice>,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Peak memory, bytes.
    pub peak_memory: Option<u64>,
}

/// A finished stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Its name.
    pub stage: String,
    /// Hash over what it was made from.
    pub fingerprint: String,
    /// Its best epoch, if it has epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
}

/// The best epoch of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Name of the figure by which the epoch was selected.
    pub figure: String,
    /// Its value at the best epoch.
    pub value: f64,
    /// The epoch, counted from 1.
    pub epoch: usize,
}

impl About {
    /// The finished stages that have epochs, with their best ones.
    pub fn best(&self) -> impl Iterator<Item = (&str, &Best)> {
        let stages = self.stages.iter();
        stages.filter_map(|done| Some((&*done.stage, done.best.as_ref()?)))
    }
}

/// A run folder.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where it is.
    pub dir: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Contents of its `run.json`.
    pub about: About,
}

impl Run {
    /// Opens a run folder.
    ///
    /// # Errors
    /// If it is not a run folder, or was written by another version.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("run.json");
        let Ok(text) = fs::read(&path) else {
            return Err(InputError::other(format!(
                "{} is no run (it has no run.json): {}. `ingle train --out RUN` makes one",
                dir.display(),
                what_is(dir)
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

    /// Creates a run in an empty or new folder.
    pub fn create(
        dir: &Path,
        config: Config,
        device: Compute,
        data_dir: &Path,
        data: &Dataset,
    ) -> Result<Self> {
        let data = &*told(&config, data);
        if device != Compute::Cpu && config.training.negatives > 0 {
            bail!(InputError::other(
                "training.negatives needs --device cpu: other devices rank the whole catalogue"
            ));
        }
        if device != Compute::Cpu && config.training.loss == Loss::Binary {
            bail!(InputError::other(
                "training.loss = \"binary\" needs --device cpu: other devices minimise the softmax"
            ));
        }
        if config.method.denoises() {
            Corruption::new(&config.denoising, data)?;
            if let Some(folder) = lm_folder(&config.denoising) {
                open_lm(&folder, &Device::flex())?;
            }
        }
        embeddings::check(&config.training.embeddings, data)?;
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let about = About {
            version: checkpoint::VERSION,
            ingle: env!("CARGO_PKG_VERSION").to_owned(),
            data: fs::canonicalize(data_dir)?,
            data_hash: data.hash().to_owned(),
            items: data.n_items(),
            device,
            stages: Vec::new(),
            dropped: None,
            warm: None,
            finished: false,
            scale: Scale::default(),
            views: None,
            keep: None,
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

    pub(super) fn save(&self) -> Result<()> {
        write_atomically(
            &self.dir.join("run.json"),
            &serde_json::to_vec_pretty(&self.about)?,
        )
    }

    /// The model's configuration, with the calibration if it is fitted.
    pub fn model_config(&self) -> ModelConfig {
        ModelConfig {
            items: self.about.items,
            backbone: self.config.backbone.clone(),
            method: self.config.method.clone(),
            gate: GateConfig {
                scale: self.about.scale,
                views: self.about.views,
                ..GateConfig::default()
            },
            keep: self.config.method.denoises().then(|| self.rule()),
        }
    }

    /// The keep rule: that of the settings, else the chosen one, else four even thresholds if there were no folds to
    /// choose with.
    fn rule(&self) -> Rule {
        let set = self.config.keep.as_ref();
        let chosen = self.about.keep.as_ref().map(Choice::rule);
        set.or(chosen).cloned().unwrap_or_else(|| Rule::even(4))
    }

    /// The folder of a stage.
    pub fn stage_dir(&self, stage: &str) -> PathBuf {
        self.dir.join(STAGES).join(stage)
    }

    /// A stage, if it is finished.
    pub fn finished_stage(&self, stage: &str) -> Option<&Finished> {
        self.about.stages.iter().find(|done| done.stage == stage)
    }

    /// The file of that name of the last finished stage that made one.
    pub fn latest(&self, file: &str) -> Option<PathBuf> {
        let stages = self.about.stages.iter().rev();
        let mut files = stages.map(|done| self.stage_dir(&done.stage).join(file));
        files.find(|path| path.exists())
    }

    /// Whether the learning dynamics are used. They are not if clicks are dropped, as a dropped click has no loss, or
    /// if the backbone was taken over from a run that did not record them.
    pub(super) fn watches(&self) -> bool {
        let without = self.finished_stage(BACKBONE_STAGE).is_some()
            && !self.stage_dir(BACKBONE_STAGE).join(DYNAMICS).exists();
        self.config.watches() && self.about.dropped.is_none() && !without
    }

    /// What the stages are made from.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            config: &self.config,
            data: &self.about.data_hash,
            dropped: (self.about.dropped.as_ref()).map(|dropped| &*dropped.hash),
            warm: (self.about.warm.as_ref()).map(|warm| &*warm.hash),
            watches: self.watches(),
            number: 0,
        }
    }

    /// Whether the training is complete.
    pub fn finished(&self) -> bool {
        self.about.finished
    }

    /// Item features beside the embeddings.
    pub fn features(&self) -> Result<ItemFeatures> {
        let path = self.dir.join(COUNTS);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let counts: Vec<u32> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        let codes = self.latest(CODES).map(|path| read_codes(&path));
        Ok(ItemFeatures {
            popularity: popularity(&counts),
            codes: codes.transpose()?,
        })
    }

    /// A model of this shape with random weights.
    pub(super) fn blank_model(&self, device: &Device) -> Model {
        Model::new(&self.model_config(), self.config.seed, device)
    }

    /// The initial model: its item embeddings start from the titles as configured.
    pub(super) fn fresh_model(&self, data: &Dataset, device: &Device) -> Result<Model> {
        let mut model = self.blank_model(device);
        let items = &mut model.backbone.items;
        let [rows, width] = items.dims();
        let mut table: Vec<f32> = items.val().into_data().iter().collect();
        // Rows have the same length as random ones.
        let length = ingle_model::backbone::EMBEDDING_DEVIATION * (width as f32).sqrt();
        let beginning = &self.config.training.embeddings;
        let rest = &mut table[width..];
        embeddings::write(beginning, data, self.config.seed, width, length, rest)?;
        *items = Param::from_tensor(tensor(table, [rows, width], device).require_grad());
        Ok(model)
    }

    /// The error for commands that need a finished training.
    pub fn unfinished(&self) -> InputError {
        let dir = self.dir.display();
        InputError::other(format!(
            "the training in {dir} is not finished: `ingle train --resume --out {dir}` goes on"
        ))
    }

    /// The final model, for inference on `device`.
    pub fn model(&self, device: &Device) -> Result<Model> {
        if !self.finished() {
            return Err(self.unfinished().into());
        }
        load_module(&self.dir.join("model.bpk"), self.blank_model(device))
    }

    /// Trains until all stages are finished (`true`) or `stop` is set (`false`). `device` must be the one that the
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
        let data = &*told(&self.config, data);
        let counts = data.train_counts();
        let denoising = self.config.denoising.clone();
        let context = Context {
            data,
            counts,
            corruption: (self.config.method.denoises())
                .then(|| Corruption::new(&self.config.denoising, data))
                .transpose()?,
            noise: (self.about.dropped.as_ref())
                .map(|_| dropping::read(&self.dir, data))
                .transpose()?,
            parts: folds::parts(data, denoising.folds, self.config.seed),
            held_out: folds::held_out(data, denoising.holdout, self.config.seed),
            denoising: &denoising,
            seed: self.config.seed,
            device: device.clone().autodiff(),
            by_hand: self.about.device == Compute::Cpu
                && Kind::ALL.contains(&self.config.backbone.kind),
            stop,
            progress,
        };
        stages::train(self, &context)
    }
}

/// The dataset as training may see it. If noise was added to the log for an experiment, its labels are removed, as a
/// shop would not have them, unless the settings ask for them.
fn told<'a>(config: &Config, data: &'a Dataset) -> Cow<'a, Dataset> {
    let corruption = data.meta().corruption.as_ref();
    let hidden = corruption.is_some_and(|done| done.part == Part::Log);
    if hidden && config.denoising.log_labels != Some(true) {
        return Cow::Owned(data.clone().without_labels());
    }
    Cow::Borrowed(data)
}
