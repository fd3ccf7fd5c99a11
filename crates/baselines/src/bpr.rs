//! `bpr`: matrix factorisation that learns to put a user's items before others.
//!
//! A user's score of an item is the product of their factors. Stochastic gradient descent maximises
//! `ln σ(p_u · (q_i - q_j)) - penalty / 2 · (|p_u|² + |q_i|² + |q_j|²)` over clicked items `i` and items `j` that the user
//! did not click, drawn uniformly ([Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback,
//! 2009](https://arxiv.org/abs/1205.2618)).
//!
//! **A history is folded in**: whoever asks, known or not, gets factors that maximise the same objective for the items
//! of the history (the weights of its clicks are shares of `i`), with all `q` fixed and a fixed sample of items as `j`.
//! This is convex in `p`, and is solved by accelerated gradient ascent from zero. The factors of the training's users
//! are not kept.

use crate::error::{Error, within};
use crate::log::Log;
use crate::recency::{self, HalfLife};
use crate::{Method, Recommender};
use ingle_kernel::vector::dot;
use ingle_model::Rng;
use serde::{Deserialize, Serialize};

/// Draws of one item that the user did not click.
const DRAWS: usize = 32;
/// Items against which a history is folded in.
const REFERENCES: usize = 128;
/// The latest items of a history that are folded in.
const FOLDED: usize = 100;
/// Steps of the folding.
const STEPS: usize = 30;
/// Deviation of the initial factors.
const DEVIATION: f32 = 0.1;
/// Streams of random numbers.
const INITIAL: u64 = 1;
const EPOCH: u64 = 2;
const REFERENCE: u64 = 3;

/// Settings of [`Bpr`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Factors of a user and of an item, `1..=1_024`.
    pub factors: usize,
    /// Passes over the training clicks, `1..=1_000`.
    pub epochs: usize,
    /// Step of the descent, above 0 and at most 1.
    pub learning_rate: f64,
    /// Weight of the squares of the factors, above 0 and at most 1.
    pub penalty: f64,
    /// Clicks after which a click of the history counts half, above 0; `None`: all count the same.
    pub history_half_life: HalfLife,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            factors: 64,
            epochs: 60,
            learning_rate: 0.05,
            penalty: 0.01,
            history_half_life: recency::CANDIDATES[0],
        }
    }
}

impl Settings {
    /// What [`tune`](crate::tune()) chooses from.
    pub(crate) fn candidates() -> Vec<Self> {
        let of = |penalty| Self {
            penalty,
            ..Self::default()
        };
        [0.003, 0.01, 0.03, 0.1].map(of).to_vec()
    }

    fn check(&self) -> Result<(), Error> {
        let name = Method::Bpr.name();
        let fits = (1..=1_024).contains(&self.factors);
        within(fits, (name, "factors"), self.factors, "1 to 1,024")?;
        let fits = (1..=1_000).contains(&self.epochs);
        within(fits, (name, "epochs"), self.epochs, "1 to 1,000")?;
        let share = |value: f64| value > 0.0 && value <= 1.0;
        let range = "above 0 and at most 1";
        let rate = self.learning_rate;
        within(share(rate), (name, "learning_rate"), rate, range)?;
        within(share(self.penalty), (name, "penalty"), self.penalty, range)?;
        recency::check(name, self.history_half_life)
    }
}

/// The factors of the items.
#[derive(Debug)]
pub struct Bpr {
    width: usize,
    /// `[items + 1, width]`; row 0 is padding.
    items: Vec<f32>,
    /// Items against which a history is folded in.
    references: Vec<u32>,
    penalty: f32,
}

impl Recommender for Bpr {
    type Settings = Settings;

    fn fit(log: &Log, settings: &Settings, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        let width = settings.factors;
        let mut rng = Rng::new(seed, &[INITIAL]);
        let mut draw = |rows: usize| -> Vec<f32> {
            (0..rows * width).map(|_| rng.normal(DEVIATION)).collect()
        };
        let mut items = draw(log.items() + 1);
        let mut users = draw(log.users.rows());
        let pairs: Vec<(usize, u32, f32)> = (0..log.users.rows())
            .flat_map(|user| {
                log.users
                    .row(user)
                    .iter()
                    .map(move |&(item, x)| (user, item, x))
            })
            .collect();
        for epoch in 0..settings.epochs {
            let mut rng = Rng::new(seed, &[EPOCH, epoch as u64]);
            for at in rng.permutation(pairs.len()) {
                let (user, clicked, weight) = pairs[at];
                let Some(other) = unclicked(log, user, &mut rng) else {
                    continue;
                };
                let own = &mut users[user * width..][..width];
                step(own, &mut items, (clicked, other), weight, settings);
            }
        }
        let mut references = Rng::new(seed, &[REFERENCE]).permutation(log.items());
        references.truncate(REFERENCES);
        Ok(Self {
            width,
            items,
            references: references.into_iter().map(|at| at as u32 + 1).collect(),
            penalty: settings.penalty as f32,
        })
    }

