//! What an adapter is worth: its gain on users who were not trained on, and the choice of its settings.
//!
//! The users are divided into two halves. Settings are chosen for each half by the figures of the other, so that no
//! figure is of users by whom its settings were chosen. The settings of a bundle are chosen by all of them.

use crate::data::{Case, Dataset, Split};
use crate::evaluation::ByName;
use crate::metrics::paired::Difference;
use crate::metrics::ranking::{FIGURES, Figures, NDCG10, rank};
use anyhow::Result;
use indicatif::ProgressBar;
use ingle_bundle::{Adapter as AdapterSpec, Bundle, Gain, Learning};
use ingle_kernel::vector::{add, add_scaled, dot};
use ingle_model::SliceEngine;
use ingle_model::adapter::{Adapter, Lesson, Rates};
use ingle_model::engine::Sample;
use ingle_model::rank::mean_probabilities;
use rayon::prelude::*;
use serde::Serialize;

/// Targets of each user by which settings are chosen, at most.
const LATEST: usize = 16;
/// Products of a row with a vector by which settings are chosen, at most about: bounds the time of large catalogues.
const WORK: usize = 100_000_000_000;
/// Fewest users by whom settings are chosen.
pub const USERS: usize = 40;
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

/// What is added to the model's scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing
    None,
    /// A weight of log-popularity, the same for everyone
    Popularity,
    /// A bias of the user vector, learnt from the shopper's clicks
    Bias,
    /// A weight of log-popularity, learnt from the shopper's clicks
    Weight,
    /// A weight of log-popularity, learnt or not, and a learnt bias
    Both,
    /// `Both`, learnt from another shopper's clicks: the control
    Another,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::None,
        Self::Popularity,
        Self::Bias,
        Self::Weight,
        Self::Both,
        Self::Another,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Popularity => "popularity",
            Self::Bias => "bias",
            Self::Weight => "weight",
            Self::Both => "both",
            Self::Another => "another's",
        }
    }
}

/// Settings of an adapter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Weight of log-popularity, at the start if it is learnt.
    pub popularity: f32,
    /// How it is learnt, if it is.
    pub learning: Option<Learning>,
    /// Whether it is learnt from another user's clicks.
    #[serde(skip)]
    another: bool,
}

impl Plan {
    const NONE: Self = Self::popularity(0.0);

    const fn popularity(popularity: f32) -> Self {
        Self {
            popularity,
            learning: None,
            another: false,
        }
    }
}

/// The figures of a kind of adapter.
#[derive(Clone, Debug, Serialize)]
pub struct OfKind {
    /// The kind.
    pub kind: Kind,
    /// Settings chosen by all users.
    pub plan: Plan,
    /// Figures without the items that were clicked before; settings are chosen by other users.
    pub masked: ByName<f64>,
    /// Gain over none.
    pub gain: ByName<Difference>,
    /// Gain over a weight of popularity.
    pub over_popularity: ByName<Difference>,
}

/// All kinds, on the same cases.
#[derive(Clone, Debug, Serialize)]
pub struct Adapted {
    /// By kind.
    pub kinds: Vec<OfKind>,
    /// Number of users.
    pub users: usize,
    /// Number of targets.
    pub cases: usize,
}

impl Adapted {
    /// The adapter that pays: a weight of popularity if it wins beyond its standard error, and a learnt one if it wins
    /// over that by more than its standard error. Of several, the one with the largest gain.
    pub fn best(&self) -> Option<AdapterSpec> {
        let wins = |gain: &ByName<Difference>| {
            let Difference { value, error } = gain.0[NDCG10];
            error.is_some_and(|error| value > error)
        };
        let of = |kind: Kind| self.kinds.iter().find(|found| found.kind == kind);
        let popularity = of(Kind::Popularity).filter(|found| wins(&found.gain));
        let learnt = [Kind::Bias, Kind::Weight, Kind::Both].map(of).into_iter();
        let learnt = learnt.flatten().filter(|found| {
            let over = popularity.map_or(&found.gain, |_| &found.over_popularity);
            found.plan.learning.is_some() && wins(&found.gain) && wins(over)
        });
        let value = |found: &&OfKind| found.gain.0[NDCG10].value;
        let best = learnt.max_by(|a, b| value(a).total_cmp(&value(b)));
        let best = best.or(popularity)?;
        let Difference { value, error } = best.gain.0[NDCG10];
        Some(AdapterSpec {
            popularity: best.plan.popularity,
            learning: best.plan.learning.clone(),
            gain: Gain {
                value: value as f32,
                error: error.unwrap_or_default() as f32,
            },
        })
    }
}

