//! Replacements with a title similar to that of the replaced item: similar enough that the words alone do not
//! reveal them, but not so similar that they are nearly the same item.

use crate::text::titles;
use crate::{Dataset, InputError};
use ingle_kernel::vector::dot;
use rand::{Rng, RngExt as _};
use std::ops::Range;

/// Dimensions in which titles are compared.
const WIDTH: usize = 64;
/// Ranks by similarity from which a replacement is drawn; the most similar item has rank 0.
const RANKS: Range<usize> = 50..500;

/// Similarity of items by title.
#[derive(Clone, Debug)]
pub(super) struct Similarity {
    /// A unit vector per title, zeros if it shares no word with others: `[items, width]`.
    rows: Vec<f32>,
    width: usize,
}

impl Similarity {
    /// Similarities between the items of `data`.
    ///
    /// # Errors
    /// If no two titles share a word.
    pub(super) fn of(data: &Dataset) -> Result<Self, InputError> {
        let (mut rows, width) = titles::scores(data.items(), data.n_items(), WIDTH, 0);
        if width == 0 {
            return Err(InputError::other(
                "hard noise replaces an item by one of its category or with a title like its own, but no item has a category and no two titles have a word in common: give `ingle prepare` an --items file with a category or title column",
            ));
        }
        for row in rows.chunks_exact_mut(width) {
            let length = dot(row, row).sqrt().max(1e-12);
            for x in row {
                *x /= length;
            }
        }
        Ok(Self { rows, width })
    }

    /// Another item at a random rank by similarity; in a small catalogue, one of the less similar half.
    pub(super) fn draw(&self, clicked: u32, rng: &mut impl Rng) -> u32 {
        let row = |at: usize| &self.rows[at * self.width..(at + 1) * self.width];
        let (clicked, items) = (clicked as usize - 1, self.rows.len() / self.width);
        let mut others: Vec<(f32, u32)> = (0..items)
            .filter(|&item| item != clicked)
            .map(|item| (-dot(row(clicked), row(item)), item as u32 + 1))
            .collect();
        let last = RANKS.end.min(others.len());
        let rank = rng.random_range(RANKS.start.min(last / 2)..last);
        let by_similarity =
            |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        others.select_nth_unstable_by(rank, by_similarity).1.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{from_parts, parts};
    use rand::SeedableRng as _;
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// One user who clicked every item once.
    fn titled(items: u32, title: impl Fn(u32) -> String) -> Dataset {
        let all: Vec<u32> = (1..=items).collect();
        let mut parts = parts(&[&all], &[]);
        for (item, number) in parts.items.iter_mut().zip(0..) {
            item.title = Some(title(number));
        }
        from_parts(parts)
    }

    #[test]
    fn draws_what_is_like_it_and_never_itself() {
        let title = |n: u32| ["a soap", "a brush"][n as usize % 2].to_owned();
        let similarity = Similarity::of(&titled(1200, title)).expect("titles");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for _ in 0..200 {
            let drawn = similarity.draw(7, &mut rng);
            assert_ne!(drawn, 7);
            assert_eq!(drawn % 2, 1, "of the same group");
        }
    }

    #[test]
    fn small_catalogues_have_something_to_draw() {
        for items in [2, 3, 40] {
            let similarity = Similarity::of(&titled(items, |_| "soap".to_owned())).expect("titles");
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
            for _ in 0..50 {
                let drawn = similarity.draw(1, &mut rng);
                assert!((2..=items).contains(&drawn), "{drawn}");
            }
        }
    }

    #[test]
    fn titles_without_a_common_word_are_refused() {
        let error = Similarity::of(&titled(3, |n| format!("word{n}"))).expect_err("nothing alike");
        assert!(error.to_string().contains("--items"), "{error}");
    }
}
