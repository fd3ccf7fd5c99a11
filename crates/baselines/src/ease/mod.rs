//! `ease`: a linear model from the items of a history to all items, in closed form.
//!
//! With the users' items `X` (`[users, items]`), it is the matrix `B` that minimises
//! `‖X - X·B‖² + ridge · ‖B‖²` with a diagonal of 0: `B_ij = -P_ij / P_jj` for `i ≠ j`, where
//! `P = (Xᵀ·X + ridge · I)⁻¹` ([Steck, Embarrassingly Shallow Autoencoders for Sparse Data,
//! 2019](https://arxiv.org/abs/1905.03375)). An item's score is the sum of `B_ij` over the history's items `i`, each
//! times the weight of that click; the paper has weights of 1.
//!
//! The matrix has as many rows as items with training clicks. Its lower half is inverted in place, in floats of 32
//! bits, and both halves are kept: `4 · n²` bytes, 0.1 GB for 5,000 items and 0.6 for 12,000. For larger catalogues each
//! column of `B` is computed from the item's nearest neighbours alone, by the cosine of their users. This is the sparse
//! approximation of [Steck, Markov Random Fields for Collaborative Filtering, 2019](https://arxiv.org/abs/1910.09645),
//! in its extreme case in which each item is regressed against neighbours of its own. Neighbours are items that have
//! users in common. Where all items have, and all are taken, it is the exact solution.

mod dense;
mod sparse;

use crate::cooccurrence::squares;
use crate::error::{Error, within};
use crate::log::Log;
use crate::recency::{self, HalfLife};
use crate::{Method, Recommender};
use dense::Dense;
use serde::{Deserialize, Serialize};
use sparse::Near;

/// Settings of [`Ease`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Weight of the squares of `B`, above 0. In users: it is added to the number of users of each item.
    pub ridge: f64,
    /// Most items with training clicks for which the whole matrix is inverted, `0..=40_000`.
    pub dense_items: usize,
    /// Neighbours of each item where it is not, `1..=2_000`. The time grows with their third power.
    pub neighbours: usize,
    /// Clicks after which a click of the history counts half, above 0; `None`: all count the same.
    pub history_half_life: HalfLife,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ridge: 200.0,
            dense_items: 5_000,
            neighbours: 200,
            history_half_life: recency::CANDIDATES[0],
        }
    }
}

impl Settings {
    /// What [`tune`](crate::tune()) chooses from.
    pub(crate) fn candidates() -> Vec<Self> {
        let of = |ridge| Self {
            ridge,
            ..Self::default()
        };
        [10.0, 50.0, 200.0, 1000.0, 5000.0].map(of).to_vec()
    }

    fn check(&self) -> Result<(), Error> {
        let name = Method::Ease.name();
        let fits = self.ridge.is_finite() && self.ridge > 0.0;
        within(fits, (name, "ridge"), self.ridge, "above 0")?;
        let fits = self.dense_items <= 40_000;
        within(fits, (name, "dense_items"), self.dense_items, "0 to 40,000")?;
        let fits = (1..=2_000).contains(&self.neighbours);
        within(fits, (name, "neighbours"), self.neighbours, "1 to 2,000")?;
        recency::check(name, self.history_half_life)
    }
}

/// The weights from items to items.
#[derive(Debug)]
pub enum Ease {
    /// Of all pairs of items.
    Dense(Dense),
    /// Of each item's neighbours.
    Sparse(Near),
}

impl Recommender for Ease {
    type Settings = Settings;

    fn fit(log: &Log, settings: &Settings, _seed: u64) -> Result<Self, Error> {
        settings.check()?;
        let learnt = squares(log).iter().filter(|&&square| square > 0.0).count();
        if learnt <= settings.dense_items {
            return Dense::fit(log, settings.ridge).map(Self::Dense);
        }
        Near::fit(log, settings.ridge, settings.neighbours).map(Self::Sparse)
    }

