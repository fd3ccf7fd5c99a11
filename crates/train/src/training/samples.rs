//! Training samples and their tensors: from histories to the inputs of one step.

use super::config::Denoising;
use crate::data::Dataset;
use crate::data::corrupt::{Sampler, Sessions, corrupt_history, insert_at_rate};
use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_model::methods::Labelled;
use ingle_model::{Batch, ItemFeatures, Rng};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::Arc;

/// Stream of the sessions of other users.
const SESSION: u64 = 10;

/// `ln(1 + clicks in training)` of each item.
pub fn popularity(counts: &[u32]) -> Vec<f32> {
    counts.iter().map(|&count| (count as f32).ln_1p()).collect()
}

/// The latest training clicks of users: at most `max_len` to predict from and the last to predict.
pub fn windows<'a>(data: &'a Dataset, users: &[usize], max_len: usize) -> Vec<&'a [u32]> {
    let clicks = users.iter().map(|&user| data.train(user));
    clicks.map(|clicks| latest(clicks, max_len + 1)).collect()
}

/// A training sample of the backbone: a history and its targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    /// Clicks that the model reads, oldest first.
    pub items: Vec<u32>,
    /// The next click after each item.
    pub targets: Vec<u32>,
    /// Weight of each target, `0..=1`; empty if all weigh the same.
    pub weights: Vec<f32>,
}

impl Lesson {
    /// All clicks but the last are items; all but the first are targets.
    pub fn of(window: &[u32]) -> Self {
        Self {
            items: window[..window.len() - 1].to_vec(),
            targets: window[1..].to_vec(),
            ..Self::default()
        }
    }

    /// Sets the weights of the targets. `weights` has one entry per click of the window, the first one included.
    #[must_use]
    pub fn weighing(self, weights: &[f32]) -> Self {
        Self {
            weights: weights[1..].to_vec(),
            ..self
        }
    }
}

/// The batch of the samples' items, and the next item at each position, `[samples * len]`, 0 if there is none.
pub fn next_items(
    lessons: &[Lesson],
    features: &ItemFeatures,
    device: &Device,
) -> (Batch, Vec<u32>) {
    let histories: Vec<&[u32]> = lessons.iter().map(|lesson| &lesson.items[..]).collect();
    let len = longest(&histories);
    let mut targets = vec![0; lessons.len() * len];
    for (row, lesson) in targets.chunks_exact_mut(len).zip(lessons) {
        row[len - lesson.items.len()..].copy_from_slice(&lesson.targets);
    }
    (Batch::new(&histories, len, features, device), targets)
}

/// Adds noise to histories and labels it.
#[derive(Debug)]
pub struct Corruption {
    rates: Vec<f64>,
    last: usize,
    samplers: Vec<Sampler>,
    /// Clicks of other users; `None` if there are no others.
    sessions: Option<Arc<Sessions>>,
}

impl Corruption {
    /// The corruption of the training settings, over the items of `data`: each history gets one of the rates and
    /// one of the kinds, drawn at random.
    pub fn new(settings: &Denoising, data: &Dataset) -> anyhow::Result<Self> {
        let samplers = settings.kinds.iter().map(|&kind| Sampler::new(kind, data));
        Ok(Self {
            rates: settings.rates.clone(),
            last: settings.last,
            samplers: samplers.collect::<Result<_, _>>()?,
            sessions: Sessions::of(data, None).ok().map(Arc::new),
        })
    }

    /// The same with one rate for all histories, for validation and calibration.
    #[must_use]
    pub fn at_rate(&self, rate: f64) -> Self {
        Self {
            rates: vec![rate],
            last: self.last,
            samplers: self.samplers.clone(),
            sessions: self.sessions.clone(),
        }
    }

    /// The random draws for a user's history and the kind of noise. They depend on the seed, the stream and the
    /// user alone.
    fn draw(&self, user: usize, (seed, stream): (u64, u64)) -> (Rng, Xoshiro256PlusPlus, &Sampler) {
        let mut draw = Rng::new(seed, &[2, stream, user as u64]);
        let rng = Xoshiro256PlusPlus::seed_from_u64(draw.bits());
        let sampler = &self.samplers[draw.below(self.samplers.len())];
        (draw, rng, sampler)
    }

