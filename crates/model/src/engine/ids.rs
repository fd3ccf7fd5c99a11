//! Item ids both ways: as one text and a table of rows, a fraction of what a map of strings takes.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A slot without a row.
const FREE: u32 = u32::MAX;

/// The ids of a catalogue, each once. Rows count from 0.
#[derive(Debug)]
pub(super) struct Ids {
    text: String,
    /// Where each id ends in the text.
    ends: Vec<usize>,
    /// Rows by the hash of their ids, at the first slot that was free; a power of two of them, at least
    /// half of which are free.
    slots: Vec<u32>,
}

impl Ids {
    pub(super) fn new(ids: &[String]) -> Self {
        let mut all = Self {
            text: ids.concat(),
            ends: Vec::with_capacity(ids.len()),
            slots: vec![FREE; (2 * ids.len()).next_power_of_two()],
        };
        let mut end = 0;
        for (row, id) in ids.iter().enumerate() {
            end += id.len();
            all.ends.push(end);
            let slot = all.probe(id).find(|&slot| all.slots[slot] == FREE);
            all.slots[slot.expect("half are free")] = row as u32;
        }
        all
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The id of a row.
    pub(super) fn of(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }

    /// The row of an id, if it is there.
    pub(super) fn row(&self, id: &str) -> Option<usize> {
        let rows = self.probe(id).map(|slot| self.slots[slot]);
        let mut rows = rows.take_while(|&row| row != FREE);
        rows.find_map(|row| (self.of(row as usize) == id).then_some(row as usize))
    }

    /// All ids, in catalogue order.
    pub(super) fn all(&self) -> Vec<String> {
        (0..self.len()).map(|row| self.of(row).to_owned()).collect()
    }

    /// Slots in the order in which an id looks for its place.
    fn probe(&self, id: &str) -> impl Iterator<Item = usize> + use<> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let (start, mask) = (hasher.finish() as usize, self.slots.len() - 1);
        (0..=mask).map(move |step| (start.wrapping_add(step)) & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_is_found_where_it_was_and_no_other(
            ids in prop::collection::hash_set(".{0,5}", 0..60),
            strangers in prop::collection::vec(".{0,5}", 0..20),
        ) {
            let list: Vec<String> = ids.iter().cloned().collect();
            let all = Ids::new(&list);
            prop_assert_eq!(all.all(), list.clone());
            for (row, id) in list.iter().enumerate() {
                prop_assert_eq!(all.row(id), Some(row));
                prop_assert_eq!(all.of(row), id);
            }
            for stranger in strangers {
                prop_assert_eq!(all.row(&stranger).is_some(), ids.contains(&stranger));
            }
        }
    }
}
