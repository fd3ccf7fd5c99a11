//! `recent`: the shopper's own items, latest first, and after them what was clicked most in the log's latest clicks.
//!
//! The first half is the shelf "recently viewed"; with `masked` figures it has no effect, since those leave out what
//! was clicked before. The second half is `RecentPop` of [Ji et al., A Re-visit of the Popularity Baseline in
//! Recommender Systems, 2020](https://arxiv.org/abs/2005.13829).

use crate::error::{Error, within};
use crate::log::Log;
use crate::{Method, Recommender};
use serde::{Deserialize, Serialize};

/// Settings of [`Recent`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Share of the log's training clicks, the latest ones, that are counted; above 0, at most 1. Clicks of the moment
    /// at which the share begins are counted as well.
    pub share: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { share: 0.1 }
    }
}

impl Settings {
    /// What [`tune`](crate::tune()) chooses from.
    pub(crate) fn candidates() -> Vec<Self> {
        [0.01, 0.03, 0.1, 0.3, 1.0]
            .map(|share| Self { share })
            .to_vec()
    }
}

/// Popularity in the log's latest clicks.
#[derive(Debug)]
pub struct Recent {
    /// By item, entry 0 is padding: the sum of the weights of its latest clicks, as a share of the largest sum.
    scores: Vec<f32>,
}

impl Recommender for Recent {
    type Settings = Settings;

    fn fit(log: &Log, settings: &Settings, _seed: u64) -> Result<Self, Error> {
        let place = (Method::Recent.name(), "share");
        let fits = settings.share > 0.0 && settings.share <= 1.0;
        within(fits, place, settings.share, "above 0 and at most 1")?;
        let mut times: Vec<i64> = log.clicks().iter().map(|click| click.time).collect();
        let latest = (settings.share * times.len() as f64).ceil() as usize;
        let start = times.len() - latest.clamp(1, times.len());
        let from = *times.select_nth_unstable(start).1;
        let sums = log.popularity(|click| f64::from(u8::from(click.time >= from)));
        let largest = sums.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let scores = sums.into_iter().map(|sum| (sum / largest) as f32).collect();
        Ok(Self { scores })
    }

    fn score(&self, history: &[(u32, f32)], scores: &mut [f32]) {
        scores.copy_from_slice(&self.scores);
        for (place, &(item, _)) in history.iter().enumerate() {
            scores[item as usize] = (1 + history.len() - place) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::{dataset, from_parts, parts};

    #[test]
    fn own_items_come_first_and_then_the_latest_clicks_of_all() {
        // Training clicks in order of time: 1, 1, 1, 2, 2, 3.
        let log = Log::of(&dataset(&[&[1, 1, 1, 4, 4], &[2, 2, 3, 4, 4]], &[])).unwrap();
        let recent = Recent::fit(&log, &Settings { share: 0.5 }, 1).unwrap();
        let mut scores = vec![0.0; 5];
        recent.score(&[(4, 1.0), (3, 1.0)], &mut scores);
        assert_eq!(scores[1..], [0.0, 1.0, 2.0, 3.0]);
        recent.score(&[], &mut scores);
        assert_eq!(scores[1..], [0.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn clicks_of_one_moment_are_not_separated() {
        let mut parts = parts(&[&[1, 2, 3, 4, 4]], &[]);
        parts.timestamps = vec![5; 5];
        let log = Log::of(&from_parts(parts)).unwrap();
        let recent = Recent::fit(&log, &Settings { share: 0.01 }, 1).unwrap();
        assert_eq!(recent.scores[1..], [1.0, 1.0, 1.0, 0.0]);
        for share in [0.0, 1.1, f64::NAN] {
            assert!(
                Recent::fit(&log, &Settings { share }, 1).is_err(),
                "{share}"
            );
        }
    }
}
