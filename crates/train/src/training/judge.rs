//! Answers of a model on the cases of a split: ranks of the targets and noise verdicts on the clicks.

use super::samples::{latest, longest};
use super::scores::Scores;
use crate::data::{Case, Dataset, Split};
use crate::metrics::detection::{Detection, detection};
use crate::metrics::ranking::{Figures, Rank, rank};
use burn::module::Param;
use burn::prelude::*;
use ingle_bundle::Scale;
use ingle_model::gate::GateConfig;
use ingle_model::kept::KeptHistories;
use ingle_model::methods::{Clicks, ScoreTensors, Views};
use ingle_model::rank::mean_probabilities;
use ingle_model::{Batch, ItemFeatures, Model};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Most users whose scores over the whole catalogue are in memory at once.
const USERS: usize = 256;
/// Most scores in memory at once.
const SCORES: usize = 1 << 24;

/// The answer for one user.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Rank of the target.
    pub rank: Rank,
    /// The user.
    pub user: usize,
}

impl Answer {
    /// The answer for a case, from the catalogue's scores; entry 0 is padding.
    pub fn of(scores: &[f32], case: &Case<'_>) -> Self {
        Self {
            rank: rank(scores, case.target, &case.real()),
            user: case.user,
        }
    }
}

/// All cases of a split, one target per user, shortest history first.
pub fn cases(data: &Dataset, split: Split) -> Vec<Case<'_>> {
    data.all_cases(split, 1)
}

