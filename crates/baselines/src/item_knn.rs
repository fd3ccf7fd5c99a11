//! `itemknn`: items that are clicked by the same users.
//!
//! An item's neighbours are those with the largest cosine of the users who clicked both ([Sarwar et al., Item-based
//! collaborative filtering recommendation algorithms, 2001](https://doi.org/10.1145/371920.372071)). A constant in the
//! denominator shrinks the cosines of items with few clicks, as in [Ferrari Dacrema et al., Are we really making much
//! progress?, 2019](https://arxiv.org/abs/1907.06902). An item's score is the sum of its cosines with the history's
//! items, of those whose neighbour it is, each times the weight of that click
//! ([`recency`](crate::recency::weights())).

use crate::cooccurrence::{Row, squares};
use crate::error::{Error, within};
use crate::log::{Log, Sparse};
use crate::recency::{self, HalfLife};
use crate::{Method, Recommender};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Settings of [`ItemKnn`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Neighbours of each item, `1..=10_000`.
    pub neighbours: usize,
    /// Added to the product of the two items' lengths, 0 or more: with `c` users in common of `a` and `b`, the cosine is
    /// `c / (sqrt(a · b) + shrinkage)`.
    pub shrinkage: f64,
    /// Clicks after which a click of the history counts half, above 0; `None`: all count the same.
    pub history_half_life: HalfLife,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            neighbours: 200,
            shrinkage: 10.0,
            history_half_life: recency::CANDIDATES[0],
        }
    }
}

impl Settings {
    /// What [`tune`](crate::tune()) chooses from.
    pub(crate) fn candidates() -> Vec<Self> {
        let of = |neighbours| {
            [0.0, 10.0, 30.0].map(|shrinkage| Self {
                neighbours,
                shrinkage,
                ..Self::default()
            })
        };
        [20, 100, 1000].into_iter().flat_map(of).collect()
    }
}

/// Each item's neighbours.
#[derive(Debug)]
pub struct ItemKnn {
    /// By item, row 0 is empty: neighbours with their cosines, nearest first.
    neighbours: Sparse,
}

impl ItemKnn {
    /// An item's neighbours with their cosines, nearest first; equal ones the more popular first.
    pub fn neighbours(&self, item: u32) -> &[(u32, f32)] {
        self.neighbours.row(item as usize)
    }
}

impl Recommender for ItemKnn {
    type Settings = Settings;

    fn fit(log: &Log, settings: &Settings, _seed: u64) -> Result<Self, Error> {
        let name = Method::ItemKnn.name();
        let (most, shrinkage) = (settings.neighbours, settings.shrinkage);
        within(
            (1..=10_000).contains(&most),
            (name, "neighbours"),
            most,
            "1 to 10,000",
        )?;
        let fits = shrinkage.is_finite() && shrinkage >= 0.0;
        within(fits, (name, "shrinkage"), shrinkage, "0 or more")?;
        recency::check(name, settings.history_half_life)?;
        let squares = squares(log);
        let of = |row: &mut Row, item: u32| -> Vec<(u32, f32)> {
            let others = row.of(log, item).filter(|&(other, _)| other != item);
            let cosines = others.map(|(other, sum)| {
                let lengths = (squares[item as usize] * squares[other as usize]).sqrt();
                (other, (sum / (lengths + shrinkage)) as f32)
            });
            nearest(cosines.collect(), most, log.places())
        };
        let items = (0..=log.items() as u32).into_par_iter();
        let rows: Vec<_> = items.map_init(|| Row::new(log), of).collect();
        let neighbours = Sparse::of(rows.iter().map(Vec::as_slice));
        Ok(Self { neighbours })
    }

    fn score(&self, history: &[(u32, f32)], scores: &mut [f32]) {
        for &(item, weight) in history {
            for &(other, cosine) in self.neighbours(item) {
                scores[other as usize] += weight * cosine;
            }
        }
    }
}

/// The `most` largest values, largest first; equal ones by place.
pub(crate) fn nearest(mut all: Vec<(u32, f32)>, most: usize, places: &[u32]) -> Vec<(u32, f32)> {
    let better = |a: &(u32, f32), b: &(u32, f32)| {
        let by_value = b.1.total_cmp(&a.1);
        by_value.then(places[a.0 as usize].cmp(&places[b.0 as usize]))
    };
    if most < all.len() {
        all.select_nth_unstable_by(most, better);
        // Not truncated, which would keep the room of all.
        all = all[..most].to_vec();
    }
    all.sort_by(better);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::dataset;

    /// Training clicks: {1, 2}, {1, 2}, {1, 3}, {3}.
    fn log() -> Log {
        let histories: [&[u32]; 4] = [&[1, 2, 4, 4], &[2, 1, 4, 4], &[1, 3, 4, 4], &[3, 4, 4]];
        Log::of(&dataset(&histories, &[])).unwrap()
    }

    fn fit(settings: Settings) -> ItemKnn {
        ItemKnn::fit(&log(), &settings, 1).unwrap()
    }

    #[test]
    fn cosines_are_those_computed_by_hand_and_shrink() {
        let plain = fit(Settings {
            shrinkage: 0.0,
            ..Settings::default()
        });
        let [two, three] = [2.0, 1.0].map(|both| (both / 6.0_f64.sqrt()) as f32);
        assert_eq!(plain.neighbours(1), [(2, two), (3, three)]);
        assert_eq!(plain.neighbours(2), [(1, two)]);
        assert_eq!(plain.neighbours(4), []);
        let shrunk = fit(Settings {
            shrinkage: 1.0,
            ..Settings::default()
        });
        assert_eq!(
            shrunk.neighbours(2),
            [(1, (2.0 / (6.0_f64.sqrt() + 1.0)) as f32)]
        );
    }

    #[test]
    fn a_score_is_the_weighted_sum_over_the_history() {
        let knn = fit(Settings {
            shrinkage: 0.0,
            ..Settings::default()
        });
        let mut scores = vec![0.0; 5];
        knn.score(&[(3, 1.0), (2, 0.5)], &mut scores);
        // Item 3 gives 1 its cosine of 1/√6, and item 2, at half its weight, 2/√6.
        assert!((scores[1] - 2.0 / 6.0_f32.sqrt()).abs() < 1e-6);
        assert_eq!(scores[2..], [0.0; 3]);
    }

    #[test]
    fn of_equal_neighbours_the_more_popular_is_kept() {
        let all = vec![(1, 0.5), (2, 0.5), (3, 0.7), (4, 0.5)];
        let places = [9, 3, 1, 0, 2];
        assert_eq!(nearest(all.clone(), 2, &places), [(3, 0.7), (2, 0.5)]);
        assert_eq!(nearest(all, 9, &places).len(), 4);
    }

    #[test]
    fn settings_out_of_their_ranges_are_named() {
        let wrong = |settings: Settings, named: &str| {
            let error = ItemKnn::fit(&log(), &settings, 1).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        };
        let settings = Settings::default();
        wrong(
            Settings {
                neighbours: 0,
                ..settings
            },
            "neighbours is 0",
        );
        wrong(
            Settings {
                shrinkage: -1.0,
                ..settings
            },
            "shrinkage is -1",
        );
        let history_half_life = Some(0.0);
        wrong(
            Settings {
                history_half_life,
                ..settings
            },
            "history_half_life is 0",
        );
    }
}