/// An adapter in a sentence.
pub fn describe(adapter: &AdapterSpec) -> String {
    let AdapterSpec {
        popularity,
        learning,
        gain: Gain { value, error },
    } = adapter;
    let learnt = learning.as_ref().map_or_else(String::new, |own| {
        let part = match (own.bias_rate > 0.0, own.weight_rate > 0.0) {
            (true, false) => "a bias",
            (false, true) => "the weight",
            _ => "both a bias and the weight",
        };
        format!(
            ", {part} learnt in {} steps from {} clicks on, half-life {}",
            own.steps, own.clicks, own.half_life
        )
    });
    format!(
        "weight of popularity {popularity}{learnt}: NDCG@10 {value:+.4} ± {error:.4} on users held out of training"
    )
}

/// Measures all kinds of adapter for a bundle, on up to `latest` targets of each user who was not trained on. `None`
/// if there are too few of them.
pub fn measure(
    bundle: Bundle,
    data: &Dataset,
    latest: usize,
    bar: &ProgressBar,
) -> Result<Option<Adapted>> {
    let subject = Subject::new(bundle)?;
    let choosing = subject.some(data);
    let users = users_of(&choosing);
    if users.len() < USERS {
        return Ok(None);
    }
    let half = |case: &Case<'_>| users.binary_search(&case.user).map_or(0, |at| at % 2);
    let chosen = subject.choose(
        &choosing,
        &choosing.iter().map(half).collect::<Vec<_>>(),
        bar,
    );
    let cases = data.all_cases(Split::Unseen, latest);
    let plans: Vec<Plan> = chosen
        .iter()
        .flat_map(|[a, b, _]| [a.clone(), b.clone()])
        .collect();
    let found = subject.figures(&cases, &plans, bar);
    let figures: Vec<Vec<[f64; FIGURES]>> = found
        .chunks_exact(2)
        .map(|both| {
            let of = |(at, case): (usize, &Case<'_>)| both[half(case)][at];
            cases.iter().enumerate().map(of).collect()
        })
        .collect();
    let whose: Vec<usize> = cases.iter().map(|case| case.user).collect();
    let column =
        |kind: usize, at: usize| figures[kind].iter().map(|row| row[at]).collect::<Vec<_>>();
    let over = |kind: usize, other: usize| {
        ByName(std::array::from_fn(|at| {
            Difference::paired(&column(kind, at), &column(other, at), &whose)
        }))
    };
    let of_kind = |(at, (kind, [_, _, plan])): (usize, (Kind, [Plan; 3]))| OfKind {
        kind,
        plan,
        masked: ByName(std::array::from_fn(|figure| {
            column(at, figure).iter().sum::<f64>() / cases.len() as f64
        })),
        gain: over(at, 0),
        over_popularity: over(at, 1),
    };
    let kinds = Kind::ALL.into_iter().zip(chosen).enumerate();
    Ok(Some(Adapted {
        kinds: kinds.map(of_kind).collect(),
        users: users_of(&cases).len(),
        cases: cases.len(),
    }))
}

/// The users of some cases, each once.
fn users_of(cases: &[Case<'_>]) -> Vec<usize> {
    let mut users: Vec<usize> = cases.iter().map(|case| case.user).collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// A bundle as a page runs it.
struct Subject {
    engine: SliceEngine,
    /// `[items, width]`
    table: Vec<f32>,
    popularity: Vec<f32>,
    width: usize,
}

impl Subject {
    fn new(bundle: Bundle) -> Result<Self> {
        Ok(Self {
            table: bundle.items.dequantize(),
            popularity: bundle.popularity.clone(),
            width: bundle.items.width,
            engine: SliceEngine::new(bundle)?,
        })
    }

    /// The cases by which settings are chosen: all users, or evenly spaced ones where there are too many.
    fn some<'d>(&self, data: &'d Dataset) -> Vec<Case<'d>> {
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
    fn choose(&self, cases: &[Case<'_>], halves: &[usize], bar: &ProgressBar) -> Vec<[Plan; 3]> {
        let count = cases.len();
        let pick = |figures: &[Vec<f64>], judges: usize| {
            let mean = |row: &Vec<f64>| {
                let fits = row
                    .iter()
                    .zip(halves)
                    .filter(|&(_, half)| *half == judges || judges == 2);
                fits.clone().map(|(x, _)| x).sum::<f64>() / fits.count().max(1) as f64
            };
            let means: Vec<f64> = figures.iter().map(mean).collect();
            // The first of several, which changes least.
            (1..means.len()).fold(
                0,
                |best, at| if means[at] > means[best] { at } else { best },
            )
        };
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
        let grid = |popularity: f32, rates: &[[f32; 2]]| {
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
                        });
                    }
                }
            }
            plans
        };
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
        let none = std::array::from_fn(|_| Plan::NONE);
        vec![none, popularity, own_bias, own_weight, both, another]
    }

    /// Masked figures of every case with each of some plans, by plan.
    fn figures(
        &self,
        cases: &[Case<'_>],
        plans: &[Plan],
        bar: &ProgressBar,
    ) -> Vec<Vec<[f64; FIGURES]>> {
        bar.inc_length(cases.len() as u64);
        let of_case: Vec<Vec<[f64; FIGURES]>> = (0..cases.len())
            .into_par_iter()
            .map(|at| {
                let other = (1..cases.len())
                    .map(|step| &cases[(at + step) % cases.len()])
                    .find(|other| other.user != cases[at].user);
                let found = self.of_case(&cases[at], other, plans);
                bar.inc(1);
                found
            })
            .collect();
        (0..plans.len())
            .map(|plan| of_case.iter().map(|found| found[plan]).collect())
            .collect()
    }

    fn of_case(
        &self,
        case: &Case<'_>,
        other: Option<&Case<'_>>,
        plans: &[Plan],
    ) -> Vec<[f64; FIGURES]> {
        let rows = |case: &Case<'_>| -> Vec<usize> {
            case.history.iter().map(|&item| item as usize - 1).collect()
        };
        let history = rows(case);
        let users = self.engine.users(&history);
        let base: Vec<(Vec<f32>, f32)> = (users.iter())
            .map(|(user, weight)| (self.products(user), *weight))
            .collect();
        let clicked = case.real();
        let mut school = School {
            width: self.width,
            lesson: None,
            learnt: None,
        };
        let figures = plans.iter().map(|plan| {
            let start = Adapter::of_popularity(self.width, plan.popularity);
            let learning =
                (plan.learning.as_ref()).filter(|learning| history.len() >= learning.clicks);
            let adapter = learning.map_or(start.clone(), |learning| {
                let from = other.filter(|_| plan.another).map(rows);
                school.learn(
                    &self.engine,
                    from.as_ref().unwrap_or(&history),
                    plan,
                    learning,
                )
            });
            Figures::of_rank(rank(&self.scores(&base, &adapter), case.target, &clicked).masked)
        });
        figures.collect()
    }

    /// Scores of all items with padding in front, from the products of each kept history.
    fn scores(&self, base: &[(Vec<f32>, f32)], adapter: &Adapter) -> Vec<f32> {
        let mut tilts = if adapter.bias.iter().all(|&x| x == 0.0) {
            vec![0.0; self.popularity.len()]
        } else {
            self.products(&adapter.bias)
        };
        add_scaled(&mut tilts, adapter.weight, &self.popularity);
        let mut out = vec![0.0; tilts.len() + 1];
        if let [(base, _)] = base {
            out[1..].copy_from_slice(base);
            add(&mut out[1..], &tilts);
            return out;
        }
        let tilted = |(base, weight): &(Vec<f32>, f32)| {
            let mut row = base.clone();
            add(&mut row, &tilts);
            (row, *weight)
        };
        let rows: Vec<(Vec<f32>, f32)> = base.iter().map(tilted).collect();
        let rows: Vec<(&[f32], f32)> = rows
            .iter()
            .map(|(row, weight)| (&row[..], *weight))
            .collect();
        mean_probabilities(&rows, &mut out[1..]);
        out
    }

    /// Inner products with all rows.
    fn products(&self, vector: &[f32]) -> Vec<f32> {
        let rows = self.table.chunks_exact(self.width);
        rows.map(|row| dot(row, vector)).collect()
    }
}

