//! A bundle brought to life: recommendations and verdicts by item id.
//!
//! The engine owns no history and keeps none: every call is given the clicks it is to judge.

use crate::batch::Batch;
use crate::config::{BackboneConfig, ConfigError, ModelConfig};
use crate::gate::GateConfig;
use crate::known::{Codes, Known};
use crate::methods::{self, Clicks, MethodConfig, Views};
use crate::model::Model;
use crate::rank::top_k;
use crate::weights::{self, WeightsError};
use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_bundle::{Bundle, BundleError, Tensor as Weight};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// A model with its catalogue, on one device.
#[derive(Debug)]
pub struct Engine {
    model: Model,
    config: ModelConfig,
    name: String,
    catalogue: Catalogue,
    device: Device,
}

/// Item ids and what is known of each item without a model.
#[derive(Debug)]
struct Catalogue {
    ids: Vec<String>,
    rows: HashMap<String, usize>,
    known: Known,
}

/// How to recommend.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecommendOptions {
    /// How many items are wanted.
    pub k: usize,
    /// Items never to recommend.
    pub exclude: Vec<String>,
    /// Whether items of the history may be recommended again.
    pub include_seen: bool,
}

impl Default for RecommendOptions {
    fn default() -> Self {
        Self {
            k: 10,
            exclude: Vec::new(),
            include_seen: false,
        }
    }
}

/// A recommended item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Its id.
    pub item: String,
    /// Its score: an inner product, comparable within one answer only.
    pub score: f32,
}

/// A click as the denoiser sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Click {
    /// The clicked item.
    pub item: String,
    /// Whether the catalogue has it and the model looks back that far.
    pub known: bool,
    /// Probability that the click is noise; 0 if it is not known.
    pub noise: f32,
    /// The weight it keeps in the recommendation, `0..=1`; 0 if it is not known.
    pub keep: f32,
    /// The probability of noise by each view alone, in a method that has two, of a known click.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views<f32>>,
}

/// What an engine runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// The bundle's name.
    pub name: String,
    /// The denoising method.
    pub method: String,
    /// Items of the catalogue.
    pub items: usize,
    /// Width of an embedding.
    pub width: usize,
    /// Clicks the model looks back on.
    pub max_len: usize,
}

/// Why a bundle does not become an engine, or an engine does not answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The bundle itself is bad.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle's method is none of ours.
    #[error("the bundle was trained with method {found:?}, which this version does not have; it has {}: update the package or export the bundle again", methods::NAMES.join(", "))]
    Method {
        /// The name in the manifest.
        found: String,
    },
    /// The configuration cannot be read or describes no model.
    #[error("the bundle's {part} configuration is not usable: {reason}")]
    Config {
        /// Which part of the manifest.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The weights do not fit the configuration.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device failed while computing.
    #[error("the device failed while computing: {0}")]
    Device(String),
}

impl EngineError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Method { .. } => "method/unknown",
            Self::Config { .. } => "model/config",
            Self::Weights(_) => "model/tensor",
            Self::Device(_) => "device/compute",
        }
    }
}

impl From<ConfigError> for EngineError {
    fn from(error: ConfigError) -> Self {
        Self::Config {
            part: "model",
            reason: error.to_string(),
        }
    }
}

impl Engine {
    /// Builds the model that the bundle describes and loads its weights onto `device`.
    ///
    /// # Errors
    /// If the method is unknown, the configuration unusable, or the weights do not fit it.
    pub fn new(bundle: Bundle, device: &Device) -> Result<Self, EngineError> {
        let config = model_config(&bundle)?;
        let (table, known) = (table(&bundle, device), known(&bundle));
        let model = Model::assemble(&config, table, bundle.weights, device)?;
        let rows = (bundle.ids.iter().enumerate())
            .map(|(row, id)| (id.clone(), row))
            .collect();
        Ok(Self {
            model,
            config,
            name: bundle.manifest.name,
            catalogue: Catalogue {
                ids: bundle.ids,
                rows,
                known,
            },
            device: device.clone(),
        })
    }

    /// What this engine runs.
    pub fn info(&self) -> Info {
        Info {
            name: self.name.clone(),
            method: self.config.method.name().to_owned(),
            items: self.config.items,
            width: self.config.backbone.width,
            max_len: self.config.backbone.max_len,
        }
    }

