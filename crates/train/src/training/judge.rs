//! A model's answers to the cases of a split: ranks of the targets and verdicts on the clicks.

use super::samples::{latest, longest, tensor};
use crate::data::{Case, Dataset, Split};
use crate::metrics::detection::{Detection, detection};
use crate::metrics::ranking::{Figures, Rank, rank};
use burn::prelude::*;
use ingle_bundle::Scale;
use ingle_model::gate::GateConfig;
use ingle_model::methods::{Clicks, Denoise, Views};
use ingle_model::{Batch, Known, Model};
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
    known: &Known,
    device: &Device,
    done: impl FnMut(usize),
) -> Vec<Answer> {
    let encode = |batch: Batch, _: &[usize]| model.encode(batch, gate).user;
    ranked(model, cases, known, device, encode, done)
}

/// The same, given what is kept of each click of each history.
pub fn answer_kept(
    model: &Model,
    cases: &[Case<'_>],
    keep: &[Vec<f32>],
    known: &Known,
) -> Vec<Answer> {
    let device = model.backbone.items.val().device();
    let encode = |batch: Batch, places: &[usize]| {
        let [_, len] = batch.dims();
        let mut kept = vec![0.0; places.len() * len];
        for (row, &place) in kept.chunks_exact_mut(len).zip(places) {
            let own = latest(&keep[place], len);
            row[len - own.len()..].copy_from_slice(own);
        }
        let kept = tensor(kept, [places.len(), len], &device);
        let clicks = Clicks::of(&model.backbone, batch);
        model.attend(clicks.embedded, Some(&kept), &clicks.batch.real)
    };
    ranked(model, cases, known, &device, encode, |_| ())
}

/// Ranks by what `encode` makes of batches of histories, whose places among the cases it is told.
fn ranked(
    model: &Model,
    cases: &[Case<'_>],
    known: &Known,
    device: &Device,
    encode: impl Fn(Batch, &[usize]) -> Tensor<2>,
    mut done: impl FnMut(usize),
) -> Vec<Answer> {
    let table = model.backbone.items.val().inner();
    let transposed = table.transpose();
    let [_, rows] = transposed.dims();
    let max_len = model.backbone.max_len();
    let mut answers = Vec::with_capacity(cases.len());
    let places: Vec<usize> = (0..cases.len()).collect();
    let size = (SCORES / rows).clamp(1, USERS);
    for (group, places) in cases.chunks(size).zip(places.chunks(size)) {
        let user = encode(batch(group, max_len, known, device), places);
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
    /// The logits of each view alone, in a method of two.
    pub views: Option<Views<Vec<f32>>>,
}

impl Verdicts {
    /// Detection figures of the fused verdicts at a scale; `None` unless noisy and clean clicks occur.
    pub fn detection(&self, scale: Scale) -> Option<Detection> {
        detection(&probabilities(&self.logits, scale), &self.noisy)
    }

    /// Detection figures of each view alone.
    pub fn by_view(&self, scales: Views<Scale>) -> Option<Views<Detection>> {
        let views = calibrated(self.views.as_ref()?, scales);
        Some(Views {
            prior: detection(&views.prior, &self.noisy)?,
            posterior: detection(&views.posterior, &self.noisy)?,
        })
    }

    /// Adds the logits of a history's latest clicks, of which all have labels (1 = replaced).
    pub fn add(&mut self, logits: &[f32], labels: &[u8]) {
        let judged = &labels[labels.len() - logits.len()..];
        self.noisy.extend(judged.iter().map(|&label| label == 1));
        self.logits.extend(logits);
    }

    /// Adds what was read of a history's latest `last` clicks, given its labels (1 = replaced).
    pub fn add_reading(&mut self, reading: &Reading, labels: &[u8], last: usize) {
        let labels = latest(labels, last.min(reading.fused.len()));
        self.logits.extend(latest(&reading.fused, last));
        self.noisy.extend(labels.iter().map(|&label| label == 1));
        if let Some(views) = &reading.views {
            let own = self.views.get_or_insert_default();
            own.prior.extend(latest(&views.prior, last));
            own.posterior.extend(latest(&views.posterior, last));
        }
    }
}

/// The logits of each view as probabilities.
pub fn calibrated(views: &Views<Vec<f32>>, scales: Views<Scale>) -> Views<Vec<f32>> {
    Views {
        prior: probabilities(&views.prior, scales.prior),
        posterior: probabilities(&views.posterior, scales.posterior),
    }
}

/// Logits as probabilities.
pub fn probabilities(logits: &[f32], scale: Scale) -> Vec<f32> {
    GateConfig::probabilities(logits, scale)
}

/// A history with labels: its clicks, and 1 where a click was replaced.
pub type LabelledHistory = (Vec<u32>, Vec<u8>);

/// What a model makes of a history's latest clicks, oldest first: noise logits of the fusion, and of each
/// view in a method of two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What the gate acts on.
    pub fused: Vec<f32>,
    /// What it was made from.
    pub views: Option<Views<Vec<f32>>>,
}

/// Reads histories, as far back as the model looks; `None` for a method that judges nothing.
pub fn read(
    model: &Model,
    histories: &[&[u32]],
    known: &Known,
    device: &Device,
) -> Option<Vec<Reading>> {
    let max_len = model.backbone.max_len();
    let mut order: Vec<usize> = (0..histories.len())
        .filter(|&h| !histories[h].is_empty())
        .collect();
    order.sort_by_key(|&h| histories[h].len());
    let mut readings = vec![Reading::default(); histories.len()];
    for group in order.chunks(USERS) {
        let items: Vec<&[u32]> = group
            .iter()
            .map(|&h| latest(histories[h], max_len))
            .collect();
        let len = longest(&items);
        let clicks = Clicks::of(&model.backbone, Batch::new(&items, len, known, device));
        let opinion = model.method.opinion(&clicks)?;
        let rows = |logits: Tensor<2>| rows(logits, &items);
        let mut fused = rows(opinion.fused).into_iter();
        let mut views = (opinion.views).map(|views| {
            [
                rows(views.prior).into_iter(),
                rows(views.posterior).into_iter(),
            ]
        });
        for &h in group {
            let of_view = |views: &mut [std::vec::IntoIter<Vec<f32>>; 2]| {
                let [prior, posterior] =
                    views.each_mut().map(|view| view.next().unwrap_or_default());
                Views { prior, posterior }
            };
            readings[h] = Reading {
                fused: fused.next().unwrap_or_default(),
                views: views.as_mut().map(of_view),
            };
        }
    }
    Some(readings)
}

/// Of logits `[batch, len]`, those of each history's clicks.
fn rows(logits: Tensor<2>, items: &[&[u32]]) -> Vec<Vec<f32>> {
    let [_batch, len] = logits.dims();
    let logits = logits.into_data();
    let logits = logits.as_slice::<f32>().expect("logits are floats");
    let rows = logits.chunks_exact(len).zip(items);
    rows.map(|(row, items)| row[len - items.len()..].to_vec())
        .collect()
}

/// Judges the latest `last` clicks of labelled histories; `None` for a method that judges nothing.
pub fn judge(
    model: &Model,
    histories: &[LabelledHistory],
    last: usize,
    known: &Known,
    device: &Device,
) -> Option<Verdicts> {
    let items: Vec<&[u32]> = histories.iter().map(|(items, _)| &items[..]).collect();
    let readings = read(model, &items, known, device)?;
    let mut verdicts = Verdicts::default();
    for (reading, (_, labels)) in readings.iter().zip(histories) {
        verdicts.add_reading(reading, labels, last);
    }
    Some(verdicts)
}

fn batch(cases: &[Case<'_>], max_len: usize, known: &Known, device: &Device) -> Batch {
    let histories: Vec<&[u32]> = cases.iter().map(|c| latest(c.history, max_len)).collect();
    Batch::new(&histories, longest(&histories), known, device)
}
