//! Measurements of one run for the table of methods, stored beside the run.
//!
//! All runs are measured in the same way, whatever they were trained on: a share of the latest [`LAST`] clicks
//! of each history is replaced, with the same seed for all. `RUN/measured.json` has the results with a hash
//! over all that they depend on, so that a run is measured again only if it has changed.

mod drops;
mod gains;

use super::noise::labelled;
use super::robustness::{Robustness, robustness};
use crate::data::corrupt::Kind;
use crate::data::{Case, Dataset, Split};
use crate::evaluation::{Asked, Keep};
use crate::metrics::detection::{Detection, detection};
use crate::metrics::ranking::{Figures, names};
use crate::training::checkpoint::write_atomically;
use crate::training::config::Denoising;
use crate::training::judge::{self, Answer, Verdicts, probabilities};
use crate::training::run::CODES;
use crate::training::{Config, Run};
use anyhow::{Context as _, Result};
use burn::prelude::*;
pub use drops::Drops;
pub use gains::{DRAWS, NOISES, OfNoise};
use indicatif::ProgressBar;
use ingle_bundle::sha256_hex;
use ingle_model::{ItemFeatures, Model};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;

/// Version of the file and of the measurements; results of another version are measured again.
const LAYOUT: u32 = 2;
const FILE: &str = "measured.json";
/// Share of the clicks replaced for noise detection.
pub const RATE: f64 = 0.1;
/// Only the latest clicks of a history are replaced and judged.
pub const LAST: usize = 20;
/// Seed of all draws.
pub const SEED: u64 = 1;
/// Stream of the draws of noise.
const STREAM: u64 = u64::MAX - 200;
/// How replaced clicks are drawn for noise detection. The cost of corruption is measured on the first kind.
pub const KINDS: [Kind; 3] = [Kind::Uniform, Kind::Popularity, Kind::Hard];
/// Files of a run's folder on which its figures depend, beside its semantic codes.
const FILES: [&str; 4] = ["config.toml", "run.json", "counts.json", "model.bpk"];

/// All measurements of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Hash of everything they depend on.
    pub key: String,
    /// Version of the program.
    pub ingle: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Hash of its content.
    pub data_hash: String,
    /// Number of items.
    pub items: usize,
    /// The run's configuration.
    pub config: Config,
    /// Seconds of training, including phases taken over from another run.
    pub seconds: f64,
    /// Peak memory of training, in bytes.
    pub peak_memory: Option<u64>,
    /// The exported bundle.
    pub bundle: BundleFiles,
    /// Measurements on users of the log and, if there are any, on unseen users.
    pub splits: BTreeMap<SplitKey, OfSplit>,
}

/// Whose clicks are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitKey {
    /// The last click of users of the log.
    Test,
    /// The same for unseen users.
    Unseen,
}

/// Both, in order.
pub const SPLITS: [SplitKey; 2] = [SplitKey::Test, SplitKey::Unseen];

/// A bundle as it is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFiles {
    /// Bytes of all its files, uncompressed.
    pub bytes: u64,
    /// Names of the files without the manifest, sorted; they contain hashes of the contents.
    pub files: Vec<String>,
}

/// Measurements on the users of a split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfSplit {
    /// Number of users.
    pub users: usize,
    /// HR, NDCG and MRR without the items of the history, with the run's keep rule.
    pub masked: BTreeMap<String, f64>,
    /// The same over all items.
    pub unmasked: BTreeMap<String, f64>,
    /// Cost of replaced clicks by rate.
    pub robustness: Vec<Robustness>,
    /// Gains by the kept histories, without noise and with each of [`NOISES`] that can be drawn.
    pub gains: Vec<OfNoise>,
    /// Noise detection by kind; empty for a method without a scorer.
    pub noise: Vec<OfKind>,
}

/// Noise detection on one kind of noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfKind {
    /// How replaced clicks are drawn; `None` if the dataset has labels.
    pub kind: Option<Kind>,
    /// AUC, AP and ECE.
    pub detection: Detection,
    /// Clean clicks dropped with the noise.
    pub drops: Drops,
}

/// A run's stored measurements, if the run has not changed.
///
/// # Errors
/// If the run's files cannot be read.
pub fn read(run: &Run) -> Result<Option<Measured>> {
    let Ok(text) = fs::read(run.dir.join(FILE)) else {
        return Ok(None);
    };
    // A file of another version or a damaged one is ignored: it can be measured again.
    let kept: Option<Measured> = serde_json::from_slice(&text).ok();
    let key = key(run)?;
    Ok(kept.filter(|kept| kept.key == key))
}

/// Stores measurements in the run's folder.
///
/// # Errors
/// If the file cannot be written.
pub fn write(run: &Run, measured: &Measured) -> Result<()> {
    write_atomically(&run.dir.join(FILE), &serde_json::to_vec_pretty(measured)?)
}

