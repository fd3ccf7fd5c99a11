//! From histories to the tensors of one step.

use super::config::Denoising;
use crate::data::Dataset;
use crate::data::corrupt::{Sampler, corrupt_history};
use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_model::methods::Labelled;
use ingle_model::{Batch, Known, Rng};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// `ln(1 + clicks in training)` of each item.
pub fn popularity(counts: &[u32]) -> Vec<f32> {
    counts.iter().map(|&count| (count as f32).ln_1p()).collect()
}

/// The latest training clicks of users: at most `max_len` to predict from and the last to predict.
pub fn windows<'a>(data: &'a Dataset, users: &[usize], max_len: usize) -> Vec<&'a [u32]> {
    let clicks = users.iter().map(|&user| data.train(user));
    clicks.map(|clicks| latest(clicks, max_len + 1)).collect()
}

/// Each predicted click, counted through all windows, with the items clicked before it.
pub fn seen(windows: &[&[u32]]) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    let mut click = 0;
    for window in windows {
        for known in 1..window.len() {
            pairs.extend(window[..known].iter().map(|&item| (click, item)));
            click += 1;
        }
    }
    pairs
}

/// The clicks of windows but their last, and the next item at every position.
pub fn next_items(windows: &[&[u32]], known: &Known, device: &Device) -> (Batch, Vec<u32>) {
    let histories: Vec<&[u32]> = windows.iter().map(|w| &w[..w.len() - 1]).collect();
    let len = longest(&histories);
    let mut targets = vec![0; windows.len() * len];
    for (row, window) in targets.chunks_exact_mut(len).zip(windows) {
        row[len + 1 - window.len()..].copy_from_slice(&window[1..]);
    }
    (Batch::new(&histories, len, known, device), targets)
}

/// Corrupts histories and keeps the labels.
#[derive(Debug)]
pub struct Corruption {
    rates: Vec<f64>,
    last: usize,
    samplers: Vec<Sampler>,
}

impl Corruption {
    /// As the settings say for training, over the items of `data`: each history gets one of the rates
    /// and one of the kinds.
    pub fn new(settings: &Denoising, data: &Dataset) -> anyhow::Result<Self> {
        let samplers = settings.kinds.iter().map(|&kind| Sampler::new(kind, data));
        Ok(Self {
            rates: settings.rates.clone(),
            last: settings.last,
            samplers: samplers.collect::<Result<_, _>>()?,
        })
    }

    /// The same with one rate for all histories, that by which the method is judged and calibrated.
    #[must_use]
    pub fn at_rate(&self, rate: f64) -> Self {
        Self {
            rates: vec![rate],
            last: self.last,
            samplers: self.samplers.clone(),
        }
    }

    /// Clicks of a history that may be replaced: the latest ones.
    pub fn last(&self) -> usize {
        self.last
    }

    /// One history with its labels (1 = replaced). `stream` names the draw: the same history
    /// under the same seed and stream is corrupted in the same way, whatever else is drawn.
    pub fn apply(
        &self,
        history: &[u32],
        user: usize,
        seed: u64,
        stream: u64,
    ) -> (Vec<u32>, Vec<u8>) {
        let mut draw = Rng::new(seed, &[2, stream, user as u64]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(draw.bits());
        let sampler = &self.samplers[draw.below(self.samplers.len())];
        let rate = self.rates[draw.below(self.rates.len())];
        let untouched = history.len().saturating_sub(self.last);
        let (head, tail) = history.split_at(untouched);
        let (replaced, noise) = corrupt_history(tail, &mut rng, rate, sampler);
        let items = [head, &replaced].concat();
        let labels = [vec![0; head.len()], noise].concat();
        (items, labels)
    }
}

/// Corrupted training histories of some users with their labels.
pub fn labelled(
    data: &Dataset,
    users: &[usize],
    max_len: usize,
    corrupted: impl Fn(usize, &[u32]) -> (Vec<u32>, Vec<u8>),
    last: usize,
    known: &Known,
    device: &Device,
) -> Labelled {
    let (histories, labels): (Vec<_>, Vec<_>) = (users.iter())
        .map(|&user| corrupted(user, latest(data.train(user), max_len)))
        .unzip();
    let len = longest(&histories);
    let shape = [users.len(), len];
    let (mut padded, mut judged) = (vec![0.0; users.len() * len], vec![0.0; users.len() * len]);
    for (row, labels) in labels.iter().enumerate() {
        let end = (row + 1) * len;
        for (slot, &label) in padded[end - labels.len()..end].iter_mut().zip(labels) {
            *slot = f32::from(label);
        }
        judged[end - labels.len().min(last)..end].fill(1.0);
    }
    Labelled {
        batch: Batch::new(&histories, len, known, device),
        labels: tensor(padded, shape, device),
        judged: tensor(judged, shape, device),
    }
}

/// The latest `n` clicks.
pub fn latest(history: &[u32], n: usize) -> &[u32] {
    &history[history.len().saturating_sub(n)..]
}

/// Length of the longest history, at least 1.
pub fn longest<H: AsRef<[u32]>>(histories: &[H]) -> usize {
    histories
        .iter()
        .map(|h| h.as_ref().len())
        .max()
        .unwrap_or(0)
        .max(1)
}

/// Host floats as a tensor.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
