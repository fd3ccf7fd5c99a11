//! What an adapter is worth: its gain on users who were not trained on, and the choice of its settings.
//!
//! The users are divided into two halves. Settings are chosen for each half by the figures of the other, so that no
//! figure is of users by whom its settings were chosen. The settings of a bundle are chosen by all of them.

mod choice;
mod subject;

use crate::data::{Case, Dataset, Split};
use crate::evaluation::ByName;
use crate::metrics::paired::Difference;
use crate::metrics::ranking::{FIGURES, NDCG10};
use anyhow::Result;
use indicatif::ProgressBar;
use ingle_bundle::{Adapter as AdapterSpec, Bundle, Gain, Learning};
use serde::Serialize;
use subject::Subject;

/// Fewest users by whom settings are chosen.
pub const USERS: usize = 40;
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
    /// `Both`, where the bias starts from the mean of what other users have learnt (Reptile, arXiv:1803.02999)
    Start,
    /// `Both`, learnt from another shopper's clicks: the control
    Another,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::None,
        Self::Popularity,
        Self::Bias,
        Self::Weight,
        Self::Both,
        Self::Start,
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
            Self::Start => "start",
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
    /// The bias to start from; 0 if there is none.
    #[serde(skip)]
    start: Option<Vec<f32>>,
}

impl Plan {
    const NONE: Self = Self::popularity(0.0);

    const fn popularity(popularity: f32) -> Self {
        Self {
            popularity,
            learning: None,
            another: false,
            start: None,
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
