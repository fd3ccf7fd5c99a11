//! The engine on Burn's tensors: runs on any device, and is the reference for the engine on slices.

mod learning;

use super::answer::{Click, Info, Recommendation, Served, Similar};
use super::because::Reasons;
use super::catalogue::Catalogue;
use super::error::EngineError;
use super::options::{RecommendOptions, SimilarOptions, applied, check_weights};
use super::settings::model_config;
use crate::adapter::Adapter;
use crate::batch::Batch;
use crate::config::ModelConfig;
use crate::features::{Codes, ItemFeatures};
use crate::kept::{Kept, KeptHistories};
use crate::methods::{Clicks, Interest, ScoreTensors, Views};
use crate::model::Model;
use crate::rank::{Best, Block, Mass, Scored, Wanted};
use crate::weights;
use burn::prelude::*;
use burn::tensor::{Int, TensorData};
use ingle_bundle::{Bundle, Tensor as Weight};
use std::iter::repeat_with;

/// Avoids division by 0.
const SHORTEST: f32 = 1e-12;

/// A model with its catalogue, on one device.
#[derive(Debug)]
pub struct Engine {
    model: Model,
    config: ModelConfig,
    name: String,
    catalogue: Catalogue,
    features: ItemFeatures,
    adapter: Option<ingle_bundle::Adapter>,
    device: Device,
}

/// Logits of all items, their softmax, and the weight of each of the latest clicks.
struct Read {
    logits: Vec<f32>,
    mass: Mass,
    keep: Vec<f32>,
}

impl Engine {
    /// Builds the model that the bundle describes and loads its weights onto `device`.
    ///
    /// # Errors
    /// If the method is unknown, the configuration is invalid, or the weights do not fit it.
    pub fn new(bundle: Bundle, device: &Device) -> Result<Self, EngineError> {
        let config = model_config(&bundle)?;
        let (table, features) = (table(&bundle, device), features(&bundle));
        let model = Model::assemble(&config, table, bundle.weights, device)?;
        Ok(Self {
            model,
            config,
            name: bundle.manifest.name,
            catalogue: Catalogue::new(bundle.ids),
            features,
            adapter: bundle.manifest.adapter,
            device: device.clone(),
        })
    }

    /// Description of the model that this engine runs.
    pub fn info(&self) -> Info {
        Info::of(&self.name, &self.config)
    }

    /// Whether the method judges clicks.
    pub fn judges(&self) -> bool {
        self.config.method.denoises()
    }

    /// The ids of all items, in catalogue order, which is also the order of `allow` and `boost`.
    pub fn items(&self) -> Vec<String> {
        self.catalogue.ids()
    }

