//! Ids, each stored once in a shared buffer, without an allocation per id.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Index;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// A list of texts, concatenated in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    text: String,
    /// End of each text, where the next one begins.
    ends: Vec<usize>,
}

impl Texts {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// All texts in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|at| &self[at])
    }
}

impl Index<usize> for Texts {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }
}

impl<S: AsRef<str>> FromIterator<S> for Texts {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        let mut list = Self::default();
        for text in texts {
            list.push(text.as_ref());
        }
        list
    }
}

/// Texts with numbers, from 0 in the order in which they were first added.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Texts,
    /// Numbers alone; hashing and comparison read the texts from the list.
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Names {
    /// All texts, by number.
    pub fn list(&self) -> &Texts {
        &self.list
    }

    /// All texts, by number, without the index.
    pub fn into_list(self) -> Texts {
        self.list
    }

    /// The number of a text, a new one if it was not added before.
    pub fn number(&mut self, name: &str) -> u32 {
        let Self {
            list,
            numbers,
            hasher,
        } = self;
        let equal = |&number: &u32| &list[number as usize] == name;
        let again = |&number: &u32| hasher.hash_one(&list[number as usize]);
        match numbers.entry(hasher.hash_one(name), equal, again) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = list.len() as u32;
                place.insert(number);
                list.push(name);
                number
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_keep_their_boundaries_and_may_be_empty() {
        let texts: Texts = ["ab", "", "ünï", "c"].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["ab", "", "ünï", "c"]);
        assert_eq!((texts.len(), &texts[1], &texts[3]), (4, "", "c"));
        assert_ne!(texts, ["a", "b", "ünï", "c"].into_iter().collect());
        assert!(Texts::default().is_empty());
    }

    proptest! {
        #[test]
        fn equal_names_and_no_others_share_a_number(words in prop::collection::vec("[a-c]{0,3}", 1..200)) {
            let mut names = Names::default();
            let numbers: Vec<u32> = words.iter().map(|word| names.number(word)).collect();
            for (word, &number) in words.iter().zip(&numbers) {
                prop_assert_eq!(&names.list()[number as usize], word.as_str());
                prop_assert_eq!(names.number(word), number);
            }
            let distinct: std::collections::BTreeSet<&String> = words.iter().collect();
            prop_assert_eq!(names.into_list().len(), distinct.len());
        }
    }
}
