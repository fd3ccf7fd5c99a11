//! The folder of a reader.
//!
//! ```text
//! READER/reader.json             language model, settings, dataset, figures
//! READER/adapters.safetensors   the best adapters and head
//! READER/metrics.jsonl          one line an epoch
//! READER/checkpoint/            where a resumed fit goes on
//! ```

use super::Settings;
use crate::data::{Dataset, InputError, what_is};
use crate::training::checkpoint::write_atomically;
use anyhow::{Context as _, Result, bail};
use ingle_bundle::{Scale, Tensor as Weight};
use ingle_lm::{LanguageModel, TitleScorer};
use ingle_model::Rng;
use ingle_model::weights::{self, Weights};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Version of the folder's layout; other versions are rejected.
pub const VERSION: u32 = 1;

const ABOUT: &str = "reader.json";
const ADAPTERS: &str = "adapters.safetensors";

/// The content of `reader.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Layout version.
    pub version: u32,
    /// The program's version.
    pub ingle: String,
    /// Name of the language model.
    pub lm: String,
    /// SHA-256 of its weights.
    pub lm_hash: String,
    /// Its settings.
    pub settings: Settings,
    /// Hash of the dataset it was fitted on.
    pub data_hash: String,
    /// Figures on corrupted validation histories, of the best epoch.
    pub valid: Option<Figures>,
    /// Whether the fit is done.
    pub finished: bool,
    /// Seconds of fitting.
    pub seconds: f64,
    /// Hash of the reader this one was refined from, and by how many disputed histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refined: Option<Refined>,
}

/// Noise detection figures of a reader on corrupted histories.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The epoch, counted from 1; 0 after a refinement.
    pub epoch: usize,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Average precision.
    pub ap: f64,
    /// Expected calibration error after calibration.
    pub ece: f64,
    /// The calibration of its logits.
    #[serde(default)]
    pub scale: Scale,
}

/// The origin of a refined reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refined {
    /// Hash of the reader that was refined.
    pub from: String,
    /// Number of disputed histories.
    pub disputed: usize,
}

/// A reader's folder.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Its path.
    pub dir: PathBuf,
    /// The content of `reader.json`.
    pub about: About,
}

impl Reader {
    /// Rejects a folder that contains a reader.
    ///
    /// # Errors
    /// An input error that says what to do.
    pub fn check_new(dir: &Path) -> Result<(), InputError> {
        if !dir.join(ABOUT).exists() {
            return Ok(());
        }
        Err(InputError::other(format!(
            "{} holds a reader already: choose another --out, or add --resume to go on with a fit",
            dir.display()
        )))
    }

    /// Creates a reader in a new folder.
    ///
    /// # Errors
    /// If there is one already, or the folder cannot be written to.
    pub fn create(
        dir: &Path,
        settings: Settings,
        lm: &LanguageModel,
        data: &Dataset,
    ) -> Result<Self> {
        Self::check_new(dir)?;
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let about = About {
            version: VERSION,
            ingle: env!("CARGO_PKG_VERSION").to_owned(),
            lm: lm.name.clone(),
            lm_hash: lm.hash.clone(),
            settings,
            data_hash: data.hash().to_owned(),
            valid: None,
            finished: false,
            seconds: 0.0,
            refined: None,
        };
        let reader = Self {
            dir: dir.to_owned(),
            about,
        };
        reader.save()?;
        Ok(reader)
    }