    /// The best items for a history, oldest click first. Unknown ids are skipped; a history without known clicks
    /// gets the most popular items.
    ///
    /// # Errors
    /// If an option is invalid, or the device fails.
    pub async fn recommend(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Vec<Recommendation>, EngineError> {
        check_weights(options.weights.as_deref(), history.len())?;
        let known = self.catalogue.known(history);
        let wanted = self.catalogue.wanted(&known, options)?;
        let latest = self.latest(&known);
        let width = self.config.backbone.width;
        let adapter = applied(self.adapter.as_ref(), options, width)?;
        let read = self.read(latest, options.weights.as_deref(), adapter.as_ref());
        let read = Box::pin(read).await?;
        let Some(Read { logits, mass, keep }) = read else {
            // Entry 0 is padding.
            let popular = &self.features.popularity[1..];
            let best = select(wanted, popular);
            let popularity = softmax(popular);
            return Ok((self.catalogue).answer(&best, popularity, repeat_with(|| None)));
        };
        let best = select(wanted, &logits);
        let rows = best.iter().map(|scored| scored.row);
        let rows = rows.chain(latest.iter().map(|&(_, row)| row));
        let embedded = download(self.embeddings(rows)).await?;
        let (items, clicked) = embedded.split_at(best.len() * width);
        let reasons = Reasons::new(latest, clicked, &keep);
        let because = reasons.of(items, &self.catalogue);
        Ok(self.catalogue.answer(&best, mass, because))
    }

    /// The items nearest to some others, by the cosine with the mean of the given items' unit embeddings. The
    /// given items are never returned and unknown ids are skipped; if none is known the answer is empty.
    ///
    /// # Errors
    /// If an option is invalid, or the device fails.
    pub async fn similar(
        &self,
        items: &[String],
        options: &SimilarOptions,
    ) -> Result<Vec<Similar>, EngineError> {
        let given = self.catalogue.known(items);
        let wanted = self.catalogue.wanted_near(&given, options)?;
        if given.is_empty() {
            return Ok(Vec::new());
        }
        let unit = |x: Tensor<2>| {
            let shape = x.dims();
            let lengths = x.clone().square().sum_dim(1).sqrt().clamp_min(SHORTEST);
            x / lengths.expand(shape)
        };
        let rows = unit(self.embeddings(given.iter().map(|&(_, row)| row)));
        let mean = unit(rows.mean_dim(0));
        let cosines = mean.matmul(unit(self.model.backbone.items.val()).transpose());
        let cosines = download(cosines).await?;
        Ok(self.catalogue.nearest(&select(wanted, &cosines[1..])))
    }

    /// The verdicts on all clicks, in the given order.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn explain(&self, history: &[String]) -> Result<Vec<Click>, EngineError> {
        let mut clicks: Vec<Click> = history.iter().map(|item| Click::unseen(item)).collect();
        let known = self.catalogue.known(history);
        let latest = self.latest(&known);
        if latest.is_empty() {
            return Ok(clicks);
        }
        let seen = Clicks::of(&self.model.backbone, self.batch(latest));
        let Some(answers) = self.judge(&seen) else {
            for &(place, _) in latest {
                (clicks[place].known, clicks[place].keep) = (true, 1.0);
            }
            return Ok(clicks);
        };
        let mut answers = download(answers).await?;
        if self.config.keep.is_some() {
            let (noise, rest) = answers.split_at_mut(latest.len());
            rest[..latest.len()].copy_from_slice(&self.config.weights(noise));
        }
        let rows: Vec<&[f32]> = answers.chunks_exact(latest.len()).collect();
        let interests = match self.model.method.interests(&seen) {
            None => Vec::new(),
            Some(Interest {
                number,
                share,
                dropped,
            }) => download(Tensor::cat(vec![number, share, dropped], 0)).await?,
        };
        let interests: Vec<&[f32]> = interests.chunks_exact(latest.len()).collect();
        for (at, &(place, _)) in latest.iter().enumerate() {
            let click = &mut clicks[place];
            (click.known, click.noise, click.keep) = (true, rows[0][at], rows[1][at]);
            click.views = (rows.len() > 2).then(|| Views {
                prior: rows[2][at],
                posterior: rows[3][at],
            });
            if let [number, share, dropped] = interests[..] {
                click.interest = Some(Served::of(Interest {
                    number: number[at],
                    share: share[at],
                    dropped: dropped[at],
                }));
            }
        }
        Ok(clicks)
    }

    /// The verdicts on one history, one row each: noise, keep and, for methods with two views, prior and
    /// posterior. They are one tensor, so that there is one download.
    fn judge(&self, clicks: &Clicks) -> Option<Tensor<2>> {
        let verdict = self.model.judge(clicks, &self.config.gate)?;
        let mut rows = vec![verdict.noise, verdict.keep];
        rows.extend(
            verdict
                .views
                .into_iter()
                .flat_map(|v| [v.prior, v.posterior]),
        );
        Some(Tensor::cat(rows, 0))
    }

    /// Runs the model over the latest known clicks; `None` if there are none or none is left.
    async fn read(
        &self,
        latest: &[(usize, usize)],
        weights: Option<&[f32]>,
        adapter: Option<&Adapter>,
    ) -> Result<Option<Read>, EngineError> {
        if latest.is_empty() {
            return Ok(None);
        }
        let weights = latest
            .iter()
            .map(|&(place, _)| weights.map_or(1.0, |w| w[place]));
        let weights: Vec<f32> = weights.collect();
        let clicks = Clicks::of(&self.model.backbone, self.batch(latest));
        let verdict = self.model.judge(&clicks, &self.config.gate);
        if let Some(rule) = &self.config.keep {
            let noise = match verdict {
                Some(verdict) => download(verdict.noise).await?,
                None => vec![0.0; latest.len()],
            };
            let kept = rule.histories(&noise, Some(&weights));
            return self.read_kept(latest, kept, adapter).await;
        }
        let shape = [1, latest.len()];
        let weights = Tensor::from_data(TensorData::new(weights, shape), &self.device);
        let keep = verdict.map_or(weights.clone(), |verdict| verdict.keep * weights);
        let real = &clicks.batch.real;
        let user = self.model.attend(clicks.embedded, Some(&keep), real);
        let user = self.biased(user, adapter);
        let logits = user.matmul(self.model.backbone.items.val().transpose());
        // One tensor, so that there is one download; entry 0 of the logits is padding.
        let mut keep = download(Tensor::cat(vec![keep, logits], 1)).await?;
        let mut logits = keep.split_off(latest.len() + 1);
        self.weigh(&mut logits, adapter);
        keep.truncate(latest.len());
        let left = keep.iter().any(|&keep| keep > 0.0);
        Ok(left.then(|| Read {
            mass: softmax(&logits),
            logits,
            keep,
        }))
    }