/// What one case's plans share: the lesson, and how far an adapter has come.
struct School<'e> {
    width: usize,
    lesson: Option<(f32, bool, Lesson<Sample<'e>>)>,
    learnt: Option<(Plan, Adapter, usize)>,
}

impl<'e> School<'e> {
    fn learn(
        &mut self,
        engine: &'e SliceEngine,
        rows: &[usize],
        plan: &Plan,
        learning: &Learning,
    ) -> Adapter {
        let same = |&(half_life, another, _): &(f32, bool, _)| {
            half_life == learning.half_life && another == plan.another
        };
        if !self.lesson.as_ref().is_some_and(same) {
            let lesson = engine.lesson(rows, learning);
            self.lesson = Some((learning.half_life, plan.another, lesson));
        }
        let (_, _, lesson) = self.lesson.as_ref().expect("a lesson");
        // A plan that differs in its steps alone goes on from where the one before stopped.
        let with_steps = |plan: &Plan, steps: usize| Plan {
            learning: plan.learning.clone().map(|own| Learning { steps, ..own }),
            ..plan.clone()
        };
        let steps = learning.steps;
        let (mut adapter, done) = match &self.learnt {
            Some((last, adapter, done)) if *done <= steps && with_steps(last, steps) == *plan => {
                (adapter.clone(), *done)
            }
            _ => (Adapter::of_popularity(self.width, plan.popularity), 0),
        };
        let rates = Rates {
            bias: learning.bias_rate,
            weight: learning.weight_rate,
        };
        if !lesson.is_empty() {
            let _ = (done..steps).all(|_| lesson.step(&mut adapter, rates));
        }
        self.learnt = Some((plan.clone(), adapter.clone(), steps));
        adapter
    }
}