    fn score(&self, history: &[(u32, f32)], scores: &mut [f32]) {
        let folded = self.fold(&history[..history.len().min(FOLDED)]);
        if history.is_empty() {
            return;
        }
        for (score, item) in scores
            .iter_mut()
            .zip(self.items.chunks_exact(self.width))
            .skip(1)
        {
            *score = dot(&folded, item);
        }
    }
}

/// An item that the user did not click; `None` if none was found, as for a user of the whole catalogue.
fn unclicked(log: &Log, user: usize, rng: &mut Rng) -> Option<u32> {
    let clicked = log.users.row(user);
    let mut draws = (0..DRAWS).map(|_| 1 + rng.below(log.items()) as u32);
    draws.find(|item| clicked.binary_search_by_key(item, |entry| entry.0).is_err())
}

/// One step of the descent for a user, a clicked item and another one.
fn step(
    own: &mut [f32],
    items: &mut [f32],
    (clicked, other): (u32, u32),
    weight: f32,
    settings: &Settings,
) {
    let width = own.len();
    let (a, b) = (clicked as usize * width, other as usize * width);
    // Two rows of one table.
    let (low, high) = items.split_at_mut(a.max(b));
    let (low, high) = (&mut low[a.min(b)..][..width], &mut high[..width]);
    let (clicked, other) = if a < b { (low, high) } else { (high, low) };
    let ahead = dot(own, clicked) - dot(own, other);
    let pull = weight / (1.0 + ahead.exp());
    let rate = settings.learning_rate as f32;
    let penalty = settings.penalty as f32 * weight;
    for ((p, i), j) in own.iter_mut().zip(clicked.iter_mut()).zip(other.iter_mut()) {
        let (user, one, another) = (*p, *i, *j);
        *p += rate * (pull * (one - another) - penalty * user);
        *i += rate * (pull * user - penalty * one);
        *j += rate * (-pull * user - penalty * another);
    }
}

impl Bpr {
    fn row(&self, item: u32) -> &[f32] {
        &self.items[item as usize * self.width..][..self.width]
    }

    /// The factors of whoever has this history.
    fn fold(&self, history: &[(u32, f32)]) -> Vec<f32> {
        let clicked = |item: &u32| history.iter().any(|entry| entry.0 == *item);
        let others: Vec<u32> = self
            .references
            .iter()
            .copied()
            .filter(|j| !clicked(j))
            .collect();
        let total: f32 = history.iter().map(|&(_, weight)| weight).sum();
        let mut point = vec![0.0; self.width];
        if others.is_empty() || total <= 0.0 {
            return point;
        }
        let clicked: Vec<(u32, f32)> = history
            .iter()
            .map(|&(i, weight)| (i, weight / total))
            .collect();
        let longest = |items: &mut dyn Iterator<Item = u32>| {
            let lengths = items.map(|item| dot(self.row(item), self.row(item)).sqrt());
            lengths.fold(0.0_f32, f32::max)
        };
        // A bound of the largest curvature: no step is too long.
        let reach = longest(&mut clicked.iter().map(|entry| entry.0))
            + longest(&mut others.iter().copied());
        let rate = 1.0 / (reach * reach / 4.0 + self.penalty);
        // Nesterov's method for a concavity of at least `penalty`.
        let root = (self.penalty * rate).sqrt();
        let momentum = (1.0 - root) / (1.0 + root);
        let mut before = point.clone();
        for _ in 0..STEPS {
            let ahead: Vec<f32> = (point.iter().zip(&before))
                .map(|(now, before)| now + momentum * (now - before))
                .collect();
            let slope = self.slope(&ahead, &clicked, &others);
            before = std::mem::replace(&mut point, ahead);
            for (value, slope) in point.iter_mut().zip(slope) {
                *value += rate * slope;
            }
        }
        point
    }

    /// The gradient of the objective of one user's factors.
    fn slope(&self, own: &[f32], clicked: &[(u32, f32)], others: &[u32]) -> Vec<f32> {
        let share = 1.0 / others.len() as f32;
        let products = |item: u32| dot(own, self.row(item));
        let behind: Vec<f32> = others.iter().map(|&item| products(item)).collect();
        let mut slope: Vec<f32> = own.iter().map(|value| -self.penalty * value).collect();
        let mut pushes = vec![0.0; others.len()];
        for &(item, weight) in clicked {
            let front = products(item);
            let mut pull = 0.0;
            for (push, behind) in pushes.iter_mut().zip(&behind) {
                let error = weight * share / (1.0 + (front - behind).exp());
                *push += error;
                pull += error;
            }
            add(&mut slope, pull, self.row(item));
        }
        for (&item, push) in others.iter().zip(pushes) {
            add(&mut slope, -push, self.row(item));
        }
        slope
    }
}