    /// Encodes the kept histories as a batch and averages their probabilities. The returned logits have the mean
    /// probabilities in the softmax of the last history. This follows the definition; the engine on slices is
    /// faster.
    async fn read_kept(
        &self,
        latest: &[(usize, usize)],
        kept: KeptHistories,
        adapter: Option<&Adapter>,
    ) -> Result<Option<Read>, EngineError> {
        let keep = kept.shares(latest.len());
        let item = |&at: &usize| latest[at].1 as u32 + 1;
        let histories: Vec<Vec<u32>> = (kept.sets.iter())
            .map(|set| set.clicks.iter().map(item).collect())
            .collect();
        let Some(longest) = histories.iter().map(Vec::len).max() else {
            return Ok(None);
        };
        let batch = Batch::new(&histories, longest, &self.features, &self.device);
        let embedded = self.model.backbone.embed(batch.items);
        let users = self.model.attend(embedded, None, &batch.real);
        let users = self.biased(users, adapter);
        let logits = users.matmul(self.model.backbone.items.val().transpose());
        let mut logits = download(logits).await?;
        for logits in logits.chunks_exact_mut(self.config.items + 1) {
            self.weigh(&mut logits[1..], adapter);
        }
        let mut means = vec![0.0; self.config.items];
        let mut sum = 0.0;
        // The first entry of each history is padding.
        let each = logits.chunks_exact(self.config.items + 1);
        for (logits, Kept { weight, .. }) in each.zip(&kept.sets) {
            let exponentials = logits[1..].iter().map(|&x| f64::from(x).exp());
            sum = exponentials.clone().filter(|x| !x.is_nan()).sum();
            for (mean, exponential) in means.iter_mut().zip(exponentials) {
                *mean += f64::from(*weight) * exponential / sum;
            }
        }
        let mass = softmax(&logits[logits.len() - self.config.items..]);
        let logits = means.iter().map(|mean| (mean * sum).ln() as f32);
        Ok(Some(Read {
            logits: logits.collect(),
            mass,
            keep,
        }))
    }

    /// User vectors with the adapter's bias, `[histories, width]`.
    fn biased(&self, users: Tensor<2>, adapter: Option<&Adapter>) -> Tensor<2> {
        let Some(Adapter { bias, .. }) = adapter else {
            return users;
        };
        let bias = TensorData::new(bias.clone(), [1, bias.len()]);
        let shape = users.dims();
        users + Tensor::<2>::from_data(bias, &self.device).expand(shape)
    }

    /// Adds the adapter's weight of popularity to the logits of all items.
    fn weigh(&self, logits: &mut [f32], adapter: Option<&Adapter>) {
        let weight = adapter.map_or(0.0, |adapter| adapter.weight);
        for (logit, popularity) in logits.iter_mut().zip(&self.features.popularity[1..]) {
            *logit += weight * popularity;
        }
    }

    /// Embeddings of rows of the catalogue, `[rows, width]`.
    fn embeddings(&self, rows: impl Iterator<Item = usize>) -> Tensor<2> {
        let rows: Vec<i32> = rows.map(|row| row as i32 + 1).collect();
        let count = [rows.len()];
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, count), &self.device);
        self.model.backbone.items.val().select(0, rows)
    }

    /// The latest known clicks, as many as the model reads.
    fn latest<'k>(&self, known: &'k [(usize, usize)]) -> &'k [(usize, usize)] {
        &known[known.len().saturating_sub(self.config.backbone.max_len)..]
    }

    /// One history of one or more clicks.
    fn batch(&self, clicks: &[(usize, usize)]) -> Batch {
        let items: Vec<u32> = clicks.iter().map(|&(_, row)| row as u32 + 1).collect();
        Batch::new(&[items], clicks.len(), &self.features, &self.device)
    }
}

/// The softmax of logits.
fn softmax(logits: &[f32]) -> Mass {
    let mut mass = Mass::default();
    mass.add(&Block::new(0, logits));
    mass
}

/// The best rows.
fn select(wanted: Wanted<'_>, logits: &[f32]) -> Vec<Scored> {
    let mut best = Best::new(wanted);
    best.offer(&Block::new(0, logits));
    best.into_sorted()
}

/// Downloads a tensor of floats.
async fn download<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EngineError> {
    let data =
        (tensor.into_data_async().await).map_err(|error| EngineError::Device(error.to_string()))?;
    Ok(data.iter::<f32>().collect())
}

/// Features of the items of a bundle; the first entry is padding.
fn features(bundle: &Bundle) -> ItemFeatures {
    let width = bundle.code_width();
    ItemFeatures {
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

/// The weights of a model that a bundle stores with it: all except the item table.
pub fn shipped_weights(model: &Model) -> std::collections::BTreeMap<String, Weight> {
    let mut weights = weights::collect(model);
    weights.remove(weights::ITEM_TABLE);
    weights
}
