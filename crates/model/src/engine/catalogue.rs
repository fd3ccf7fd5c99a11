//! The items of a bundle, by id.

use super::answer::{Because, Recommendation, Similar};
use super::error::EngineError;
use super::options::{RecommendOptions, SimilarOptions, check_items};
use crate::rank::{Mass, Scored, Wanted};
use ingle_bundle::Ids;
use std::collections::HashSet;

/// Item ids and their rows, counted from 0.
#[derive(Debug)]
pub(super) struct Catalogue {
    ids: Ids,
}

impl Catalogue {
    pub(super) fn new(ids: Ids) -> Self {
        Self { ids }
    }

    /// All ids, in catalogue order.
    pub(super) fn ids(&self) -> Vec<String> {
        self.ids.iter().map(str::to_owned).collect()
    }

    /// The id of a row.
    pub(super) fn id(&self, row: usize) -> String {
        self.ids[row].to_owned()
    }

    /// The clicks on items of the catalogue: index in `history`, row in the catalogue.
    pub(super) fn known(&self, history: &[String]) -> Vec<(usize, usize)> {
        (history.iter().enumerate())
            .filter_map(|(place, id)| Some((place, self.ids.row(id)?)))
            .collect()
    }

    /// The items that may be recommended to a history with these known clicks.
    pub(super) fn wanted<'a>(
        &self,
        known: &[(usize, usize)],
        options: &'a RecommendOptions,
    ) -> Result<Wanted<'a>, EngineError> {
        let seen = known.iter().filter(|_| !options.include_seen);
        let seen = seen.map(|&(_, row)| row);
        let RecommendOptions { allow, boost, .. } = options;
        check_items(allow.as_deref(), boost.as_deref(), self.ids.len())?;
        Ok(Wanted {
            k: options.k,
            barred: self.barred(&options.exclude, seen),
            allow: allow.as_deref(),
            boost: boost.as_deref(),
        })
    }

    /// The items that may be returned as similar to these rows.
    pub(super) fn wanted_near<'a>(
        &self,
        given: &[(usize, usize)],
        options: &'a SimilarOptions,
    ) -> Result<Wanted<'a>, EngineError> {
        let SimilarOptions { allow, boost, .. } = options;
        check_items(allow.as_deref(), boost.as_deref(), self.ids.len())?;
        Ok(Wanted {
            k: options.k,
            barred: self.barred(&options.exclude, given.iter().map(|&(_, row)| row)),
            allow: allow.as_deref(),
            boost: boost.as_deref(),
        })
    }

    /// Turns the best rows into an answer, each with its reason.
    pub(super) fn answer(
        &self,
        best: &[Scored],
        mass: Mass,
        because: impl IntoIterator<Item = Option<Because>>,
    ) -> Vec<Recommendation> {
        let answer = best
            .iter()
            .zip(because)
            .map(|(scored, because)| Recommendation {
                item: self.id(scored.row),
                score: scored.score,
                probability: mass.probability(scored.logit),
                because,
            });
        answer.collect()
    }

    /// Turns the nearest rows into an answer.
    pub(super) fn nearest(&self, best: &[Scored]) -> Vec<Similar> {
        let nearest = best.iter().map(|&Scored { row, score, .. }| Similar {
            item: self.id(row),
            score,
        });
        nearest.collect()
    }

    fn barred(&self, exclude: &[String], rows: impl Iterator<Item = usize>) -> HashSet<usize> {
        let excluded = exclude.iter().filter_map(|id| self.ids.row(id));
        excluded.chain(rows).collect()
    }
}
