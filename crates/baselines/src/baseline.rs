//! A fitted recommender: asked about a history, it scores the whole catalogue.

use crate::order::untie;
use crate::recency::{self, HalfLife};
use crate::{Error, Log, Settings};
use ingle_data::Dataset;
use std::fmt::Debug;

/// How a recommender learns and scores. Each is a file of this crate.
pub trait Recommender: Debug + Send + Sync {
    /// Its settings.
    type Settings
    where
        Self: Sized;

    /// Learns from training clicks. The same log, settings and seed give the same recommender.
    ///
    /// # Errors
    /// If a setting is out of its range, or too small for the log.
    fn fit(log: &Log, settings: &Self::Settings, seed: u64) -> Result<Self, Error>
    where
        Self: Sized;

    /// Scores all items for a history.
    ///
    /// # Shapes
    /// - `history`: the distinct items, latest first, each with its weight, `0.0..=1.0`
    /// - `scores`: by item index, entry 0 is padding; 0 at first. A larger score is better, and the scores of
    ///   different histories do not compare.
    fn score(&self, history: &[(u32, f32)], scores: &mut [f32]);
}

/// A recommender that has learnt from a dataset.
#[derive(Debug)]
pub struct Baseline {
    settings: Settings,
    recommender: Box<dyn Recommender>,
    places: Vec<u32>,
}

impl Baseline {
    /// Learns from a dataset's training clicks, as its split says.
    ///
    /// # Errors
    /// If there are no training clicks, or a setting is out of its range or too small for the log.
    pub fn fit(data: &Dataset, settings: &Settings, seed: u64) -> Result<Self, Error> {
        Self::learn(&Log::of(data)?, settings, seed)
    }

    /// The same, from training clicks that were read before.
    ///
    /// # Errors
    /// As of [`Baseline::fit`].
    pub fn learn(log: &Log, settings: &Settings, seed: u64) -> Result<Self, Error> {
        Ok(Self {
            settings: settings.clone(),
            recommender: settings.fit(log, seed)?,
            places: log.places().to_vec(),
        })
    }

    /// The same recommender with another half-life of a history's clicks, for which nothing is learnt anew; `None` if it
    /// does not weigh them.
    pub(crate) fn reweighed(mut self, clicks: HalfLife) -> Option<Self> {
        self.settings = self.settings.with_history_half_life(clicks)?;
        Some(self)
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.places.len() - 1
    }

    /// Scores all items for a history, oldest click first: one score per item index, and entry 0, which is padding and
    /// below all. All scores differ; where the recommender's are equal, the item with more training clicks comes first.
    /// Items that the catalogue does not have are ignored.
    pub fn rank(&self, history: &[u32]) -> Vec<f32> {
        let mut scores = self.scores(history);
        untie(&mut scores, &self.places);
        scores
    }

    /// The recommender's own scores, of which some may be equal.
    pub(crate) fn scores(&self, history: &[u32]) -> Vec<f32> {
        let known = |item: &u32| (1..=self.items() as u32).contains(item);
        let history: Vec<u32> = history.iter().copied().filter(known).collect();
        let weighted = recency::weights(&history, self.settings.history_half_life());
        let mut scores = vec![0.0; self.places.len()];
        self.recommender.score(&weighted, &mut scores);
        scores
    }

    /// The place of each item by popularity, which decides between equal scores.
    pub(crate) fn places(&self) -> &[u32] {
        &self.places
    }
}