    fn score(&self, history: &[(u32, f32)], scores: &mut [f32]) {
        match self {
            Self::Dense(weights) => weights.score(history, scores),
            Self::Sparse(weights) => weights.score(history, scores),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::dataset;
    use nalgebra::DMatrix;
    use proptest::prelude::*;

    /// `Xᵀ·X`.
    fn gram(log: &Log) -> DMatrix<f64> {
        let x = DMatrix::from_fn(log.users.rows(), log.items(), |user, at| {
            let mut row = log.users.row(user).iter();
            let entry = row.find(|entry| entry.0 as usize == at + 1);
            entry.map_or(0.0, |&(_, value)| f64::from(value))
        });
        x.transpose() * &x
    }

    /// `B` by its definition, in floats of 64 bits.
    fn expected(log: &Log, ridge: f64) -> DMatrix<f64> {
        let items = log.items();
        let p = gram(log) + DMatrix::identity(items, items) * ridge;
        let p = p.try_inverse().unwrap();
        DMatrix::from_fn(items, items, |i, j| {
            if i == j { 0.0 } else { -p[(i, j)] / p[(j, j)] }
        })
    }

    fn weights(log: &Log, settings: Settings) -> DMatrix<f64> {
        let ease = Ease::fit(log, &settings, 1).unwrap();
        let rows = (1..=log.items() as u32).flat_map(|item| {
            let mut scores = vec![0.0; log.items() + 1];
            ease.score(&[(item, 1.0)], &mut scores);
            scores.into_iter().skip(1).map(f64::from)
        });
        DMatrix::from_row_iterator(log.items(), log.items(), rows)
    }

    fn log(histories: &[Vec<u32>]) -> Log {
        // The last two clicks are not learnt.
        let histories: Vec<Vec<u32>> = histories
            .iter()
            .map(|items| [&items[..], &[1, 1]].concat())
            .collect();
        let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
        Log::of(&dataset(&histories, &[])).unwrap()
    }

    #[test]
    fn two_items_have_the_weights_computed_by_hand() {
        // Users {1, 2}, {1}: Xᵀ·X + I = [[3, 1], [1, 2]], P = [[2, -1], [-1, 3]] / 5.
        let log = log(&[vec![1, 2], vec![1]]);
        for dense_items in [0, 9] {
            let settings = Settings {
                ridge: 1.0,
                dense_items,
                ..Settings::default()
            };
            let b = weights(&log, settings);
            assert!((b[(0, 1)] - 1.0 / 3.0).abs() < 1e-6, "{b}");
            assert!((b[(1, 0)] - 1.0 / 2.0).abs() < 1e-6, "{b}");
            assert_eq!((b[(0, 0)], b[(1, 1)]), (0.0, 0.0));
        }
    }

    #[test]
    fn more_items_than_a_tile_are_inverted_as_by_the_definition() {
        let mut rng = ingle_model::Rng::new(3, &[]);
        let items = 2 * dense::TILE + 37;
        let histories: Vec<Vec<u32>> = (0..400)
            .map(|_| (0..20).map(|_| 1 + rng.below(items) as u32).collect())
            .collect();
        let log = log(&histories);
        let ridge = 3.0;
        let found = weights(
            &log,
            Settings {
                ridge,
                ..Settings::default()
            },
        );
        let gap = (found - expected(&log, ridge)).abs().max();
        assert!(gap < 1e-5, "{gap}");
    }

    #[test]
    fn few_neighbours_give_nearly_the_weights_of_all() {
        let mut rng = ingle_model::Rng::new(8, &[]);
        // Ten groups of items, which users stay in.
        let histories: Vec<Vec<u32>> = (0..300)
            .map(|user| {
                (0..6)
                    .map(|_| 1 + (user % 10 * 12 + rng.below(12)) as u32)
                    .collect()
            })
            .collect();
        let log = log(&histories);
        let settings = |neighbours| Settings {
            ridge: 20.0,
            dense_items: 0,
            neighbours,
            ..Settings::default()
        };
        let exact = weights(
            &log,
            Settings {
                dense_items: 9999,
                ..settings(1)
            },
        );
        let gap = |neighbours| (weights(&log, settings(neighbours)) - &exact).norm() / exact.norm();
        let (few, enough) = (gap(3), gap(11));
        assert!(few > 0.2 && enough < 0.05, "{few} {enough}");
    }

    #[test]
    fn settings_out_of_their_ranges_are_named() {
        let log = log(&[vec![1, 2]]);
        let settings = Settings::default();
        for (settings, named) in [
            (
                Settings {
                    ridge: 0.0,
                    ..settings
                },
                "ease: ridge is 0",
            ),
            (
                Settings {
                    ridge: f64::NAN,
                    ..settings
                },
                "ease: ridge is NaN",
            ),
            (
                Settings {
                    neighbours: 0,
                    ..settings
                },
                "ease: neighbours is 0",
            ),
            (
                Settings {
                    dense_items: 1 << 20,
                    ..settings
                },
                "ease: dense_items is 1048576",
            ),
        ] {
            let error = Ease::fit(&log, &settings, 1).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    /// The weights from all items that have users in common with each item, by their normal equations.
    fn expected_of_neighbours(log: &Log, ridge: f64) -> DMatrix<f64> {
        let gram = gram(log);
        let mut b = DMatrix::zeros(log.items(), log.items());
        for j in 0..log.items() {
            let near: Vec<usize> = (0..log.items())
                .filter(|&i| i != j && gram[(i, j)] > 0.0)
                .collect();
            let own = DMatrix::from_fn(near.len(), near.len(), |x, y| {
                gram[(near[x], near[y])] + if x == y { ridge } else { 0.0 }
            });
            let right = DMatrix::from_fn(near.len(), 1, |x, _| gram[(near[x], j)]);
            let solved = own.try_inverse().unwrap() * right;
            for (x, &i) in near.iter().enumerate() {
                b[(i, j)] = solved[(x, 0)];
            }
        }
        b
    }

    proptest! {
        #[test]
        fn both_ways_give_the_closed_form_and_a_diagonal_of_zero(
            histories in prop::collection::vec(prop::collection::vec(1_u32..14, 1..8), 1..20),
            ridge in 0.5_f64..50.0, everyone in any::<bool>(),
        ) {
            let mut histories = histories;
            if everyone {
                // Somebody clicked everything: all items have a user in common.
                histories.push((1..14).collect());
            }
            let log = log(&histories);
            let exact = expected(&log, ridge);
            let near = expected_of_neighbours(&log, ridge);
            for (dense_items, due) in [(100, &exact), (0, &near)] {
                let found = weights(&log, Settings { ridge, dense_items, ..Settings::default() });
                prop_assert!((0..log.items()).all(|at| found[(at, at)] == 0.0));
                let gap = (&found - due).abs().max();
                prop_assert!(gap < 1e-5, "{} {}", dense_items, gap);
            }
            if everyone {
                prop_assert!((exact - near).abs().max() < 1e-9);
            }
        }
    }
}