    /// Writes a refined version of this reader as a new finished reader, with its figures and the number of disputed
    /// histories.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn refined(
        &self,
        dir: &Path,
        lm: &LanguageModel,
        data: &Dataset,
        judge: &TitleScorer,
        (valid, disputed): (Figures, usize),
    ) -> Result<Self> {
        let from = self.hash()?;
        let mut after = Self::create(dir, self.about.settings.clone(), lm, data)?;
        after.save_judge(judge)?;
        after.about.valid = Some(valid);
        after.about.refined = Some(Refined { from, disputed });
        after.about.finished = true;
        after.save()?;
        Ok(after)
    }

    /// Opens a reader's folder.
    ///
    /// # Errors
    /// If there is no reader in it, or one of another version.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(ABOUT);
        let here = dir.display();
        let Ok(text) = fs::read(&path) else {
            bail!(InputError::other(format!(
                "{here} is no reader (it has no {ABOUT}): {}. `ingle reader fit --out READER` makes one",
                what_is(dir)
            )));
        };
        let damaged = |e| InputError::other(format!("{} is damaged: {e}", path.display()));
        let about: About = serde_json::from_slice(&text).map_err(damaged)?;
        if about.version != VERSION {
            bail!(InputError::other(format!(
                "{here} was written by another version (layout {}, this is {VERSION}): fit anew",
                about.version
            )));
        }
        about.settings.check()?;
        Ok(Self {
            dir: dir.to_owned(),
            about,
        })
    }

    /// Opens a finished reader.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if its fit is not finished.
    pub fn finished(dir: &Path) -> Result<Self> {
        let reader = Self::open(dir)?;
        if !reader.about.finished {
            let dir = dir.display();
            bail!(InputError::other(format!(
                "the fit in {dir} is not finished: `ingle reader fit --data DATA --out {dir} --resume` goes on"
            )));
        }
        Ok(reader)
    }

    /// Writes `reader.json`.
    pub fn save(&self) -> Result<()> {
        let path = self.dir.join(ABOUT);
        write_atomically(&path, &serde_json::to_vec_pretty(&self.about)?)
    }

    /// Rejects a language model other than the one for which the adapters were trained.
    ///
    /// # Errors
    /// An input error that names both.
    pub fn check_lm(&self, lm: &LanguageModel) -> Result<(), InputError> {
        if lm.hash == self.about.lm_hash {
            return Ok(());
        }
        Err(InputError::other(format!(
            "{} was fitted on {} (weights {:.12}...), and --lm is {} ({:.12}...): they do not go together",
            self.dir.display(),
            self.about.lm,
            self.about.lm_hash,
            lm.name,
            lm.hash
        )))
    }

    /// Rejects a dataset other than the one on which the fit was started.
    ///
    /// # Errors
    /// An input error.
    pub fn check_data(&self, data: &Dataset) -> Result<(), InputError> {
        if data.hash() == self.about.data_hash {
            return Ok(());
        }
        Err(InputError::other(format!(
            "{} was fitted on another dataset than --data: fit anew",
            self.dir.display()
        )))
    }

    /// A judge before training, on the language model's device.
    pub fn fresh(&self, lm: &LanguageModel) -> TitleScorer {
        let settings = &self.about.settings;
        let mut rng = Rng::new(settings.seed, &[20]);
        TitleScorer::new(&settings.tuning(), &lm.encoder, &mut rng)
    }

    /// The trained judge, on the language model's device.
    ///
    /// # Errors
    /// If the language model is another one, or the adapters are missing, damaged or of other shapes.
    pub fn judge(&self, lm: &LanguageModel) -> Result<TitleScorer> {
        self.check_lm(lm)?;
        let path = self.dir.join(ADAPTERS);
        let bad = |what: String| InputError::other(format!("{}: {what}", path.display()));
        let bytes = fs::read(&path).map_err(|e| bad(e.to_string()))?;
        let read = read_weights(&bytes).map_err(bad)?;
        let judge = weights::load(self.fresh(lm), read).map_err(|e| bad(e.to_string()))?;
        Ok(judge)
    }

    /// Writes the judge's weights.
    pub fn save_judge(&self, judge: &TitleScorer) -> Result<()> {
        write_atomically(
            &self.dir.join(ADAPTERS),
            &write_weights(&weights::collect(judge))?,
        )
    }

    /// SHA-256 of everything that determines its answers: language model, settings and adapters.
    ///
    /// # Errors
    /// If the adapters cannot be read.
    pub fn hash(&self) -> Result<String> {
        let path = self.dir.join(ADAPTERS);
        let adapters =
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let Settings {
            window,
            title_tokens,
            ..
        } = self.about.settings;
        let mut hash = Sha256::new();
        hash.update(format!("{} {window} {title_tokens}\n", self.about.lm_hash));
        hash.update(adapters);
        Ok(hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }
}

fn write_weights(weights: &Weights) -> Result<Vec<u8>> {
    let bytes: Vec<(&String, &Weight, Vec<u8>)> = (weights.iter())
        .map(|(name, weight)| {
            let bytes = weight.data.iter().flat_map(|x| x.to_le_bytes()).collect();
            (name, weight, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, weight, bytes)| {
        let view = TensorView::new(Dtype::F32, weight.shape.clone(), bytes);
        Ok((*name, view?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(views, None)?)
}

fn read_weights(bytes: &[u8]) -> Result<Weights, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let weight = |(name, tensor): (String, TensorView<'_>)| {
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("{name} is {:?}, but must be F32", tensor.dtype()));
        }
        let words = tensor.data().as_chunks::<4>().0.iter();
        let data: Vec<f32> = words.map(|&word| f32::from_le_bytes(word)).collect();
        if data.iter().any(|x| !x.is_finite()) {
            return Err(format!("{name} holds a value that is no number"));
        }
        let shape = tensor.shape().to_vec();
        Ok((name, Weight { shape, data }))
    };
    tensors.tensors().into_iter().map(weight).collect()
}
