//! Trains adapters and head on labelled histories, one step at a time.
//!
//! A step is split into shards of about [`SHARD_TOKENS`], each with its own autodiff graph, so that all cores
//! are used although one operation uses only one. Neither the split nor the order in which gradients are
//! added depends on the number of cores.

use super::windows::Titles;
use anyhow::{Result, bail};
use burn::module::Module as _;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use ingle_lm::judge::loss;
use ingle_lm::window::bucket;
use ingle_lm::{LanguageModel, TitleScorer, Window, Windows};
use ingle_model::Rng;
use rayon::prelude::*;

/// Tokens of a shard, padding included.
pub const SHARD_TOKENS: usize = 512;

/// A history with soft labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Item indices, oldest first.
    pub items: Vec<u32>,
    /// Noise probability of each click, `0.0..=1.0`.
    pub noise: Vec<f32>,
}

/// A window with the labels of its titles.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The titles of a window.
    pub window: Window,
    /// One label per title.
    pub noise: Vec<f32>,
}

impl Sample {
    /// The latest clicks of a history that fit into a window; `None` for an empty history.
    pub fn of(history: &Labelled, titles: &Titles) -> Option<Self> {
        let window = titles.window(&history.items)?;
        let noise = history.noise[history.noise.len() - window.titles()..].to_vec();
        Some(Self { window, noise })
    }
}

/// Splits an epoch's samples into steps of about `tokens`: shards of similar lengths, in random order.
pub fn steps(samples: &[Sample], tokens: usize, rng: &mut Rng) -> Vec<Vec<Vec<usize>>> {
    // Random order, then sorted by length: random among equal lengths.
    let order = rng.permutation(samples.len());
    let lengths: Vec<usize> = (order.iter())
        .map(|&sample| samples[sample].window.tokens())
        .collect();
    let shards = bucket(&lengths, SHARD_TOKENS.min(tokens));
    let mixed = rng.permutation(shards.len());
    let shard = |&at: &usize| -> Vec<usize> { shards[at].iter().map(|&i| order[i]).collect() };
    mixed
        .chunks(tokens.div_ceil(SHARD_TOKENS).max(1))
        .map(|together| together.iter().map(shard).collect())
        .collect()
}

/// The judge in training, with its optimiser.
pub struct Learner {
    /// Adapters and head, on an autodiff device.
    pub judge: TitleScorer,
    /// Adam with its moments.
    pub optimizer: ModuleOptimizer,
}

impl Learner {
    /// Starts from a judge.
    pub fn new(judge: TitleScorer) -> Self {
        let optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0);
        Self {
            judge,
            optimizer: optimizer.init(),
        }
    }

    /// Takes one step. Returns the mean loss of its titles before the step, and their number.
    ///
    /// # Errors
    /// If the loss is not finite; nothing is changed then.
    pub fn step(
        &mut self,
        lm: &LanguageModel,
        samples: &[Sample],
        shards: &[Vec<usize>],
        rate: f64,
        rng: &mut Rng,
    ) -> Result<(f64, usize)> {
        let titles: usize = (shards.iter().flatten())
            .map(|&sample| samples[sample].noise.len())
            .sum();
        let chances: Vec<u64> = shards.iter().map(|_| rng.bits()).collect();
        let found: Vec<(f32, GradientsParams)> = (shards.par_iter().zip(chances))
            .map(|(shard, chance)| {
                let shard: Vec<&Sample> = shard.iter().map(|&sample| &samples[sample]).collect();
                gradient(lm, &self.judge, &shard, titles, &mut Rng::new(chance, &[]))
            })
            .collect();
        let mean: f64 = found.iter().map(|(loss, _)| f64::from(*loss)).sum();
        if !mean.is_finite() {
            bail!("the loss became {mean}: try a lower learning_rate");
        }
        let mut sum = GradientsAccumulator::new();
        for (_, gradients) in found {
            sum.accumulate(&self.judge, gradients);
        }
        let judge = self.judge.clone();
        self.judge = self.optimizer.step(rate, judge, sum.grads());
        Ok((mean, titles))
    }
}

/// A shard's part of the mean loss over `titles`, and its gradients.
fn gradient(
    lm: &LanguageModel,
    judge: &TitleScorer,
    shard: &[&Sample],
    titles: usize,
    rng: &mut Rng,
) -> (f32, GradientsParams) {
    // Each shard has its own leaves, since graphs with common leaves would wait for each other.
    let judge = judge.clone().fork(&lm.encoder.device());
    let windows: Vec<&Window> = shard.iter().map(|sample| &sample.window).collect();
    let labels: Vec<&[f32]> = shard.iter().map(|sample| sample.noise.as_slice()).collect();
    let windows = Windows::new(&windows);
    let logits = judge.logits(&lm.encoder, &windows, Some(rng));
    let loss = loss(logits, &windows, &labels) / titles as f32;
    let gradients = GradientsParams::from_grads(loss.backward(), &judge);
    (loss.inner().into_scalar::<f32>(), gradients)
}
