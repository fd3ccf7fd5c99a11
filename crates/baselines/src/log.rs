//! The training clicks of a dataset, in the form that recommenders learn from.

use crate::Error;
use ingle_data::Dataset;
use std::collections::BTreeMap;

/// Most items of a user that count, the latest ones: the cost of co-occurrences is quadratic in it.
pub(crate) const LONGEST: usize = 1_000;

/// A training click.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Click {
    /// Item index, from 1.
    pub(crate) item: u32,
    /// Time in the log's own unit.
    pub(crate) time: i64,
    /// Weight, above 0 and at most 1.
    pub(crate) weight: f32,
}

/// The training clicks of a dataset.
#[derive(Debug)]
pub struct Log {
    items: usize,
    clicks: Vec<Click>,
    /// Each user's distinct items, by item index, with the largest weight of the user's clicks on the item.
    pub(crate) users: Sparse,
    /// The same by item.
    pub(crate) of_items: Sparse,
    /// The place of each item among all by the sum of its clicks' weights, equals by index; entry 0 is padding.
    places: Vec<u32>,
}

impl Log {
    /// Those of a dataset, as its split says.
    ///
    /// # Errors
    /// If there are no training clicks of a weight above 0.
    pub fn of(data: &Dataset) -> Result<Self, Error> {
        let items = data.n_items();
        let (mut clicks, mut rows) = (Vec::new(), Vec::new());
        for user in 0..data.n_users() {
            let weights = data.train_weights(user);
            let times = data.timestamps(user);
            let own = data
                .train(user)
                .iter()
                .enumerate()
                .map(|(at, &item)| Click {
                    item,
                    time: times[at],
                    weight: weights.map_or(1.0, |weights| weights[at]),
                });
            let start = clicks.len();
            clicks.extend(own.filter(|click| click.weight > 0.0));
            let mut row: BTreeMap<u32, f32> = BTreeMap::new();
            for click in clicks[start..].iter().rev() {
                if row.len() < LONGEST || row.contains_key(&click.item) {
                    let weight = row.entry(click.item).or_default();
                    *weight = weight.max(click.weight);
                }
            }
            if !row.is_empty() {
                rows.push(row.into_iter().collect::<Vec<_>>());
            }
        }
        if clicks.is_empty() {
            return Err(Error::NoClicks);
        }
        let users = Sparse::of(rows.iter().map(Vec::as_slice));
        let of_items = users.transposed(items + 1);
        let mut log = Self {
            items,
            clicks,
            users,
            of_items,
            places: Vec::new(),
        };
        log.places = places(&log.popularity(|_| 1.0));
        Ok(log)
    }

    /// Number of items; indices are `1..=items`.
    pub fn items(&self) -> usize {
        self.items
    }

    /// The place of each item by popularity, 0 the first; entry 0 is padding.
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    pub(crate) fn clicks(&self) -> &[Click] {
        &self.clicks
    }

    /// The first and the last moment.
    pub(crate) fn span(&self) -> (i64, i64) {
        let times = self.clicks.iter().map(|click| click.time);
        let first = times.clone().min().unwrap_or_default();
        (first, times.max().unwrap_or_default())
    }

    /// Sum of the weights of each item's clicks, times what `of_click` says of them; entry 0 is padding.
    pub(crate) fn popularity(&self, of_click: impl Fn(&Click) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.items + 1];
        for click in &self.clicks {
            sums[click.item as usize] += f64::from(click.weight) * of_click(click);
        }
        sums
    }
}

/// The place of each item by value, largest first, equals by index; entry 0 is padding.
fn places(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (1..values.len() as u32).collect();
    order.sort_by(|&a, &b| {
        let by_value = values[b as usize].total_cmp(&values[a as usize]);
        by_value.then(a.cmp(&b))
    });
    let mut places = vec![u32::MAX; values.len()];
    for (place, &item) in order.iter().enumerate() {
        places[item as usize] = place as u32;
    }
    places
}

/// A sparse matrix by rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparse {
    offsets: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Sparse {
    /// Of its rows; each entry is a column and a value.
    pub(crate) fn of<'a>(rows: impl Iterator<Item = &'a [(u32, f32)]>) -> Self {
        let mut matrix = Self {
            offsets: vec![0],
            entries: Vec::new(),
        };
        for row in rows {
            matrix.entries.extend_from_slice(row);
            matrix.offsets.push(matrix.entries.len());
        }
        matrix
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// A row's entries.
    pub(crate) fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.offsets[row]..self.offsets[row + 1]]
    }

    /// The transpose, with `rows` rows; the entries of each are in order of the column.
    pub(crate) fn transposed(&self, rows: usize) -> Self {
        let mut offsets = vec![0; rows + 1];
        for &(column, _) in &self.entries {
            offsets[column as usize + 1] += 1;
        }
        for row in 0..rows {
            offsets[row + 1] += offsets[row];
        }
        let mut next = offsets.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for row in 0..self.rows() {
            for &(column, value) in self.row(row) {
                entries[next[column as usize]] = (row as u32, value);
                next[column as usize] += 1;
            }
        }
        Self { offsets, entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_data::testing::{dataset, from_parts, parts};

    #[test]
    fn it_has_the_training_clicks_alone_and_each_item_of_a_user_once() {
        let data = dataset(&[&[3, 1, 3, 2, 4], &[2, 3], &[1, 2, 3, 4]], &[2]);
        let log = Log::of(&data).unwrap();
        let clicks: Vec<u32> = log.clicks().iter().map(|click| click.item).collect();
        assert_eq!(clicks, [3, 1, 3, 2, 3]);
        assert_eq!(log.users.row(0), [(1, 1.0), (3, 1.0)]);
        assert_eq!(log.of_items.row(3), [(0, 1.0), (1, 1.0)]);
        // Three clicks on item 3, one on items 1 and 2, none on item 4.
        assert_eq!(log.places()[1..], [1, 2, 0, 3]);
    }

    #[test]
    fn a_click_of_weight_zero_is_not_learnt_and_the_largest_weight_counts() {
        let mut parts = parts(&[&[1, 2, 1, 3, 4]], &[]);
        parts.weights = Some(vec![0.25, 0.0, 0.75, 1.0, 1.0]);
        let log = Log::of(&from_parts(parts)).unwrap();
        assert_eq!(log.users.row(0), [(1, 0.75)]);
        assert_eq!(log.popularity(|_| 1.0)[1..], [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_dataset_without_training_clicks_is_refused() {
        let data = dataset(&[&[1, 2, 3]], &[0]);
        assert_eq!(Log::of(&data).unwrap_err(), Error::NoClicks);
    }

    #[test]
    fn of_a_long_history_the_latest_items_count() {
        let history: Vec<u32> = (1..=LONGEST as u32 + 7).collect();
        let log = Log::of(&dataset(&[&history], &[])).unwrap();
        assert_eq!(log.users.row(0).len(), LONGEST);
        // Five items less than are learnt, as the last two clicks are not.
        assert_eq!(log.users.row(0)[0].0, 6);
        assert_eq!(log.clicks().len(), LONGEST + 5);
    }
}