fn add(to: &mut [f32], factor: f32, row: &[f32]) {
    for (to, value) in to.iter_mut().zip(row) {
        *to += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::dataset;

    const SMALL: Settings = Settings {
        factors: 8,
        epochs: 200,
        learning_rate: 0.05,
        penalty: 0.01,
        history_half_life: None,
    };

    /// Sixty users of two groups: items 1 to 10, or 11 to 20. Six items of each are learnt.
    fn log() -> Log {
        let mut rng = Rng::new(2, &[]);
        let histories: Vec<Vec<u32>> = (0..60)
            .map(|user| {
                let order = rng.permutation(10).into_iter().take(8);
                order
                    .map(|item| (1 + item + user % 2 * 10) as u32)
                    .collect()
            })
            .collect();
        let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
        Log::of(&dataset(&histories, &[])).unwrap()
    }

    #[test]
    fn groups_of_items_are_found_and_a_history_is_folded_into_its_own() {
        let bpr = Bpr::fit(&log(), &SMALL, 1).unwrap();
        for (history, group) in [([2, 5, 7], 1..11), ([13, 20, 16], 11..21)] {
            let mut scores = vec![0.0; 21];
            bpr.score(&history.map(|item| (item, 1.0)), &mut scores);
            let mut order: Vec<usize> = (1..21).collect();
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
            let own = order[..10].iter().filter(|item| group.contains(*item));
            assert_eq!(own.count(), 10, "{order:?}");
        }
    }

    #[test]
    fn folding_ends_where_the_objective_is_flat() {
        let bpr = Bpr::fit(&log(), &SMALL, 1).unwrap();
        let history = [(1, 0.5), (2, 0.25), (9, 0.25)];
        let others: Vec<u32> = bpr
            .references
            .iter()
            .copied()
            .filter(|j| ![1, 2, 9].contains(j))
            .collect();
        let length = |point: &[f32]| {
            let slope = bpr.slope(point, &history, &others);
            slope.iter().map(|x| x * x).sum::<f32>().sqrt()
        };
        let (start, end) = (length(&[0.0; 8]), length(&bpr.fold(&history)));
        assert!(end < 0.05 * start, "{start} {end}");
    }

    #[test]
    fn the_slope_is_that_of_the_objective() {
        let bpr = Bpr::fit(&log(), &Settings { epochs: 1, ..SMALL }, 1).unwrap();
        let (clicked, others) = ([(1, 0.75), (2, 0.25)], [5, 8, 9]);
        let objective = |own: &[f32]| -> f64 {
            let score = |item| f64::from(dot(own, bpr.row(item)));
            let mut sum = 0.0;
            for (item, weight) in clicked {
                for other in others {
                    let sigmoid = 1.0 / (1.0 + (score(other) - score(item)).exp());
                    sum += f64::from(weight) / 3.0 * sigmoid.ln();
                }
            }
            sum - 0.005 * own.iter().map(|&x| f64::from(x * x)).sum::<f64>()
        };
        let own: Vec<f32> = (0..8).map(|at| at as f32 * 0.5 - 1.0).collect();
        let slope = bpr.slope(&own, &clicked, &others);
        for at in 0..8 {
            let moved = |by: f32| {
                let mut own = own.clone();
                own[at] += by;
                objective(&own)
            };
            let due = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!(
                (f64::from(slope[at]) - due).abs() < 1e-3,
                "{at}: {} {due}",
                slope[at]
            );
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_factors_and_another_one_others() {
        let of = |seed| {
            Bpr::fit(&log(), &Settings { epochs: 3, ..SMALL }, seed)
                .unwrap()
                .items
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn users_of_the_whole_catalogue_and_no_history_are_no_trouble() {
        let log = Log::of(&dataset(&[&[1, 2, 2, 2], &[2, 1, 2, 2]], &[])).unwrap();
        let bpr = Bpr::fit(&log, &SMALL, 1).unwrap();
        for history in [&[][..], &[(1, 1.0), (2, 0.0)]] {
            let mut scores = vec![0.0; 3];
            bpr.score(history, &mut scores);
            assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
        }
    }

    #[test]
    fn settings_out_of_their_ranges_are_named() {
        for (settings, named) in [
            (
                Settings {
                    factors: 0,
                    ..SMALL
                },
                "bpr: factors is 0",
            ),
            (Settings { epochs: 0, ..SMALL }, "bpr: epochs is 0"),
            (
                Settings {
                    penalty: 0.0,
                    ..SMALL
                },
                "bpr: penalty is 0",
            ),
            (
                Settings {
                    learning_rate: f64::NAN,
                    ..SMALL
                },
                "bpr: learning_rate is NaN",
            ),
        ] {
            let error = Bpr::fit(&log(), &settings, 1).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