/// A hash of everything on which a run's figures depend.
fn key(run: &Run) -> Result<String> {
    let mut hashes = vec![LAYOUT.to_string(), run.about.data_hash.clone()];
    let files = FILES.iter().map(|name| run.dir.join(name));
    for path in files.chain(run.latest(CODES)).filter(|path| path.exists()) {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        hashes.push(sha256_hex(&bytes));
    }
    Ok(sha256_hex(hashes.join("\n").as_bytes()))
}

/// Measures a run on the dataset on which it was trained. `bar` advances by one per user.
///
/// # Errors
/// If the run's folder is damaged.
pub fn measure(
    run: &Run,
    data: &Dataset,
    model: &Model,
    bundle: BundleFiles,
    bar: &ProgressBar,
) -> Result<Measured> {
    let mut splits = BTreeMap::new();
    let features = run.features()?;
    for key in SPLITS {
        let cases = judge::cases(data, key.split());
        if !cases.is_empty() {
            let asked = (data, key.split(), &cases[..]);
            splits.insert(key, of_split(run, (model, &features), asked, bar)?);
        }
    }
    Ok(Measured {
        key: self::key(run)?,
        ingle: env!("CARGO_PKG_VERSION").to_owned(),
        dataset: data.meta().name.clone(),
        data_hash: data.hash().to_owned(),
        items: data.n_items(),
        config: run.config.clone(),
        seconds: run.about.seconds,
        peak_memory: run.about.peak_memory,
        bundle,
        splits,
    })
}

impl SplitKey {
    /// The dataset's split.
    pub fn split(self) -> Split {
        match self {
            Self::Test => Split::Test,
            Self::Unseen => Split::Unseen,
        }
    }
}

/// Settings for replacing clicks by one kind.
fn settings(kind: Kind) -> Denoising {
    Denoising {
        kinds: vec![kind],
        rate: RATE,
        last: LAST,
        ..Denoising::default()
    }
}

fn of_split(
    run: &Run,
    (model, features): (&Model, &ItemFeatures),
    (data, split, cases): (&Dataset, Split, &[Case<'_>]),
    bar: &ProgressBar,
) -> Result<OfSplit> {
    let asked = Asked::new(run, model, None, SEED)?;
    let judges = asked.judges();
    let passes = if data.has_labels() {
        1
    } else {
        1 + super::robustness::RATES.len()
    };
    bar.inc_length((passes * cases.len()) as u64);
    let moved = |done| bar.inc(done as u64);
    let keep = if judges { Keep::Model } else { Keep::All };
    let mut answers = asked.answers(cases, &[keep], 0, moved);
    let answers = answers.pop().unwrap_or_default();
    let settings = settings(KINDS[0]);
    Ok(OfSplit {
        users: cases.len(),
        masked: by_name(&answers, |answer| answer.rank.masked),
        unmasked: by_name(&answers, |answer| answer.rank.unmasked),
        // Corrupted histories must not be corrupted again.
        robustness: if data.has_labels() {
            Vec::new()
        } else {
            robustness(&asked, (&settings, SEED), data, cases, moved)?
        },
        gains: gains::gains(&asked, data, split),
        noise: if judges {
            noise(run, (model, features), data, cases)
        } else {
            Vec::new()
        },
    })
}

fn by_name(answers: &[Answer], rank: fn(&Answer) -> usize) -> BTreeMap<String, f64> {
    let figures = Figures::of(&answers.iter().map(rank));
    let names = names().into_iter().map(|name| name.to_lowercase());
    names.zip(figures.values()).collect()
}

/// Noise detection on each kind that can be drawn.
fn noise(
    run: &Run,
    (model, features): (&Model, &ItemFeatures),
    data: &Dataset,
    cases: &[Case<'_>],
) -> Vec<OfKind> {
    let config = run.model_config();
    let counts = data.train_counts();
    let kinds = if data.has_labels() {
        &KINDS[..1]
    } else {
        &KINDS
    };
    let mut found = Vec::new();
    for &kind in kinds {
        // Hard noise cannot be drawn for a catalogue without titles and categories.
        let Ok(histories) = labelled(&settings(kind), (SEED, STREAM), data, model, cases) else {
            continue;
        };
        let verdicts = judge::judge(model, &histories, LAST, features, &Device::flex());
        let Some(Verdicts { logits, noisy, .. }) = verdicts else {
            continue;
        };
        let p = probabilities(&logits, config.gate.scale);
        if let Some(detection) = detection(&p, &noisy) {
            let items = drops::judged(&histories, model.backbone.max_len(), LAST);
            let clicked: Vec<u32> = items.iter().map(|&item| counts[item as usize]).collect();
            found.push(OfKind {
                kind: (!data.has_labels()).then_some(kind),
                detection,
                drops: Drops::of(&p, &noisy, &clicked, &config.weights(&p)),
            });
        }
    }
    found
}
