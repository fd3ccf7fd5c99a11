//! The files that an import writes: interactions as they come, and items once each.

use super::{BRAND, CATEGORY, CURRENCY, EVENT, Fields, ITEM, PRICE, RATING, TIME, TITLE, USER};
use crate::InputError;
use std::collections::HashMap;
use std::fs::{File, create_dir_all};
use std::path::{Path, PathBuf};

const OF_LOG: [(usize, &str); 7] = [
    (USER, "user_id"),
    (ITEM, "item_id"),
    (TIME, "timestamp"),
    (EVENT, "event"),
    (RATING, "rating"),
    (PRICE, "price"),
    (CURRENCY, "currency"),
];
const OF_ITEMS: [(usize, &str); 6] = [
    (ITEM, "item_id"),
    (TITLE, "title"),
    (CATEGORY, "category"),
    (BRAND, "brand"),
    (PRICE, "price"),
    (CURRENCY, "currency"),
];

pub(super) struct Writer {
    folder: PathBuf,
    log: Option<csv::Writer<File>>,
    interactions: usize,
    places: HashMap<String, usize>,
    items: Vec<[Option<String>; OF_ITEMS.len()]>,
}

impl Writer {
    pub(super) fn new(folder: &Path) -> Result<Self, InputError> {
        create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        for name in ["interactions.csv", "items.csv"] {
            let file = folder.join(name);
            if file.exists() {
                return Err(InputError::Other(format!(
                    "{} is there already: name another folder, or delete it",
                    file.display()
                )));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            log: None,
            interactions: 0,
            places: HashMap::new(),
            items: Vec::new(),
        })
    }

    /// Takes a row: what it says of its item, and the interaction if it is one.
    pub(super) fn take(&mut self, fields: &Fields, is_log: bool) -> Result<(), InputError> {
        let labels = [TITLE, CATEGORY, BRAND];
        if !is_log || labels.iter().any(|&label| fields[label].is_some()) {
            self.item(fields);
        }
        if !is_log {
            return Ok(());
        }
        let path = self.folder.join("interactions.csv");
        if self.log.is_none() {
            let mut log = csv::Writer::from_path(&path).map_err(|e| failed(&path, &e))?;
            let header = OF_LOG.map(|(_, name)| name);
            log.write_record(header).map_err(|e| failed(&path, &e))?;
            self.log = Some(log);
        }
        self.interactions += 1;
        let cells = OF_LOG.map(|(column, _)| fields[column].as_deref().unwrap_or_default());
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        log.write_record(cells).map_err(|e| failed(&path, &e))
    }

    /// Adds to an item what was not known of it.
    fn item(&mut self, fields: &Fields) {
        let Some(id) = &fields[ITEM] else {
            return;
        };
        let next = self.items.len();
        let place = *self.places.entry(id.clone()).or_insert(next);
        if place == next {
            self.items.push([const { None }; OF_ITEMS.len()]);
        }
        for (known, (column, _)) in self.items[place].iter_mut().zip(OF_ITEMS) {
            if known.is_none() {
                known.clone_from(&fields[column]);
            }
        }
    }

    /// Writes the items; returns the numbers of interactions and of items.
    pub(super) fn finish(mut self) -> Result<(usize, usize), InputError> {
        if let Some(mut log) = self.log.take() {
            let path = self.folder.join("interactions.csv");
            log.flush().map_err(|e| failed(&path, &e))?;
        }
        if self.items.is_empty() {
            return Ok((self.interactions, 0));
        }
        let path = self.folder.join("items.csv");
        let mut items = csv::Writer::from_path(&path).map_err(|e| failed(&path, &e))?;
        items
            .write_record(OF_ITEMS.map(|(_, name)| name))
            .map_err(|e| failed(&path, &e))?;
        for item in &self.items {
            let cells = item
                .each_ref()
                .map(|cell| cell.as_deref().unwrap_or_default());
            items.write_record(cells).map_err(|e| failed(&path, &e))?;
        }
        items.flush().map_err(|e| failed(&path, &e))?;
        Ok((self.interactions, self.items.len()))
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> InputError {
    InputError::Other(format!("cannot write {}: {error}", path.display()))
}
