//! Learns adapters and head from labelled histories, a step at a time.
//!
//! A step is cut into shards of about [`SHARD_TOKENS`], each with a graph of its own, so that all cores
//! are busy with operations that would each keep only one. How a step is cut, and the order in which
//! gradients are added, do not depend on how many cores there are.

use super::windows::Titles;
use anyhow::{Result, bail};
use burn::module::Module as _;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use ingle_lm::judge::loss;
use ingle_lm::window::bucket;
use ingle_lm::{Judge, LanguageModel, Window, Windows};
use ingle_model::Rng;
use rayon::prelude::*;

/// Tokens, padding included, whose graph exists in one piece.
pub const SHARD_TOKENS: usize = 512;

/// A history and what is believed of each of its clicks.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Item indices, oldest first.
    pub items: Vec<u32>,
    /// Of each click, how likely it is noise, `0.0..=1.0`.
    pub noise: Vec<f32>,
}

/// A window with the labels of its titles.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is read.
    pub window: Window,
    /// One label a title.
    pub noise: Vec<f32>,
}

impl Sample {
    /// The latest clicks of a history that a window has room for; `None` of an empty history.
    pub fn of(history: &Labelled, titles: &Titles) -> Option<Self> {
        let window = titles.window(&history.items)?;
        let noise = history.noise[history.noise.len() - window.titles()..].to_vec();
        Some(Self { window, noise })
    }
}

/// Cuts an epoch's samples into steps of about `tokens`: shards of similar lengths, mixed at random.
pub fn steps(samples: &[Sample], tokens: usize, rng: &mut Rng) -> Vec<Vec<Vec<usize>>> {
    // By chance among those of about one length.
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

/// What is learnt, and how it goes on.
pub struct Learner {
    /// Adapters and head, on an autodiff device.
    pub judge: Judge,
    /// Adam with its moments.
    pub optimizer: ModuleOptimizer,
}

impl Learner {
    /// Begins with a judge.
    pub fn new(judge: Judge) -> Self {
        let optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0);
        Self {
            judge,
            optimizer: optimizer.init(),
        }
    }

    /// One step. Gives the mean loss of its titles before it, and how many there are.
    ///
    /// # Errors
    /// If the loss is no number; nothing is changed then.
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
    judge: &Judge,
    shard: &[&Sample],
    titles: usize,
    rng: &mut Rng,
) -> (f32, GradientsParams) {
    // Leaves of its own: graphs that share leaves would wait for each other.
    let judge = judge.clone().fork(&lm.encoder.device());
    let windows: Vec<&Window> = shard.iter().map(|sample| &sample.window).collect();
    let labels: Vec<&[f32]> = shard.iter().map(|sample| sample.noise.as_slice()).collect();
    let windows = Windows::new(&windows);
    let logits = judge.logits(&lm.encoder, &windows, Some(rng));
    let loss = loss(logits, &windows, &labels) / titles as f32;
    let gradients = GradientsParams::from_grads(loss.backward(), &judge);
    (loss.inner().into_scalar::<f32>(), gradients)
}