    /// The best items for a history, oldest click first. Unknown ids are passed over; a history
    /// without any known click gets the most popular items.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn recommend(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Vec<Recommendation>, EngineError> {
        let known = self.catalogue.known(history);
        let scores = match self.batch(&known).map(|batch| self.scores(batch)) {
            None => None,
            Some(scores) => Some(read(scores).await?),
        };
        let mut barred: HashSet<usize> = (options.exclude.iter())
            .filter_map(|id| self.catalogue.rows.get(id).copied())
            .collect();
        if !options.include_seen {
            barred.extend(known.iter().map(|&(_, row)| row));
        }
        // Entry 0 belongs to padding, which is no item.
        let scores = &scores.as_ref().unwrap_or(&self.catalogue.known.popularity)[1..];
        let best = top_k(scores, options.k, |row| !barred.contains(&row));
        Ok(best
            .into_iter()
            .map(|scored| Recommendation {
                item: self.catalogue.ids[scored.row].clone(),
                score: scored.score,
            })
            .collect())
    }

    /// The verdict on every click, in the order given.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn explain(&self, history: &[String]) -> Result<Vec<Click>, EngineError> {
        let mut clicks: Vec<Click> = (history.iter())
            .map(|item| Click {
                item: item.clone(),
                known: false,
                noise: 0.0,
                keep: 0.0,
                views: None,
            })
            .collect();
        let known = self.catalogue.known(history);
        let Some(batch) = self.batch(&known) else {
            return Ok(clicks);
        };
        let [_, len] = batch.dims();
        let latest = &known[known.len() - len..];
        let Some(answers) = self.judge(batch) else {
            for &(place, _) in latest {
                (clicks[place].known, clicks[place].keep) = (true, 1.0);
            }
            return Ok(clicks);
        };
        let answers = read(answers).await?;
        let rows: Vec<&[f32]> = answers.chunks_exact(len).collect();
        for (at, &(place, _)) in latest.iter().enumerate() {
            let click = &mut clicks[place];
            (click.known, click.noise, click.keep) = (true, rows[0][at], rows[1][at]);
            click.views = (rows.len() > 2).then(|| Views {
                prior: rows[2][at],
                posterior: rows[3][at],
            });
        }
        Ok(clicks)
    }

    /// The verdict on one history, a row each: noise, keep and, in a method of two views, prior and
    /// posterior. One tensor, so that it is read back at once.
    fn judge(&self, batch: Batch) -> Option<Tensor<2>> {
        let clicks = Clicks::of(&self.model.backbone, batch);
        let verdict = self.model.judge(&clicks, &self.config.gate)?;
        let mut rows = vec![verdict.noise, verdict.keep];
        rows.extend(
            verdict
                .views
                .into_iter()
                .flat_map(|v| [v.prior, v.posterior]),
        );
        Some(Tensor::cat(rows, 0))
    }

    /// Scores of all items for a history of one or more known clicks, by index: entry 0 is padding.
    fn scores(&self, batch: Batch) -> Tensor<2> {
        let user = self.model.encode(batch, Some(&self.config.gate)).user;
        user.matmul(self.model.backbone.items.val().transpose())
    }

    /// The latest known clicks as a batch of one; `None` if there are none.
    fn batch(&self, known: &[(usize, usize)]) -> Option<Batch> {
        let len = known.len().min(self.config.backbone.max_len);
        if len == 0 {
            return None;
        }
        let items: Vec<u32> = known.iter().map(|&(_, row)| row as u32 + 1).collect();
        Some(Batch::new(
            &[items],
            len,
            &self.catalogue.known,
            &self.device,
        ))
    }
}

impl Catalogue {
    /// The clicks on items of the catalogue: place in `history`, row in the catalogue.
    fn known(&self, history: &[String]) -> Vec<(usize, usize)> {
        (history.iter().enumerate())
            .filter_map(|(place, id)| Some((place, *self.rows.get(id)?)))
            .collect()
    }
}

/// Brings a tensor of floats to the host.
async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EngineError> {
    let data =
        (tensor.into_data_async().await).map_err(|error| EngineError::Device(error.to_string()))?;
    Ok(data.iter::<f32>().collect())
}

/// Reads the model's configuration out of a manifest.
fn model_config(bundle: &Bundle) -> Result<ModelConfig, EngineError> {
    let manifest = &bundle.manifest;
    let unusable = |part| {
        move |error: serde_json::Error| EngineError::Config {
            part,
            reason: error.to_string(),
        }
    };
    let backbone: BackboneConfig =
        serde_json::from_value(manifest.backbone.clone()).map_err(unusable("backbone"))?;
    if !methods::NAMES.contains(&manifest.method.name.as_str()) {
        return Err(EngineError::Method {
            found: manifest.method.name.clone(),
        });
    }
    let mut method = manifest.method.config.clone();
    if let Some(settings) = method.as_object_mut() {
        settings.insert("name".into(), manifest.method.name.clone().into());
    }
    let method: MethodConfig = serde_json::from_value(method).map_err(unusable("method"))?;
    let calibration = &manifest.calibration;
    let config = ModelConfig {
        items: manifest.items.count,
        backbone,
        method,
        gate: GateConfig {
            tau_low: calibration.tau_low,
            tau_high: calibration.tau_high,
            scale: calibration.scale(),
            views: calibration.views.map(|views| Views {
                prior: views.prior,
                posterior: views.posterior,
            }),
        },
    };
    config.validate()?;
    let codes = config.method.code_width().unwrap_or(0);
    if ![0, codes].contains(&manifest.items.code_width) {
        return Err(EngineError::Config {
            part: "method",
            reason: format!(
                "it reads semantic codes of {codes} values, but the items have {}",
                manifest.items.code_width
            ),
        });
    }
    if config.backbone.width != manifest.items.width {
        return Err(EngineError::Config {
            part: "backbone",
            reason: format!(
                "its width is {}, but the item table is {} wide",
                config.backbone.width, manifest.items.width
            ),
        });
    }
    Ok(config)
}

/// What is known of the items of a bundle, an entry for padding first.
fn known(bundle: &Bundle) -> Known {
    let width = bundle.code_width();
    Known {
        popularity: std::iter::once(0.0)
            .chain(bundle.popularity.iter().copied())
            .collect(),
        codes: (width > 0).then(|| Codes {
            width,
            values: [&vec![0; width], &bundle.codes[..]].concat(),
        }),
    }
}

/// The item table with its padding row, `[items + 1, width]`.
fn table(bundle: &Bundle, device: &Device) -> Tensor<2> {
    let width = bundle.manifest.items.width;
    let mut values = vec![0.0; width];
    values.extend(bundle.items.dequantize());
    let shape = [values.len() / width, width];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The weights of a model as a bundle holds them: all but the item table.
pub fn shipped_weights(model: &Model) -> std::collections::BTreeMap<String, Weight> {
    let mut weights = weights::collect(model);
    weights.remove(weights::ITEM_TABLE);
    weights
}
