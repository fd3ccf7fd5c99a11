//! Gain of a run by its kept histories, with the random control and the oracle, over several draws of noise.

use super::{LAST, SEED};
use crate::data::corrupt::{self, How, Kind, corrupt};
use crate::data::{Dataset, Split};
use crate::evaluation::{Asked, Evaluation, Keep, LATEST, Question, evaluate};
use crate::metrics::paired::Difference;
use crate::metrics::ranking::NDCG10;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

/// Number of draws of each noise.
pub const DRAWS: u64 = 5;

/// A kind of noise: name, change, item distribution, rate, and length of a session.
type Named = (&'static str, How, Option<Kind>, f64, Option<usize>);

/// The noise conditions of the table.
pub const NOISES: [Named; 4] = [
    (
        "20 % replaced, uniform",
        How::Replace,
        Some(Kind::Uniform),
        0.2,
        None,
    ),
    (
        "20 % replaced, popularity",
        How::Replace,
        Some(Kind::Popularity),
        0.2,
        None,
    ),
    ("20 % inserted", How::Insert, Some(Kind::Uniform), 0.2, None),
    (
        "a foreign session of three",
        How::Session,
        None,
        1.0,
        Some(3),
    ),
];

/// Masked NDCG@10 in several ways of keeping clicks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfNoise {
    /// Name of the noise: `none` if there is none, `as it is` if the dataset has its own labels.
    pub name: String,
    /// Number of targets.
    pub cases: usize,
    /// With every click kept.
    pub all: f64,
    /// Gain of the run's kept histories; `None` for a method that keeps all clicks.
    pub model: Option<Difference>,
    /// Gain of the random control.
    pub random: Option<Difference>,
    /// Gain of the oracle, if the noise is known.
    pub oracle: Option<Difference>,
    /// Cost of the noise, if it is known.
    pub cost: Option<Difference>,
    /// Share of the cost that is won back.
    pub won_back: Option<f64>,
}

/// The gains without noise and with each kind that can be drawn.
pub(super) fn gains(asked: &Asked<'_>, data: &Dataset, split: Split) -> Vec<OfNoise> {
    let of = |name: &str, draws: &[Dataset]| -> OfNoise {
        let keep = if asked.judges() {
            Keep::Model
        } else if draws.iter().all(Dataset::has_labels) {
            // The oracle is reported for methods without gains too.
            Keep::Oracle
        } else {
            Keep::All
        };
        let question = Question {
            split,
            latest: LATEST,
            keep,
            against: None,
        };
        let found = evaluate(asked, draws, question, &ProgressBar::hidden());
        OfNoise::of(name, &found)
    };
    if data.has_labels() {
        return vec![of("as it is", std::slice::from_ref(data))];
    }
    let mut gains = vec![of("none", std::slice::from_ref(data))];
    for (name, how, kind, rate, session) in NOISES {
        let draw = |draw| {
            let noise = corrupt::Asked {
                how,
                kind,
                rate: Some(rate),
                session,
                seed: SEED + draw,
                last: Some(LAST),
                ..corrupt::Asked::default()
            };
            corrupt(data, &noise)
        };
        // With a single user there are no foreign sessions.
        if let Ok(draws) = (0..DRAWS).map(draw).collect::<Result<Vec<_>, _>>() {
            gains.push(of(name, &draws));
        }
    }
    gains
}

impl OfNoise {
    fn of(name: &str, found: &Evaluation) -> Self {
        let way = |keep| found.ways.iter().find(|way| way.keep == keep);
        let gain = |keep| Some(way(keep)?.gain.as_ref()?.0[NDCG10]);
        Self {
            name: name.to_owned(),
            cases: found.cases,
            all: way(Keep::All).map_or(0.0, |way| way.masked.0[NDCG10]),
            model: gain(Keep::Model),
            random: gain(Keep::Random),
            oracle: gain(Keep::Oracle),
            cost: found.cost.as_ref().map(|cost| cost.0[NDCG10]),
            won_back: way(Keep::Model).and_then(|way| way.won_back),
        }
    }
}