    /// With probability `share`, a history with a few consecutive clicks of another shopper inserted among the
    /// latest, and its labels (1 = inserted). `None` otherwise, or if there is no other shopper.
    pub fn session(
        &self,
        history: &[u32],
        (user, shopper): (usize, &str),
        (seed, stream): (u64, u64),
        share: f64,
    ) -> Option<Noisy> {
        let mut draw = Rng::new(seed, &[SESSION, stream, user as u64]);
        let sessions = self
            .sessions
            .as_ref()
            .filter(|_| f64::from(draw.uniform()) < share)?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(draw.bits());
        let session = sessions.draw(shopper, &mut rng);
        let place = history.len() - draw.below(history.len().min(self.last) + 1);
        let (before, after) = history.split_at(place);
        let labels = [
            vec![0; before.len()],
            vec![1; session.len()],
            vec![0; after.len()],
        ];
        Some(([before, session, after].concat(), labels.concat()))
    }

    /// A history with items inserted, `rate` times as many as it has clicks, and its labels (1 = inserted).
    pub fn insert_at_rate(
        &self,
        history: &[u32],
        user: usize,
        draw: (u64, u64),
        rate: f64,
    ) -> (Vec<u32>, Vec<u8>) {
        let (_, mut rng, sampler) = self.draw(user, draw);
        insert_at_rate(history, &mut rng, (rate, self.last), sampler)
    }

    /// How many of the latest clicks may be replaced.
    pub fn last(&self) -> usize {
        self.last
    }

    /// A history with some clicks replaced, and its labels (1 = replaced). `stream` names the draw: the result
    /// depends on the history, the user, the seed and the stream alone.
    pub fn apply(
        &self,
        history: &[u32],
        user: usize,
        seed: u64,
        stream: u64,
    ) -> (Vec<u32>, Vec<u8>) {
        let (mut draw, mut rng, sampler) = self.draw(user, (seed, stream));
        let rate = self.rates[draw.below(self.rates.len())];
        let untouched = history.len().saturating_sub(self.last);
        let (head, tail) = history.split_at(untouched);
        let (replaced, noise) = corrupt_history(tail, &mut rng, rate, sampler);
        let items = [head, &replaced].concat();
        let labels = [vec![0; head.len()], noise].concat();
        (items, labels)
    }
}

/// Clicks, and their labels (1 = noise).
type Noisy = (Vec<u32>, Vec<u8>);

/// How training histories are labelled.
#[derive(Clone, Copy, Debug)]
pub struct Labelling<'a> {
    /// The corruption that is applied.
    pub corruption: &'a Corruption,
    /// Share of the histories into which a session of another user is inserted instead.
    pub sessions: f64,
    /// The seed and the stream of the draws.
    pub draw: (u64, u64),
    /// Soft labels of the unchanged clicks: the noise probability of each training click by user, if there is a
    /// teacher.
    pub beliefs: Option<&'a [Vec<f32>]>,
    /// Whether labels that came with the log are used.
    pub log_labels: bool,
}

impl Labelling<'_> {
    /// One user's latest clicks, some replaced or some inserted, with the label and the soft label of each.
    fn history(&self, data: &Dataset, user: usize, max_len: usize) -> (Vec<u32>, [Vec<f32>; 2]) {
        let clicks = latest(data.train(user), max_len);
        let known = self.known(data, user, clicks.len());
        let beliefs = self.beliefs.map_or(&[][..], |beliefs| &beliefs[user]);
        let beliefs = latest(beliefs, clicks.len());
        let whose = (user, data.shopper(user));
        let session = (self.corruption).session(clicks, whose, self.draw, self.sessions);
        let Some((items, noise)) = session else {
            let (seed, stream) = self.draw;
            let (items, replaced) = self.corruption.apply(clicks, user, seed, stream);
            let mut labels: Vec<f32> = replaced.into_iter().map(f32::from).collect();
            for (label, known) in labels.iter_mut().zip(known) {
                *label = label.max(known);
            }
            return (items, [labels, beliefs.to_vec()]);
        };
        let spread = |own: &[f32], inserted: f32| -> Vec<f32> {
            let mut own = own.iter().copied();
            let each = noise.iter().map(|&noise| match noise {
                0 => own.next().unwrap_or(0.0),
                _ => inserted,
            });
            latest(&each.collect::<Vec<_>>(), max_len).to_vec()
        };
        let values = [spread(&known, 1.0), spread(beliefs, 0.0)];
        (latest(&items, max_len).to_vec(), values)
    }

    /// Labels of a user's latest `n` clicks that came with the log (1 = noise); empty if there are none.
    fn known(&self, data: &Dataset, user: usize, n: usize) -> Vec<f32> {
        let known = data.noise(user).filter(|_| self.log_labels);
        let known = known.map_or(&[][..], |known| &known[..data.train(user).len()]);
        let known = latest(known, n).iter();
        known.map(|&noise| f32::from(noise)).collect()
    }
}

