//! The choice of an adapter's settings by the figures of users held out of training.

use super::subject::Subject;
use super::{Plan, USERS, users_of};
use crate::data::{Case, Dataset, Split};
use crate::metrics::ranking::NDCG10;
use indicatif::ProgressBar;
use ingle_bundle::Learning;
use std::collections::BTreeMap;

/// Targets of each user by which settings are chosen, at most.
const LATEST: usize = 16;
/// Products of a row with a vector by which settings are chosen, at most about: bounds the time of large catalogues.
const WORK: usize = 100_000_000_000;
/// Clicks that are learnt from, at most.
const WINDOW: usize = 100;
/// Weights of log-popularity that are tried.
const POPULARITY: [f32; 12] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0];
/// Step sizes that are tried, times the mean squared length of what a step moves along.
const RATES: [f32; 2] = [2.0, 8.0];
/// Steps that are tried.
const STEPS: [usize; 4] = [2, 4, 8, 16];
/// Half-lives that are tried, in clicks.
const HALF_LIVES: [f32; 3] = [5.0, 10.0, 25.0];
/// Fewest clicks that are tried.
const CLICKS: [usize; 5] = [2, 5, 10, 20, 40];

impl Subject {
    /// The cases by which settings are chosen: all users, or evenly spaced ones where there are too many.
    pub(super) fn some<'d>(&self, data: &'d Dataset) -> Vec<Case<'d>> {
        let cases = data.all_cases(Split::Unseen, LATEST);
        let users = users_of(&cases);
        let most = WORK / (LATEST * 400 * self.table.len()).max(1);
        let every = users.len().div_ceil(most.max(2 * USERS));
        let taken = |user: usize| {
            users
                .binary_search(&user)
                .is_ok_and(|at| at.is_multiple_of(every.max(1)))
        };
        cases.into_iter().filter(|case| taken(case.user)).collect()
    }

    /// The settings of each kind chosen for the first half of the users (by the second), for the second, and for all.
    pub(super) fn choose(
        &self,
        cases: &[Case<'_>],
        halves: &[usize],
        bar: &ProgressBar,
    ) -> Vec<[Plan; 3]> {
        let count = cases.len();
        let pick = |figures: &[Vec<f64>], judges: usize| best(figures, halves, judges);
        let ndcg = |plans: &[Plan]| -> Vec<Vec<f64>> {
            let found = self.figures(cases, plans, bar).into_iter();
            found
                .map(|rows| rows.iter().map(|row| row[NDCG10]).collect())
                .collect()
        };
        let by = |plans: &[Plan], figures: &[Vec<f64>]| {
            [1, 0, 2].map(|judges| plans[pick(figures, judges)].clone())
        };
        let weights = POPULARITY.map(Plan::popularity);
        let of_weights = ndcg(&weights);
        let popularity = by(&weights, &of_weights);
        let fallback = |plan: &Plan| {
            let at = weights
                .iter()
                .position(|weight| weight.popularity == plan.popularity);
            at.map_or_else(|| vec![0.0; count], |at| of_weights[at].clone())
        };
        // The best plan, then the fewest clicks from which it is used.
        let settle = |plans: Vec<Plan>| {
            let figures = ndcg(&plans);
            [1, 0, 2].map(|judges| {
                let best = pick(&figures, judges);
                let without = fallback(&plans[best]);
                let from = CLICKS.map(|clicks| {
                    let all = (0..count).map(|at| {
                        let enough = cases[at].history.len() >= clicks;
                        if enough {
                            figures[best][at]
                        } else {
                            without[at]
                        }
                    });
                    all.collect::<Vec<f64>>()
                });
                let mut plan = plans[best].clone();
                if let Some(learning) = &mut plan.learning {
                    learning.clicks = CLICKS[pick(&from, judges)];
                }
                plan
            })
        };
        let squares: f32 = self.table.iter().map(|x| x * x).sum();
        let bias = self.popularity.len() as f32 / squares.max(1e-12);
        let mean = self.popularity.iter().sum::<f32>() / self.popularity.len() as f32;
        let spread = self
            .popularity
            .iter()
            .map(|x| (x - mean) * (x - mean))
            .sum::<f32>();
        let weight = self.popularity.len() as f32 / spread.max(1e-6);
        let mut starts: Vec<f32> = popularity.iter().map(|plan| plan.popularity).collect();
        starts.dedup();
        let from_all = |rates: &[[f32; 2]]| -> Vec<Plan> {
            starts
                .iter()
                .flat_map(|&start| grid(start, rates))
                .collect()
        };
        let own_bias = settle(grid(0.0, &RATES.map(|rate| [rate * bias, 0.0])));
        let own_weight = settle(from_all(&RATES.map(|rate| [0.0, 0.1 * rate * weight])));
        let both: Vec<[f32; 2]> = RATES
            .iter()
            .flat_map(|rate| [0.0, 0.1].map(|share| [rate * bias, share * rate * weight]))
            .collect();
        let both = settle(from_all(&both));
        let another = both.clone().map(|plan| Plan {
            another: true,
            ..plan
        });
        let judges = [1, 0, 2].map(|judges| {
            let own = cases.iter().zip(halves);
            let own = own.filter(|&(_, half)| *half == judges || judges == 2);
            last_of_each(own.map(|(case, _)| case))
        });
        let start = std::array::from_fn(|at| Plan {
            start: Some(self.mean_bias(&judges[at], &both[at])),
            ..both[at].clone()
        });
        let none = std::array::from_fn(|_| Plan::NONE);
        vec![none, popularity, own_bias, own_weight, both, start, another]
    }
}

/// The case of each user that has the longest history.
fn last_of_each<'c, 'd: 'c>(cases: impl Iterator<Item = &'c Case<'d>>) -> Vec<&'c Case<'d>> {
    let mut last = BTreeMap::new();
    for case in cases {
        let entry = last.entry(case.user).or_insert(case);
        if entry.history.len() < case.history.len() {
            *entry = case;
        }
    }
    last.into_values().collect()
}

/// The row with the largest mean over the cases of half `judges`, or of both if that is 2; the first of several, which
/// changes least.
fn best(figures: &[Vec<f64>], halves: &[usize], judges: usize) -> usize {
    let mean = |row: &Vec<f64>| {
        let fits = (row.iter().zip(halves)).filter(|&(_, half)| *half == judges || judges == 2);
        fits.clone().map(|(x, _)| x).sum::<f64>() / fits.count().max(1) as f64
    };
    let means: Vec<f64> = figures.iter().map(mean).collect();
    (1..means.len()).fold(
        0,
        |best, at| if means[at] > means[best] { at } else { best },
    )
}

/// The plans that are tried for a weight of popularity to start from and pairs of step sizes, of bias and weight.
fn grid(popularity: f32, rates: &[[f32; 2]]) -> Vec<Plan> {
    let mut plans = Vec::new();
    for &half_life in &HALF_LIVES {
        for &[bias_rate, weight_rate] in rates {
            for &steps in &STEPS {
                plans.push(Plan {
                    popularity,
                    learning: Some(Learning {
                        bias_rate,
                        weight_rate,
                        steps,
                        half_life,
                        window: WINDOW,
                        clicks: 2,
                    }),
                    another: false,
                    start: None,
                });
            }
        }
    }
    plans
}
