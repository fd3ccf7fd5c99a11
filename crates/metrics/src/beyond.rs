//! What lists of recommendations are worth beyond accuracy: coverage, diversity, novelty and popularity bias.
//!
//! A list that only names the best sellers can have good ranking figures. These say what it leaves out. They are
//! described in [Kaminskas and Bridge, Diversity, Serendipity, Novelty, and Coverage,
//! 2016](https://doi.org/10.1145/2926720).

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The catalogue, with the training clicks of each item.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// By item index, entry 0 is padding.
    clicks: Vec<u32>,
    /// Whether each item is one of the tenth with the most clicks.
    head: Vec<bool>,
    total: f64,
}

impl Catalogue {
    /// From training clicks per item index (entry 0 is padding). A tenth is rounded up; equal items by index.
    pub fn of(clicks: &[u32]) -> Self {
        let mut order: Vec<usize> = (1..clicks.len()).collect();
        order.sort_by_key(|&item| (std::cmp::Reverse(clicks[item]), item));
        let mut head = vec![false; clicks.len()];
        for &item in &order[..order.len().div_ceil(10)] {
            head[item] = true;
        }
        Self {
            clicks: clicks.to_vec(),
            head,
            total: clicks.iter().skip(1).map(|&count| f64::from(count)).sum(),
        }
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.clicks.len().saturating_sub(1)
    }

    /// The self-information of a click on an item, in bits: `-log2` of its share of all clicks, where every item has
    /// one click more than it has ([Zhou et al., 2010](https://doi.org/10.1073/pnas.1000488107), who take shares of
    /// users; the click more is for items without any).
    pub fn information(&self, item: u32) -> f64 {
        let share =
            (f64::from(self.clicks[item as usize]) + 1.0) / (self.total + self.items() as f64);
        -share.log2()
    }
}

/// Figures of some lists of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    /// Share of the catalogue that is in any list.
    pub coverage: f64,
    /// Mean over the lists of the mean of `1 - similarity` over all pairs of a list's items, `0.0..=1.0`; lists of fewer
    /// than two items have no pairs and are left out.
    pub diversity: f64,
    /// Mean self-information of the recommended items, in bits.
    pub novelty: f64,
    /// Mean number of training clicks of the recommended items.
    pub popularity: f64,
    /// Share of the recommended items that is in the tenth of the catalogue with the most training clicks.
    pub head: f64,
    /// Gini coefficient of how often each item of the catalogue is recommended: 0 if all equally often, near 1 if
    /// always the same few.
    pub gini: f64,
}

impl Beyond {
    /// Of lists of distinct items by index; zeros if they are empty. `similarity` of two items is `0.0..=1.0` and
    /// symmetric: a cosine of their users, or whether they have one category.
    ///
    /// # Panics
    /// If an item is not in the catalogue.
    pub fn of(
        lists: &[Vec<u32>],
        catalogue: &Catalogue,
        similarity: impl Fn(u32, u32) -> f64,
    ) -> Self {
        let mut shown = vec![0_u64; catalogue.items() + 1];
        let (mut information, mut clicks, mut head) = (0.0, 0.0, 0.0);
        for &item in lists.iter().flatten() {
            shown[item as usize] += 1;
            information += catalogue.information(item);
            clicks += f64::from(catalogue.clicks[item as usize]);
            head += f64::from(u8::from(catalogue.head[item as usize]));
        }
        let recommended = lists.iter().map(Vec::len).sum::<usize>().max(1) as f64;
        let covered = shown.iter().filter(|&&count| count > 0).count();
        Self {
            coverage: covered as f64 / catalogue.items().max(1) as f64,
            diversity: diversity(lists, similarity),
            novelty: information / recommended,
            popularity: clicks / recommended,
            head: head / recommended,
            gini: gini(&shown[1..]),
        }
    }
}

/// Most pairs whose similarity is remembered.
const PAIRS: usize = 1 << 20;

/// See [`Beyond::diversity`]. Many lists have the same pairs, whose similarity is remembered.
fn diversity(lists: &[Vec<u32>], similarity: impl Fn(u32, u32) -> f64) -> f64 {
    let mut known: HashMap<(u32, u32), f64> = HashMap::new();
    let (mut sum, mut counted) = (0.0, 0_usize);
    for list in lists.iter().filter(|list| list.len() > 1) {
        if known.len() > PAIRS {
            known.clear();
        }
        let mut apart = 0.0;
        for (at, &a) in list.iter().enumerate() {
            for &b in &list[..at] {
                let pair = (a.min(b), a.max(b));
                apart += 1.0
                    - *known
                        .entry(pair)
                        .or_insert_with(|| similarity(pair.0, pair.1));
            }
        }
        sum += apart / (list.len() * (list.len() - 1) / 2) as f64;
        counted += 1;
    }
    sum / counted.max(1) as f64
}

