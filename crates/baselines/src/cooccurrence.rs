//! How often items occur in the same histories.

use crate::Error;
use crate::log::{Log, Sparse};
use ingle_data::Dataset;

/// Co-occurrences of one item at a time: `Σ_u x_ui · x_uj` over users `u`, where `x` is the largest weight of a user's
/// clicks on an item (1 if clicks have no weights).
#[derive(Debug)]
pub(crate) struct Row {
    sums: Vec<f64>,
    found: Vec<u32>,
}

impl Row {
    /// Room for the row of any item.
    pub(crate) fn new(log: &Log) -> Self {
        Self {
            sums: vec![0.0; log.items() + 1],
            found: Vec::new(),
        }
    }

    /// Items that occur with `item`, itself included, in order of index, with their co-occurrences.
    pub(crate) fn of(&mut self, log: &Log, item: u32) -> impl Iterator<Item = (u32, f64)> {
        for other in self.found.drain(..) {
            self.sums[other as usize] = 0.0;
        }
        for &(user, own) in log.of_items.row(item as usize) {
            for &(other, value) in log.users.row(user as usize) {
                let sum = &mut self.sums[other as usize];
                if *sum == 0.0 {
                    self.found.push(other);
                }
                *sum += f64::from(own) * f64::from(value);
            }
        }
        self.found.sort_unstable();
        let sums = &self.sums;
        self.found
            .iter()
            .map(|&other| (other, sums[other as usize]))
    }

    /// The co-occurrence of an item with the one that was asked about last.
    pub(crate) fn sum(&self, other: u32) -> f64 {
        self.sums[other as usize]
    }
}

/// `Σ_u x_ui²` of each item; entry 0 is padding.
pub(crate) fn squares(log: &Log) -> Vec<f64> {
    let square = |&(_, value): &(u32, f32)| f64::from(value) * f64::from(value);
    (0..=log.items())
        .map(|item| log.of_items.row(item).iter().map(square).sum())
        .collect()
}

/// How alike two items are: the cosine of the users who clicked them in training. For measures of diversity.
#[derive(Debug)]
pub struct Similarity {
    users: Sparse,
    squares: Vec<f64>,
}

impl Similarity {
    /// Of a dataset's training clicks.
    ///
    /// # Errors
    /// If there are none.
    pub fn of(data: &Dataset) -> Result<Self, Error> {
        Ok(Self::of_log(&Log::of(data)?))
    }

    pub(crate) fn of_log(log: &Log) -> Self {
        Self {
            users: log.of_items.clone(),
            squares: squares(log),
        }
    }

    /// The cosine of two items, by index, `0.0..=1.0`; 0 if one has no training clicks.
    pub fn cosine(&self, a: u32, b: u32) -> f64 {
        let norm = (self.squares[a as usize] * self.squares[b as usize]).sqrt();
        if norm == 0.0 {
            return 0.0;
        }
        let (one, other) = (self.users.row(a as usize), self.users.row(b as usize));
        let (mut x, mut y, mut sum) = (0, 0, 0.0);
        while x < one.len() && y < other.len() {
            match one[x].0.cmp(&other[y].0) {
                std::cmp::Ordering::Less => x += 1,
                std::cmp::Ordering::Greater => y += 1,
                std::cmp::Ordering::Equal => {
                    sum += f64::from(one[x].1) * f64::from(other[y].1);
                    (x, y) = (x + 1, y + 1);
                }
            }
        }
        (sum / norm).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::dataset;
    use proptest::prelude::*;

    #[test]
    fn pairs_are_counted_once_per_user() {
        // Training clicks: {1, 2}, {1, 2, 3}, {3}.
        let data = dataset(&[&[1, 2, 1, 4, 4], &[2, 1, 3, 4, 4], &[3, 4, 4]], &[]);
        let log = Log::of(&data).unwrap();
        assert_eq!(squares(&log), [0.0, 2.0, 2.0, 2.0, 0.0]);
        let mut row = Row::new(&log);
        let mut of = |item| row.of(&log, item).collect::<Vec<_>>();
        assert_eq!(of(1), [(1, 2.0), (2, 2.0), (3, 1.0)]);
        assert_eq!(of(3), [(1, 1.0), (2, 1.0), (3, 2.0)]);
        assert_eq!(of(4), []);
        let similarity = Similarity::of(&data).unwrap();
        assert_eq!(
            (similarity.cosine(1, 2), similarity.cosine(1, 3)),
            (1.0, 0.5)
        );
        assert_eq!(similarity.cosine(1, 4), 0.0);
    }

    proptest! {
        #[test]
        fn the_cosine_is_symmetric_and_at_most_one_and_one_of_an_item_with_itself(
            histories in prop::collection::vec(prop::collection::vec(1_u32..9, 3..9), 1..12),
        ) {
            let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
            let data = dataset(&histories, &[]);
            let (log, similarity) = (Log::of(&data).unwrap(), Similarity::of(&data).unwrap());
            let mut row = Row::new(&log);
            for a in 1..=log.items() as u32 {
                let together: Vec<(u32, f64)> = row.of(&log, a).collect();
                prop_assert!(together.is_sorted());
                for b in 1..=log.items() as u32 {
                    let cosine = similarity.cosine(a, b);
                    prop_assert_eq!(cosine, similarity.cosine(b, a));
                    prop_assert!((0.0..=1.0).contains(&cosine));
                    prop_assert_eq!(cosine > 0.0, together.iter().any(|&(other, _)| other == b));
                }
                let own = !log.of_items.row(a as usize).is_empty();
                prop_assert!((similarity.cosine(a, a) - f64::from(u8::from(own))).abs() < 1e-12);
            }
        }
    }
}