/// Ranks the target of every case among all items.
pub fn answer(
    model: &Model,
    cases: &[Case<'_>],
    features: &ItemFeatures,
    device: &Device,
    mut done: impl FnMut(usize),
) -> Vec<Answer> {
    let catalogue = Scores::of(model, features, device);
    let rows = catalogue.rows();
    let mut answers = Vec::with_capacity(cases.len());
    for group in cases.chunks((SCORES / rows).clamp(1, USERS)) {
        let histories: Vec<&[u32]> = group.iter().map(|case| case.history).collect();
        let scores = catalogue.of_histories(&histories);
        answers.par_extend(
            scores
                .par_chunks_exact(rows)
                .zip(group)
                .map(|(scores, case)| Answer::of(scores, case)),
        );
        done(group.len());
    }
    answers
}

/// Ranks the target of every case by the mean of the softmaxes over its kept histories.
pub fn answer_over(
    model: &Model,
    cases: &[Case<'_>],
    kept: &[KeptHistories],
    features: &ItemFeatures,
    device: &Device,
    done: impl FnMut(usize),
) -> Vec<Answer> {
    let mut ways = answer_ways(model, cases, &[kept], features, device, done);
    ways.pop().unwrap_or_default()
}

/// The same for several sets of kept histories at once, called ways. Histories that several ways share are encoded
/// once. Returns the answers by way.
///
/// # Panics
/// If a way does not have one entry per case, or an entry has no history.
pub fn answer_ways(
    model: &Model,
    cases: &[Case<'_>],
    ways: &[&[KeptHistories]],
    features: &ItemFeatures,
    device: &Device,
    done: impl FnMut(usize),
) -> Vec<Vec<Answer>> {
    read_ways(model, cases, ways, features, device, done, Answer::of)
}

/// The same, with what is read of the catalogue's scores for a case; entry 0 of the scores is padding.
///
/// # Panics
/// If a way does not have one entry per case, or an entry has no history.
pub fn read_ways<T: Clone + Send>(
    model: &Model,
    cases: &[Case<'_>],
    ways: &[&[KeptHistories]],
    features: &ItemFeatures,
    device: &Device,
    mut done: impl FnMut(usize),
    read: impl Fn(&[f32], &Case<'_>) -> T + Sync,
) -> Vec<Vec<T>> {
    let catalogue = Scores::of(model, features, device);
    let rows = catalogue.rows();
    let most = (SCORES / rows).clamp(1, USERS);
    let mut answers = vec![Vec::with_capacity(cases.len()); ways.len()];
    let mut rest = 0..cases.len();
    while !rest.is_empty() {
        let asked = Encodings::of(cases, ways, rest, most);
        let mut scores = Vec::with_capacity(asked.histories.len() * rows);
        for histories in asked.histories.chunks(most) {
            let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
            scores.extend(catalogue.of_histories(&histories));
        }
        let scores: Vec<&[f32]> = scores.chunks_exact(rows).collect();
        for (way, answers) in asked.ways.iter().zip(&mut answers) {
            let group = cases[asked.cases.clone()].par_iter().zip(way);
            answers.par_extend(group.map(|(case, mixed)| read(&mean_scores(&scores, mixed), case)));
        }
        done(asked.cases.len());
        rest = asked.cases.end..cases.len();
    }
    answers
}

/// The distinct histories of a range of cases, and which of them belong to each way and case.
struct Encodings {
    cases: Range<usize>,
    histories: Vec<Vec<u32>>,
    /// By way and case: indices into `histories` with their weights.
    ways: Vec<Vec<Vec<(usize, f32)>>>,
}

impl Encodings {
    /// Takes cases from the front of `left` until they have about `most` histories.
    fn of(cases: &[Case<'_>], ways: &[&[KeptHistories]], left: Range<usize>, most: usize) -> Self {
        let mut histories: Vec<Vec<u32>> = Vec::new();
        let mut mixed: Vec<Vec<Vec<(usize, f32)>>> = vec![Vec::new(); ways.len()];
        let mut end = left.start;
        while end < left.end && (histories.is_empty() || histories.len() < most) {
            let mut places: HashMap<&[usize], usize> = HashMap::new();
            for (way, mixed) in ways.iter().zip(&mut mixed) {
                let sets = way[end].sets.iter().map(|set| {
                    let place = *places.entry(&set.clicks).or_insert_with(|| {
                        let clicks = set.clicks.iter().map(|&at| cases[end].history[at]);
                        histories.push(clicks.collect());
                        histories.len() - 1
                    });
                    (place, set.weight)
                });
                mixed.push(sets.collect());
            }
            end += 1;
        }
        Self {
            cases: left.start..end,
            histories,
            ways: mixed,
        }
    }
}

/// The weighted mean of the softmaxes of some rows of scores. A single row is returned as scores, which rank the
/// same.
fn mean_scores<'a>(scores: &[&'a [f32]], mixed: &[(usize, f32)]) -> Cow<'a, [f32]> {
    if let [(row, _)] = mixed {
        return Cow::Borrowed(scores[*row]);
    }
    // Column 0 is padding.
    let rows: Vec<(&[f32], f32)> = (mixed.iter())
        .map(|&(row, weight)| (&scores[row][1..], weight))
        .collect();
    let mut mean = vec![0.0; rows.first().map_or(0, |(row, _)| row.len()) + 1];
    mean_probabilities(&rows, &mut mean[1..]);
    Cow::Owned(mean)
}

/// Ranking figures with the user's earlier items masked.
pub fn masked(answers: &[Answer]) -> Figures {
    Figures::of(&answers.iter().map(|a| a.rank.masked))
}

/// Ranking figures with nothing masked.
pub fn unmasked(answers: &[Answer]) -> Figures {
    Figures::of(&answers.iter().map(|a| a.rank.unmasked))
}

/// Noise logits of labelled clicks, before calibration, with their labels.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// One per judged click.
    pub logits: Vec<f32>,
    /// Whether each click is noise.
    pub noisy: Vec<bool>,
    /// The logits of each view, for methods with two views.
    pub views: Option<Views<Vec<f32>>>,
}

impl Verdicts {
    /// Detection figures of the fused logits, calibrated by `scale`; `None` unless there are both noisy and clean
    /// clicks.
    pub fn detection(&self, scale: Scale) -> Option<Detection> {
        detection(&probabilities(&self.logits, scale), &self.noisy)
    }

    /// Detection figures of each view.
    pub fn by_view(&self, scales: Views<Scale>) -> Option<Views<Detection>> {
        let views = calibrated(self.views.as_ref()?, scales);
        Some(Views {
            prior: detection(&views.prior, &self.noisy)?,
            posterior: detection(&views.posterior, &self.noisy)?,
        })
    }

    /// Adds the logits of a history's latest clicks. `labels` are those of the whole history (1 = noise).
    pub fn add(&mut self, logits: &[f32], labels: &[u8]) {
        let judged = &labels[labels.len() - logits.len()..];
        self.noisy.extend(judged.iter().map(|&label| label == 1));
        self.logits.extend(logits);
    }

    /// Adds the logits of a history's latest `last` clicks. `labels` are those of the whole history (1 = noise).
    pub fn add_history(&mut self, scored: &HistoryLogits, labels: &[u8], last: usize) {
        let labels = latest(labels, last.min(scored.fused.len()));
        self.logits.extend(latest(&scored.fused, last));
        self.noisy.extend(labels.iter().map(|&label| label == 1));
        if let Some(views) = &scored.views {
            let own = self.views.get_or_insert_default();
            own.prior.extend(latest(&views.prior, last));
            own.posterior.extend(latest(&views.posterior, last));
        }
    }
}

/// Probabilities of each view, from its logits.
pub fn calibrated(views: &Views<Vec<f32>>, scales: Views<Scale>) -> Views<Vec<f32>> {
    Views {
        prior: probabilities(&views.prior, scales.prior),
        posterior: probabilities(&views.posterior, scales.posterior),
    }
}

/// Probabilities from logits.
pub fn probabilities(logits: &[f32], scale: Scale) -> Vec<f32> {
    GateConfig::probabilities(logits, scale)
}

/// A history and its labels: 1 where a click is noise.
pub type LabelledHistory = (Vec<u32>, Vec<u8>);

/// Noise logits of a history's latest clicks, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryLogits {
    /// The fused logits, which decide.
    pub fused: Vec<f32>,
    /// The logits of each view, for methods with two views.
    pub views: Option<Views<Vec<f32>>>,
}

/// Scores the latest clicks of each history, as many as the model reads; `None` if the method has no scorer.
pub fn read(
    model: &Model,
    histories: &[&[u32]],
    features: &ItemFeatures,
    device: &Device,
) -> Option<Vec<HistoryLogits>> {
    let max_len = model.backbone.max_len();
    let mut order: Vec<usize> = (0..histories.len())
        .filter(|&h| !histories[h].is_empty())
        .collect();
    order.sort_by_key(|&h| histories[h].len());
    let mut logits = vec![HistoryLogits::default(); histories.len()];
    for group in order.chunks(USERS) {
        let items: Vec<&[u32]> = group
            .iter()
            .map(|&h| latest(histories[h], max_len))
            .collect();
        let len = longest(&items);
        let clicks = Clicks::of(&model.backbone, Batch::new(&items, len, features, device));
        let found = model.method.noise_logits(&clicks)?;
        let rows = |logits: Tensor<2>| rows(logits, &items);
        let mut fused = rows(found.fused).into_iter();
        let mut views = (found.views).map(|views| {
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
            logits[h] = HistoryLogits {
                fused: fused.next().unwrap_or_default(),
                views: views.as_mut().map(of_view),
            };
        }
    }
    Some(logits)
}

/// Scores users' histories, each with the item table of the fold that was not trained on the user; `parts` gives the
/// fold of each user. Without tables, the model's own table is used.
pub fn logits_by_fold(
    model: &Model,
    (tables, parts): (&[Tensor<2>], &[usize]),
    users: &[usize],
    histories: &[&[u32]],
    features: &ItemFeatures,
) -> Option<Vec<HistoryLogits>> {
    let device = model.backbone.items.val().device();
    if tables.is_empty() {
        return read(model, histories, features, &device);
    }
    let mut logits = vec![HistoryLogits::default(); users.len()];
    for (fold, table) in tables.iter().enumerate() {
        let mut model = model.clone();
        model.backbone.items = Param::from_tensor(table.clone());
        let own: Vec<usize> = (0..users.len())
            .filter(|&at| parts[users[at]] == fold)
            .collect();
        let theirs: Vec<&[u32]> = own.iter().map(|&at| histories[at]).collect();
        for (at, scored) in own
            .into_iter()
            .zip(read(&model, &theirs, features, &device)?)
        {
            logits[at] = scored;
        }
    }
    Some(logits)
}

/// From logits `[batch, len]`, those of each history's clicks, without the padding.
fn rows(logits: Tensor<2>, items: &[&[u32]]) -> Vec<Vec<f32>> {
    let [_batch, len] = logits.dims();
    let logits = logits.into_data();
    let logits = logits.as_slice::<f32>().expect("logits are floats");
    let rows = logits.chunks_exact(len).zip(items);
    rows.map(|(row, items)| row[len - items.len()..].to_vec())
        .collect()
}

/// Scores the latest `last` clicks of labelled histories; `None` if the method has no scorer.
pub fn judge(
    model: &Model,
    histories: &[LabelledHistory],
    last: usize,
    features: &ItemFeatures,
    device: &Device,
) -> Option<Verdicts> {
    let items: Vec<&[u32]> = histories.iter().map(|(items, _)| &items[..]).collect();
    let logits = read(model, &items, features, device)?;
    let mut verdicts = Verdicts::default();
    for (scored, (_, labels)) in logits.iter().zip(histories) {
        verdicts.add_history(scored, labels, last);
    }
    Some(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::samples::popularity;
    use ingle_model::methods::MethodConfig;
    use ingle_model::{BackboneConfig, ModelConfig};

    const ITEMS: usize = 30;

    fn model() -> (Model, ItemFeatures) {
        let config = ModelConfig {
            items: ITEMS,
            backbone: BackboneConfig {
                width: 8,
                feed_forward: 8,
                max_len: 6,
                ..BackboneConfig::default()
            },
            method: MethodConfig::named("none").expect("a method"),
            gate: GateConfig::default(),
            keep: None,
        };
        let mut model = Model::new(&config, 3, &Device::flex());
        // Far enough apart for histories to disagree.
        model.backbone.items = model.backbone.items.map(|items| items * 60.0);
        (model, ItemFeatures::popularity(popularity(&[7; ITEMS + 1])))
    }

    /// Probabilities of all items after some clicks, one history at a time.
    fn softmax(model: &Model, features: &ItemFeatures, clicks: &[u32]) -> Vec<f64> {
        let device = Device::flex();
        let clicks = latest(clicks, model.backbone.max_len());
        let batch = Batch::new(&[clicks], clicks.len(), features, &device);
        let scores = model
            .encode(batch, None)
            .user
            .matmul(model.backbone.items.val().transpose());
        let scores: Vec<f32> = scores.into_data().iter().skip(1).collect();
        let powers = scores.iter().map(|&score| f64::from(score).exp());
        let sum: f64 = powers.clone().sum();
        powers.map(|power| power / sum).collect()
    }

    #[test]
    fn several_histories_rank_by_the_mean_of_their_probabilities_in_every_way_at_once() {
        let (model, features) = model();
        let mut rng = ingle_model::Rng::new(5, &[]);
        let histories: Vec<Vec<u32>> = (0..40)
            .map(|user| {
                (0..2 + user % 9)
                    .map(|_| 1 + rng.below(ITEMS) as u32)
                    .collect()
            })
            .collect();
        let cases: Vec<Case<'_>> = (histories.iter().enumerate())
            .map(|(user, history)| Case {
                user,
                history,
                noise: None,
                original: None,
                target: 1 + (user * 7 % ITEMS) as u32,
            })
            .collect();
        let of = |sets: &dyn Fn(usize) -> Vec<Vec<usize>>| -> Vec<KeptHistories> {
            (cases.iter())
                .map(|case| KeptHistories::of(sets(case.history.len()).into_iter()))
                .collect()
        };
        let all = of(&|len| vec![(0..len).collect()]);
        let mixed = of(&|len| vec![(0..len).collect(), vec![0], vec![len - 1], vec![0]]);
        let device = Device::flex();
        let ways = answer_ways(&model, &cases, &[&all, &mixed], &features, &device, |_| ());
        let plain = answer(&model, &cases, &features, &device, |_| ());
        let mut moved = 0;
        for (at, case) in cases.iter().enumerate() {
            assert_eq!(
                ways[0][at].rank, plain[at].rank,
                "every click is the history as it is"
            );
            let parts = [(0.25, case.history), (0.5, &case.history[..1])];
            let last = (0.25, &case.history[case.history.len() - 1..]);
            let mut mean = vec![0.0; ITEMS];
            for (weight, clicks) in parts.into_iter().chain([last]) {
                for (mean, p) in mean.iter_mut().zip(softmax(&model, &features, clicks)) {
                    *mean += weight * p;
                }
            }
            let target = mean[case.target as usize - 1];
            let due = mean.iter().filter(|&&p| p >= target).count();
            assert_eq!(ways[1][at].rank.unmasked, due, "{case:?}");
            moved += usize::from(ways[1][at].rank != ways[0][at].rank);
        }
        assert!(moved > 10, "{moved} ranks differ between the ways");
        let over = answer_over(&model, &cases, &mixed, &features, &device, |_| ());
        let ranks = |answers: &[Answer]| answers.iter().map(|a| a.rank).collect::<Vec<_>>();
        assert_eq!(ranks(&over), ranks(&ways[1]));
    }

    #[test]
    fn masked_is_what_was_clicked_on_purpose() {
        let (model, features) = model();
        let case = Case {
            user: 0,
            history: &[4, 9, 9],
            noise: Some(&[0, 1, 1]),
            original: Some(&[4, 0, 2]),
            target: 7,
        };
        assert_eq!(case.real(), [4, 2]);
        let found = answer(&model, &[case], &features, &Device::flex(), |_| ());
        let p = softmax(&model, &features, case.history);
        let above = |hidden: &[u32]| {
            let others = (1..=ITEMS as u32).filter(|item| !hidden.contains(item));
            others.filter(|&item| p[item as usize - 1] >= p[6]).count()
        };
        assert_eq!(found[0].rank.masked, above(&[4, 2]));
        assert_eq!(found[0].rank.unmasked, above(&[]));
    }
}