/// The Gini coefficient of some counts: `Σ_i (2·i - n - 1) · x_i / (n · Σ x)` with `x` ascending and `i` from 1; 0 if
/// all are zero.
pub fn gini(counts: &[u64]) -> f64 {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let (n, total) = (sorted.len() as f64, sorted.iter().sum::<u64>() as f64);
    if total == 0.0 {
        return 0.0;
    }
    let ranked = sorted.iter().enumerate();
    let sum: f64 = ranked
        .map(|(at, &count)| (2.0 * (at as f64 + 1.0) - n - 1.0) * count as f64)
        .sum();
    sum / (n * total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_figures_are_those_computed_by_hand() {
        // Four items with 6, 1, 1 and 0 clicks: shares 7, 2, 2 and 1 of 12.
        let catalogue = Catalogue::of(&[99, 6, 1, 1, 0]);
        let alike = |a: u32, b: u32| if (a, b) == (1, 2) { 0.5 } else { 0.0 };
        let found = Beyond::of(&[vec![1, 2], vec![3, 1], vec![1]], &catalogue, alike);
        assert_eq!(found.coverage, 0.75);
        assert_eq!(found.diversity, 0.75);
        let bits = -(3.0 * (7.0_f64 / 12.0).log2() + 2.0 * (2.0_f64 / 12.0).log2()) / 5.0;
        assert!((found.novelty - bits).abs() < 1e-12);
        assert_eq!(found.popularity, 4.0);
        assert_eq!(found.head, 0.6);
        // Shown 0, 1, 1 and 3 times: (-3·0 - 1·1 + 1·1 + 3·3) / (4 · 5).
        assert_eq!(found.gini, 0.45);
    }

    #[test]
    fn the_head_is_a_tenth_by_clicks_rounded_up_and_of_equals_the_first() {
        let clicks: Vec<u32> = (0..=11).map(|item| u32::from(item > 2)).collect();
        let catalogue = Catalogue::of(&clicks);
        let head = |item| Beyond::of(&[vec![item]], &catalogue, |_, _| 0.0).head;
        let of: Vec<u32> = (1..=11).filter(|&item| head(item) == 1.0).collect();
        assert_eq!(of, [3, 4]);
    }

    #[test]
    fn no_lists_and_an_unclicked_catalogue_have_figures() {
        let catalogue = Catalogue::of(&[0, 0, 0]);
        let none = Beyond::of(&[], &catalogue, |_, _| 1.0);
        assert_eq!(none, Beyond::default());
        let found = Beyond::of(&[vec![2, 1]], &catalogue, |_, _| 1.0);
        assert_eq!(
            (found.coverage, found.diversity, found.novelty),
            (1.0, 0.0, 1.0)
        );
        assert_eq!(
            Beyond::of(&[vec![]], &catalogue, |_, _| 1.0),
            Beyond::default()
        );
    }

    #[test]
    fn a_similarity_is_asked_once_for_a_pair() {
        let asked = std::cell::Cell::new(0);
        let lists = vec![vec![1, 2, 3], vec![3, 2, 1], vec![2, 1]];
        let count = |_, _| {
            asked.set(asked.get() + 1);
            0.0
        };
        Beyond::of(&lists, &Catalogue::of(&[0, 1, 1, 1]), count);
        assert_eq!(asked.get(), 3);
    }

    #[test]
    fn everything_equally_often_is_fair_and_one_item_always_is_not() {
        assert_eq!(gini(&[7; 50]), 0.0);
        let mut one = [0; 50];
        one[3] = 9;
        assert!((gini(&one) - 0.98).abs() < 1e-12);
        assert_eq!(gini(&[]), 0.0);
    }

    proptest! {
        #[test]
        fn figures_stay_in_their_ranges_whatever_is_recommended(
            clicks in prop::collection::vec(0_u32..50, 1..30),
            draws in prop::collection::vec(prop::collection::btree_set(0_usize..30, 0..8), 0..20),
        ) {
            let lists: Vec<Vec<u32>> = draws.iter()
                .map(|list| list.iter().map(|item| 1 + (item % clicks.len()) as u32).collect())
                .map(|list: std::collections::BTreeSet<u32>| list.into_iter().collect())
                .collect();
            let clicks: Vec<u32> = [0].into_iter().chain(clicks).collect();
            let catalogue = Catalogue::of(&clicks);
            let found = Beyond::of(&lists, &catalogue, |a, b| f64::from((a * 7 + b * 7) % 10) / 10.0);
            for share in [found.coverage, found.diversity, found.head] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
            prop_assert!((0.0..1.0).contains(&found.gini), "{}", found.gini);
            prop_assert!(found.novelty >= 0.0);
            let mut reversed: Vec<Vec<u32>> = lists.clone();
            reversed.reverse();
            let again = Beyond::of(&reversed, &catalogue, |a, b| f64::from((a * 7 + b * 7) % 10) / 10.0);
            prop_assert!((found.diversity - again.diversity).abs() < 1e-12);
            prop_assert_eq!((found.coverage, found.gini), (again.coverage, again.gini));
        }
    }
}
