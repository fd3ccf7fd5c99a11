//! Item ids, found by row and rows by id: one text and a hash table of rows. This takes a fraction of the memory of a
//! list and a map of strings.

use std::fmt;
use std::ops::Index;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An empty slot.
const FREE: u32 = u32::MAX;

/// The ids of a catalogue, in row order. Rows count from 0.
#[derive(Clone, Default)]
pub struct Ids {
    text: String,
    /// The end of each id in the text.
    ends: Vec<usize>,
    /// Hash table (open addressing) of rows by the hash of their ids. Its length is a power of two, at least half of
    /// the slots are empty. The bits that a row does not need hold a part of the hash, so that few other ids are
    /// compared.
    slots: Vec<u32>,
    /// The first row whose id is that of an earlier row.
    twice: Option<usize>,
}

impl Ids {
    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The row of an id, if there is one; the first if the id occurs more than once.
    pub fn row(&self, id: &str) -> Option<usize> {
        match self.find(id) {
            Found::Row(row) => Some(row),
            Found::Free { .. } => None,
        }
    }

    /// All ids, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|row| &self[row])
    }

    /// The first row whose id is that of an earlier row. In a valid catalogue there is none.
    pub fn twice(&self) -> Option<usize> {
        self.twice
    }

    fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    /// Builds the hash table when all ids are known.
    #[inline(never)]
    fn indexed(mut self) -> Self {
        let slots = 2 * self.len().next_power_of_two();
        self.slots = vec![FREE; slots];
        for row in 0..self.len() {
            match self.find(&self[row]) {
                Found::Free { slot, tag } => self.slots[slot] = tag | row as u32,
                Found::Row(_) => self.twice = self.twice.or(Some(row)),
            }
        }
        self
    }

    fn find(&self, id: &str) -> Found {
        let Some(mask) = self.slots.len().checked_sub(1) else {
            return Found::Free { slot: 0, tag: 0 };
        };
        let hash = hash(id.as_bytes());
        // A row is below the mask, so that a row with its tag never equals `FREE`.
        let (mut slot, tag) = (hash as usize & mask, (hash >> 32) as u32 & !(mask as u32));
        loop {
            let found = self.slots[slot];
            let row = found as usize & mask;
            if found == FREE {
                return Found::Free { slot, tag };
            }
            if found & !(mask as u32) == tag && &self[row] == id {
                return Found::Row(row);
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// The slot of an id, or the empty slot where it would be inserted.
enum Found {
    Row(usize),
    Free { slot: usize, tag: u32 },
}

/// Hashes eight bytes at a time. The hash is kept simple because a page waits for it at every start.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: [u8; 8]| {
        let hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
        hash ^ (hash >> 32)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash = words
        .iter()
        .fold(bytes.len() as u64, |hash, &word| mix(hash, word));
    mix(hash, last)
}

impl Index<usize> for Ids {
    type Output = str;

    #[inline]
    fn index(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }
}

impl<S: AsRef<str>> FromIterator<S> for Ids {
    fn from_iter<I: IntoIterator<Item = S>>(ids: I) -> Self {
        let mut all = Self::default();
        for id in ids {
            all.push(id.as_ref());
        }
        all.indexed()
    }
}

impl PartialEq for Ids {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.text == other.text
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids = deserializer.deserialize_seq(List(Self::default()))?;
        Ok(ids.indexed())
    }
}

/// Deserialises a list of ids without allocating a string for each.
struct List(Ids);

impl<'de> Visitor<'de> for List {
    type Value = Ids;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of ids")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Ids, A::Error> {
        while list.next_element_seed(One(&mut self.0))?.is_some() {}
        Ok(self.0)
    }
}

struct One<'a>(&'a mut Ids);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id in quotes")
    }

    fn visit_str<E>(self, id: &str) -> Result<(), E> {
        self.0.push(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_is_found_where_it_was_and_no_other(
            ids in prop::collection::hash_set(".{0,12}", 0..60),
            strangers in prop::collection::vec(".{0,5}", 0..20),
        ) {
            let list: Vec<String> = ids.iter().cloned().collect();
            let all: Ids = list.iter().collect();
            prop_assert_eq!(all.twice(), None);
            prop_assert_eq!(all.iter().collect::<Vec<_>>(), list.clone());
            for (row, id) in list.iter().enumerate() {
                prop_assert_eq!(all.row(id), Some(row));
            }
            for stranger in strangers {
                prop_assert_eq!(all.row(&stranger).is_some(), ids.contains(&stranger));
            }
        }

        #[test]
        fn a_list_in_json_is_read_as_it_was_written(list in prop::collection::vec(any::<String>(), 0..20)) {
            let json = serde_json::to_vec(&list).unwrap();
            let ids: Ids = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(ids.iter().collect::<Vec<_>>(), list);
            prop_assert_eq!(serde_json::to_vec(&ids).unwrap(), json);
        }
    }

    #[test]
    fn an_id_that_is_there_twice_is_told() {
        let ids: Ids = ["a", "b", "a", "b"].into_iter().collect();
        assert_eq!(
            (ids.twice(), ids.row("a"), ids.row("b")),
            (Some(2), Some(0), Some(1))
        );
        assert_eq!(Ids::default().row(""), None);
    }

    #[test]
    fn ids_that_differ_in_a_number_spread_over_the_table() {
        let ids: Ids = (0..10_000).map(|row| format!("item-{row}")).collect();
        let mask = ids.slots.len() - 1;
        let away = |(slot, &row): (usize, &u32)| {
            slot.wrapping_sub(hash(ids[row as usize & mask].as_bytes()) as usize) & mask
        };
        let taken = ids
            .slots
            .iter()
            .enumerate()
            .filter(|(_, row)| **row != FREE);
        let steps: usize = taken.map(away).sum();
        assert!(steps < 2 * ids.len(), "{steps} steps for {} ids", ids.len());
    }
}
