//! A model's answers to the cases of a split: ranks of the targets and verdicts on the clicks.

use super::samples::{latest, longest};
use crate::data::{Case, Dataset, Split};
use crate::metrics::detection::{Detection, detection};
use crate::metrics::ranking::{Figures, Rank, rank};
use burn::prelude::*;
use ingle_model::gate::GateConfig;
use ingle_model::methods::{Clicks, Denoise};
use ingle_model::{Batch, Model};
use rayon::prelude::*;

/// Users whose scores over the whole catalogue exist at the same time, at most ...
const USERS: usize = 256;
/// ... and scores that do.
const SCORES: usize = 1 << 24;

/// One user's answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Where the target came.
    pub rank: Rank,
    /// The user.
    pub user: usize,
}

/// All cases of a split, shortest history first, so that a batch pads little.
pub fn cases(data: &Dataset, split: Split) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = (0..data.n_users())
        .filter_map(|user| data.case(user, split))
        .filter(|case| !case.history.is_empty())
        .collect();
    cases.sort_by_key(|case| (case.history.len(), case.user));
    cases
}

/// Ranks the target of every case among all items.
pub fn answer(
    model: &Model,
    gate: Option<&GateConfig>,
    cases: &[Case<'_>],
    popularity: &[f32],
    device: &Device,
    mut done: impl FnMut(usize),
) -> Vec<Answer> {
    let table = model.backbone.items.val().inner();
    let transposed = table.transpose();
    let [_, rows] = transposed.dims();
    let max_len = model.backbone.max_len();
    let mut answers = Vec::with_capacity(cases.len());
    for group in cases.chunks((SCORES / rows).clamp(1, USERS)) {
        let batch = batch(group, max_len, popularity, device);
        let user = model.encode(batch, gate).user;
        let scores = user.matmul(transposed.clone()).into_data();
        let scores = scores.as_slice::<f32>().expect("scores are floats");
        answers.par_extend(
            scores
                .par_chunks_exact(rows)
                .zip(group)
                .map(|(scores, case)| Answer {
                    rank: rank(scores, case.target, case.history),
                    user: case.user,
                }),
        );
        done(group.len());
    }
    answers
}

/// Masked figures of some answers.
pub fn masked(answers: &[Answer]) -> Figures {
    Figures::of(&answers.iter().map(|a| a.rank.masked))
}

/// Unmasked figures of some answers.
pub fn unmasked(answers: &[Answer]) -> Figures {
    Figures::of(&answers.iter().map(|a| a.rank.unmasked))
}

/// Noise logits of labelled clicks, before the temperature, with their labels.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// One a judged click.
    pub logits: Vec<f32>,
    /// Whether it was replaced.
    pub noisy: Vec<bool>,
}

impl Verdicts {
    /// Detection figures at a temperature; `None` unless noisy and clean clicks occur.
    pub fn detection(&self, temperature: f32) -> Option<Detection> {
        let probability = |logit: &f32| 1.0 / (1.0 + (-logit / temperature).exp());
        let probabilities: Vec<f32> = self.logits.iter().map(probability).collect();
        detection(&probabilities, &self.noisy)
    }
}

/// A history with labels: its clicks, and 1 where a click was replaced.
pub type LabelledHistory = (Vec<u32>, Vec<u8>);

/// Judges the latest `last` clicks of labelled histories; `None` for a method that judges nothing.
pub fn judge(
    model: &Model,
    histories: &[LabelledHistory],
    last: usize,
    popularity: &[f32],
    device: &Device,
) -> Option<Verdicts> {
    let max_len = model.backbone.max_len();
    let mut order: Vec<usize> = (0..histories.len())
        .filter(|&h| !histories[h].0.is_empty())
        .collect();
    order.sort_by_key(|&h| histories[h].0.len());
    let mut verdicts = Verdicts::default();
    for group in order.chunks(USERS) {
        let items: Vec<&[u32]> = group
            .iter()
            .map(|&h| latest(&histories[h].0, max_len))
            .collect();
        let len = longest(&items);
        let clicks = Clicks::of(&model.backbone, Batch::new(&items, len, popularity, device));
        let logits = model.method.noise_logits(&clicks)?.into_data();
        let logits = logits.as_slice::<f32>().expect("logits are floats");
        for (row, &history) in logits.chunks_exact(len).zip(group) {
            let labels = &histories[history].1;
            let judged = labels.len().min(last).min(len);
            verdicts.logits.extend(&row[len - judged..]);
            verdicts
                .noisy
                .extend(labels[labels.len() - judged..].iter().map(|&l| l == 1));
        }
    }
    Some(verdicts)
}

fn batch(cases: &[Case<'_>], max_len: usize, popularity: &[f32], device: &Device) -> Batch {
    let histories: Vec<&[u32]> = cases.iter().map(|c| latest(c.history, max_len)).collect();
    Batch::new(&histories, longest(&histories), popularity, device)
}