/// Corrupted training histories of some users with their labels.
pub fn labelled(
    data: &Dataset,
    users: &[usize],
    max_len: usize,
    labelling: &Labelling<'_>,
    features: &ItemFeatures,
    device: &Device,
) -> Labelled {
    let (histories, values): (Vec<_>, Vec<_>) = (users.iter())
        .map(|&user| labelling.history(data, user, max_len))
        .unzip();
    let len = longest(&histories);
    let size = users.len() * len;
    let [mut labels, mut beliefs, mut judged] = [(); 3].map(|()| vec![0.0; size]);
    for (row, [own, believed]) in values.iter().enumerate() {
        let end = (row + 1) * len;
        labels[end - own.len()..end].copy_from_slice(own);
        beliefs[end - believed.len()..end].copy_from_slice(believed);
        judged[end - own.len().min(labelling.corruption.last())..end].fill(1.0);
    }
    let shape = [users.len(), len];
    let beliefs = labelling.beliefs.map(|_| tensor(beliefs, shape, device));
    Labelled {
        batch: Batch::new(&histories, len, features, device),
        labels: tensor(labels, shape, device),
        judged: tensor(judged, shape, device),
        beliefs,
    }
}

/// The clicks of a history that were not replaced; the last one where all were.
pub fn real_clicks(history: &[u32], noise: &[u8]) -> Vec<u32> {
    let real = history.iter().zip(noise).filter(|(_, noise)| **noise == 0);
    let real: Vec<u32> = real.map(|(&item, _)| item).collect();
    if real.is_empty() {
        return latest(history, 1).to_vec();
    }
    real
}

/// The latest `n` entries.
pub fn latest<T>(history: &[T], n: usize) -> &[T] {
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

/// Values as a tensor of that shape.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    #[test]
    fn clicks_that_are_inserted_leave_the_others_their_soft_labels() {
        let data = dataset(&[&[1, 2, 3, 4, 5, 6, 7], &[11, 12, 13, 14, 15, 16]], &[]);
        let settings = Denoising::default();
        let corruption = Corruption::new(&settings, &data).expect("items");
        let own = data.train(0);
        let beliefs = vec![own.iter().map(|&item| 0.1 * item as f32).collect()];
        let labelling = Labelling {
            corruption: &corruption,
            sessions: 1.0,
            draw: (1, 2),
            beliefs: Some(&beliefs),
            log_labels: true,
        };
        let (items, [labels, beliefs]) = labelling.history(&data, 0, 50);
        assert!(items.len() > own.len() && items.len() <= own.len() + 3);
        let told = items.iter().zip(&labels).zip(&beliefs);
        for ((&item, &label), &belief) in told {
            let due = if label == 0.0 { 0.1 * item as f32 } else { 0.0 };
            assert_eq!(belief, due);
        }
        let (items, [labels, _]) = labelling.history(&data, 0, 4);
        assert_eq!((items.len(), labels.len()), (4, 4));
    }

    #[test]
    fn clicks_in_a_row_of_another_user_come_between_the_own_ones_as_often_as_asked() {
        let (own, other): (&[u32], &[u32]) = (&[1, 2, 3, 4, 5, 6], &[11, 12, 13, 14, 15, 16]);
        let data = dataset(&[own, other], &[]);
        let corruption = Corruption::new(&Denoising::default(), &data).expect("items");
        let whose = (0, data.shopper(0));
        let draw = |stream, share| corruption.session(own, whose, (7, stream), share);
        let sessions: Vec<Noisy> = (0..400).filter_map(|stream| draw(stream, 0.25)).collect();
        assert!((70..130).contains(&sessions.len()), "{}", sessions.len());
        for (clicks, labels) in &sessions {
            let of = |label: u8| -> Vec<u32> {
                let labelled = clicks.iter().zip(labels).filter(|(_, is)| **is == label);
                labelled.map(|(&click, _)| click).collect()
            };
            assert_eq!(of(0), own);
            let session = of(1);
            assert!((1..=3).contains(&session.len()));
            assert!(other.windows(session.len()).any(|row| row == session));
            let start = labels
                .iter()
                .position(|&label| label == 1)
                .expect("a click");
            assert!(
                labels[start..start + session.len()]
                    .iter()
                    .all(|&label| label == 1)
            );
        }
        assert_eq!(draw(3, 0.0), None);
        let alone = dataset(&[own], &[]);
        let alone = Corruption::new(&Denoising::default(), &alone).expect("items");
        assert_eq!(alone.session(own, whose, (7, 3), 1.0), None, "nobody else");
    }

    #[test]
    fn real_clicks_are_those_that_were_not_replaced_and_never_none() {
        assert_eq!(real_clicks(&[1, 2, 3], &[0, 1, 0]), [1, 3]);
        assert_eq!(real_clicks(&[1, 2, 3], &[1, 1, 1]), [3]);
        assert!(real_clicks(&[], &[]).is_empty());
    }
}
