//! A run: the folder a training writes, and how it is opened, begun and gone on with.
//!
//! ```text
//! RUN/config.toml     the configuration as resolved
//! RUN/run.json        dataset, seed, figures of the best epochs, calibration
//! RUN/counts.json     clicks of each item in training
//! RUN/codes.safetensors    semantic codes, in a method that reads any
//! RUN/best-coder.bpk  what made them of the titles
//! RUN/titles.safetensors   what a language model made of the titles
//! RUN/fold-N.safetensors   item tables of the folds, turned as the backbone's
//! RUN/noise.safetensors    how likely each click is noise, where the log is learnt without its noise
//! RUN/dynamics.safetensors how the log's clicks were learnt
//! RUN/reader-N/       the language model of a round, and what it made of the log
//! RUN/disputed-N.jsonl     histories that the views dispute after a round
//! RUN/rounds.json     what each round came to
//! RUN/fresh.bpk       the weights that training and folds begin with
//! RUN/best-PHASE.bpk  the best weights of each phase
//! RUN/metrics.jsonl   one line an epoch
//! RUN/checkpoint/     where a resumed training goes on
//! RUN/model.bpk       the best weights
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
use super::trainer::Trainer;
use crate::data::corrupt::Part;
use crate::data::{Dataset, InputError};
use crate::prior::open_lm;
use anyhow::{Context as _, Result, bail};
use burn::module::Param;
use burn::prelude::*;
use ingle_bundle::Scale;
use ingle_model::gate::GateConfig;
use ingle_model::kept::Rule;
use ingle_model::methods::{Learns, Phase, Views};
use ingle_model::{Known, Model, ModelConfig};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const COUNTS: &str = "counts.json";
/// Semantic codes, in a method that reads any.
pub(super) const CODES: &str = "codes.safetensors";
/// What made them of the titles.
pub(super) const CODER: &str = "best-coder.bpk";

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
    /// What the log was learnt without, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
    /// Whether all phases are done.
    pub finished: bool,
    /// How noise logits become probabilities, once that is fitted.
    pub scale: Scale,
    /// The same for each view of a method that has two.
    pub views: Option<Views<Scale>>,
    /// How it was chosen which clicks count, where the settings left that open.
    pub keep: Option<Choice>,
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
        if device != Compute::Cpu
            && config.method.denoises()
            && config.denoising.recommender_epochs > 0
        {
            bail!(InputError::other(
                "denoising.recommender_epochs needs --device cpu: set it to 0 on other devices"
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
            phases: Vec::new(),
            dropped: None,
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

    /// Shape of the model, with the calibration as far as it is fitted.
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

    /// How the histories are chosen that are ranked over: as the settings say, or as training found best, or, where
    /// there is nobody to ask, by four thresholds.
    fn rule(&self) -> Rule {
        let set = self.config.keep.as_ref();
        let chosen = self.about.keep.as_ref().map(Choice::rule);
        set.or(chosen).cloned().unwrap_or_else(|| Rule::even(4))
    }

    /// Whether the learning dynamics teach anybody. A click that is left out has none.
    pub(super) fn watches(&self) -> bool {
        self.config.watches() && self.about.dropped.is_none()
    }

    /// Whether it is still to be chosen which clicks count.
    pub(super) fn to_choose(&self) -> bool {
        let asked = |phase: &Phase| matches!(phase.learns, Learns::Fold(_));
        let open = self.config.keep.is_none() && self.about.keep.is_none();
        open && self.config.method.denoises() && self.config.phases().iter().any(asked)
    }

    /// Whether there is nothing left to train.
    pub fn finished(&self) -> bool {
        self.about.finished && !self.to_choose()
    }

    /// What is known of each item beside its embedding.
    pub fn known(&self) -> Result<Known> {
        let path = self.dir.join(COUNTS);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let counts: Vec<u32> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        let wanted = self.config.method.code_width();
        let codes = wanted.map(|_| read_codes(&self.dir.join(CODES)));
        Ok(Known {
            popularity: popularity(&counts),
            codes: codes.transpose()?,
        })
    }

    /// A model of this shape with nothing learnt, and its embeddings at random.
    pub(super) fn blank_model(&self, device: &Device) -> Model {
        Model::new(&self.model_config(), self.config.seed, device)
    }

    /// The model that training begins with.
    pub(super) fn fresh_model(&self, data: &Dataset, device: &Device) -> Result<Model> {
        let mut model = self.blank_model(device);
        let items = &mut model.backbone.items;
        let [rows, width] = items.dims();
        let mut table: Vec<f32> = items.val().into_data().iter().collect();
        // As long as those drawn at random.
        let length = ingle_model::backbone::EMBEDDING_DEVIATION * (width as f32).sqrt();
        let beginning = &self.config.training.embeddings;
        let rest = &mut table[width..];
        embeddings::write(beginning, data, self.config.seed, width, length, rest)?;
        *items = Param::from_tensor(tensor(table, [rows, width], device).require_grad());
        Ok(model)
    }

    /// Why nothing can be asked of a run whose training is not finished.
    pub fn unfinished(&self) -> InputError {
        let dir = self.dir.display();
        InputError::other(format!(
            "the training in {dir} is not finished: `ingle train --resume --out {dir}` goes on"
        ))
    }

    /// The best weights, for inference on `device`.
    pub fn model(&self, device: &Device) -> Result<Model> {
        if !self.finished() {
            return Err(self.unfinished().into());
        }
        load_module(&self.dir.join("model.bpk"), self.blank_model(device))
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
        let data = &*told(&self.config, data);
        let counts = data.train_counts();
        let denoising = self.config.denoising.clone();
        let context = Context {
            data,
            counts,
            corruption: (self.config.method.denoises())
                .then(|| Corruption::new(&self.config.denoising, data))
                .transpose()?,
            hardening: (!self.config.training.replaced.is_empty())
                .then(|| {
                    let rates = &self.config.training.replaced;
                    Corruption::of(rates, &self.config.denoising, data)
                })
                .transpose()?,
            noise: (self.about.dropped.as_ref())
                .map(|_| dropping::read(&self.dir, data))
                .transpose()?,
            parts: folds::parts(data, denoising.folds, self.config.seed),
            held_out: folds::held_out(data, denoising.holdout, self.config.seed),
            denoising: &denoising,
            seed: self.config.seed,
            device: device.clone().autodiff(),
            by_hand: self.about.device == Compute::Cpu,
            stop,
            progress,
        };
        Trainer::start(self, &context)?.run()
    }
}

/// What training is told of a dataset: of a log that was corrupted to be trained on only what a shop would know of its
/// own, unless the settings ask for the labels.
fn told<'a>(config: &Config, data: &'a Dataset) -> Cow<'a, Dataset> {
    let corruption = data.meta().corruption.as_ref();
    let hidden = corruption.is_some_and(|done| done.part == Part::Log);
    if hidden && config.denoising.log_labels != Some(true) {
        return Cow::Owned(data.clone().without_labels());
    }
    Cow::Borrowed(data)
}
