//! Titles of items, for commands that have only ids.

use crate::data::{Dataset, read};
use anyhow::Result;
use std::collections::HashMap;
use std::path::Path;

/// Titles by item id.
#[derive(Debug, Default)]
pub(super) struct Titles(HashMap<String, String>);

impl Titles {
    /// Reads the titles of a dataset or of an items file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::of(&Dataset::open(path)?));
        }
        let mut bad = read::BadRows::default();
        let catalogue = read::items(path, &read::Reading::default(), true, &mut bad)?;
        let titled = catalogue.items.into_iter();
        Ok(Self(
            titled
                .filter_map(|(id, labels)| Some((id, labels.title?)))
                .collect(),
        ))
    }

    /// The titles of a dataset.
    pub(super) fn of(data: &Dataset) -> Self {
        let items = data.items().iter();
        let titled = items.filter_map(|item| Some((item.id.clone(), item.title.clone()?)));
        Self(titled.collect())
    }

    /// The title of an item.
    pub(super) fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// An item for display: its title and id, or only its id.
    pub(super) fn name(&self, id: &str) -> String {
        self.get(id)
            .map_or_else(|| id.to_owned(), |title| format!("{title} ({id})"))
    }
}
