//! `popular`: what is clicked most, for everyone the same.
//!
//! With a half-life, a click counts half after that time (`DecayPop` of [Ji et al., A Re-visit of the Popularity
//! Baseline in Recommender Systems, 2020](https://arxiv.org/abs/2005.13829)).

use crate::error::{Error, within};
use crate::log::Log;
use crate::{Method, Recommender};
use serde::{Deserialize, Serialize};

/// Settings of [`Popular`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Time after which a click counts half, in the log's own unit, above 0; `None`: all count the same.
    pub half_life: Option<f64>,
}

impl Settings {
    /// What [`tune`](crate::tune()) chooses from: no half-life, and shares of the time that the log covers.
    pub(crate) fn candidates(log: &Log) -> Vec<Self> {
        let (first, last) = log.span();
        let span = last as f64 - first as f64;
        let shares = [1.0, 0.25, 0.1, 0.03, 0.01].map(|share| Some(share * span));
        let halves = [None]
            .into_iter()
            .chain(shares.into_iter().filter(|_| span > 0.0));
        halves.map(|half_life| Self { half_life }).collect()
    }
}

/// Popularity by item.
#[derive(Debug)]
pub struct Popular {
    /// By item, entry 0 is padding: the sum of its clicks' weights, each times `0.5^(age / half_life)`, where the log's
    /// latest training click has age 0.
    scores: Vec<f32>,
}

impl Recommender for Popular {
    type Settings = Settings;

    fn fit(log: &Log, settings: &Settings, _seed: u64) -> Result<Self, Error> {
        let place = (Method::Popular.name(), "half_life");
        if let Some(time) = settings.half_life {
            let fits = time.is_finite() && time > 0.0;
            within(fits, place, time, "a time above 0, or left out")?;
        }
        let (_, last) = log.span();
        let sums = log.popularity(|click| {
            let age = last as f64 - click.time as f64;
            settings
                .half_life
                .map_or(1.0, |time| 0.5_f64.powf(age / time))
        });
        let scores = sums.into_iter().map(|sum| sum as f32).collect();
        Ok(Self { scores })
    }

    fn score(&self, _history: &[(u32, f32)], scores: &mut [f32]) {
        scores.copy_from_slice(&self.scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::{from_parts, parts};

    #[test]
    fn a_click_counts_half_after_the_half_life() {
        // Training clicks: item 1 at 0 and 10, item 2 at 20.
        let mut parts = parts(&[&[1, 1, 2, 3, 3]], &[]);
        parts.timestamps = vec![0, 10, 20, 30, 40];
        let log = Log::of(&from_parts(parts)).unwrap();
        let scores = |half_life| {
            let mut scores = vec![0.0; 4];
            let popular = Popular::fit(&log, &Settings { half_life }, 1).unwrap();
            popular.score(&[], &mut scores);
            scores
        };
        assert_eq!(scores(None)[1..], [2.0, 1.0, 0.0]);
        assert_eq!(scores(Some(10.0))[1..], [0.75, 1.0, 0.0]);
    }

    #[test]
    fn a_half_life_must_be_a_time() {
        let log = Log::of(&from_parts(parts(&[&[1, 2, 3]], &[]))).unwrap();
        for half_life in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let half_life = Some(half_life);
            let error = Popular::fit(&log, &Settings { half_life }, 1).unwrap_err();
            assert!(
                error.to_string().contains("popular: half_life is "),
                "{error}"
            );
        }
    }

    #[test]
    fn a_log_of_one_moment_has_nothing_to_decay() {
        let mut parts = parts(&[&[1, 2, 3]], &[]);
        parts.timestamps = vec![5; 3];
        let log = Log::of(&from_parts(parts)).unwrap();
        assert_eq!(Settings::candidates(&log), [Settings { half_life: None }]);
    }
}
