//! The items of a bundle by id.

use super::error::EngineError;
use super::options::{RecommendOptions, SimilarOptions, check_items};
use crate::rank::Wanted;
use std::collections::{HashMap, HashSet};

/// Item ids both ways. Rows count from 0.
#[derive(Debug)]
pub(super) struct Catalogue {
    ids: Vec<String>,
    rows: HashMap<String, usize>,
}

impl Catalogue {
    pub(super) fn new(ids: Vec<String>) -> Self {
        let rows = ids.iter().enumerate().map(|(row, id)| (id.clone(), row));
        Self {
            rows: rows.collect(),
            ids,
        }
    }

    /// All ids, in catalogue order.
    pub(super) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The clicks on items of the catalogue: place in `history`, row in the catalogue.
    pub(super) fn known(&self, history: &[String]) -> Vec<(usize, usize)> {
        (history.iter().enumerate())
            .filter_map(|(place, id)| Some((place, *self.rows.get(id)?)))
            .collect()
    }

    /// What may be recommended to a history of these known clicks.
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

    /// What may be returned as similar to these rows.
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

    fn barred(&self, exclude: &[String], rows: impl Iterator<Item = usize>) -> HashSet<usize> {
        let excluded = exclude.iter().filter_map(|id| self.rows.get(id).copied());
        excluded.chain(rows).collect()
    }
}
