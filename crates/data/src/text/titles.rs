//! Features of items from the words of their titles: TF-IDF weights reduced to a few columns by latent semantic
//! analysis ([Deerwester et al.,
//! 1990](https://doi.org/10.1002/(SICI)1097-4571(199009)41:6%3C391::AID-ASI1%3E3.0.CO;2-9)). This needs no language
//! model and takes seconds. The decomposition is a subspace iteration from random columns ([Halko et al.,
//! 2011](https://arxiv.org/abs/0909.4061)).
//!
//! Words are runs of letters and digits. For scripts without spaces between words, a language model's embeddings are
//! better.

use super::components::orthonormal;
use crate::{Item, Names};
use ingle_model::Rng;
use rayon::prelude::*;
use std::cmp::Reverse;

/// Most words; the most frequent ones are used.
const WORDS: usize = 1 << 16;
/// Additional random columns, for the accuracy of the last wanted ones.
const SPARE: usize = 16;
/// Iterations of the subspace iteration.
const ROUNDS: usize = 6;

/// The coordinates of each item in about `width` principal directions of the titles of the first `fitted` items,
/// `[items, columns]`, and the number of columns. Zeros for an item without a word that two of those titles have.
pub fn scores(items: &[Item], fitted: usize, width: usize, seed: u64) -> (Vec<f32>, usize) {
    let (weights, known) = weights(items, fitted);
    let turned = weights.transposed(fitted, known);
    let mut rng = Rng::new(seed, &[4]);
    let mut columns = (width + SPARE).min(known).min(fitted);
    let mut words: Vec<f32> = (0..known * columns).map(|_| rng.normal(1.0)).collect();
    for _ in 0..ROUNDS {
        if columns == 0 {
            break;
        }
        let reached = turned.times(&weights.times(&words, columns), columns);
        (words, columns) = orthonormal(&reached, columns);
    }
    (weights.times(&words, columns), columns)
}

/// TF-IDF of every item's words, each row of length 1: logarithmic counts, and inverse document frequency as in
/// scikit-learn's `TfidfVectorizer(sublinear_tf=True, min_df=2)`, except that words of one letter count too. Also
/// returns the number of words, its columns: those that at least two of the first `fitted` items have.
fn weights(items: &[Item], fitted: usize) -> (Sparse, usize) {
    let mut names = Names::default();
    let counts = Sparse::of(items.iter().map(|item| counts(item, &mut names)));
    let mut frequencies = vec![0; names.list().len()];
    for &(word, _) in (0..fitted).flat_map(|item| counts.row(item)) {
        frequencies[word as usize] += 1;
    }
    let mut known: Vec<usize> = (0..frequencies.len())
        .filter(|&w| frequencies[w] > 1)
        .collect();
    known.sort_by_key(|&word| (Reverse(frequencies[word]), &names.list()[word]));
    known.truncate(WORDS);
    let mut places = vec![None; frequencies.len()];
    for (place, &word) in known.iter().enumerate() {
        let rarity = (1.0 + fitted as f32) / (1.0 + frequencies[word] as f32);
        places[word] = Some((place as u32, rarity.ln() + 1.0));
    }
    let weigh = |&(word, count): &(u32, f32)| {
        let (place, rarity) = places[word as usize]?;
        Some((place, (1.0 + count.ln()) * rarity))
    };
    let rows = (0..items.len()).map(|item| {
        let mut row: Vec<(u32, f32)> = counts.row(item).iter().filter_map(weigh).collect();
        row.sort_unstable_by_key(|&(place, _)| place);
        let length = row.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
        for (_, x) in &mut row {
            *x /= length;
        }
        row
    });
    (Sparse::of(rows), known.len())
}

/// How often each word, by its number, occurs in an item's title and category.
fn counts(item: &Item, names: &mut Names) -> Vec<(u32, f32)> {
    let mut words = Vec::new();
    for text in item.title.iter().chain(&item.category) {
        let text = text.to_lowercase();
        let parts = text.split(|c: char| !c.is_alphanumeric());
        words.extend(
            parts
                .filter(|word| !word.is_empty())
                .map(|word| names.number(word)),
        );
    }
    words.sort_unstable();
    let same = words.chunk_by(|a, b| a == b);
    same.map(|same| (same[0], same.len() as f32)).collect()
}

/// A sparse matrix.
struct Sparse {
    /// End of each row in `entries`, where the next one begins.
    ends: Vec<usize>,
    /// Column and value.
    entries: Vec<(u32, f32)>,
}

impl Sparse {
    fn of(rows: impl Iterator<Item = Vec<(u32, f32)>>) -> Self {
        let mut all = Self {
            ends: Vec::new(),
            entries: Vec::new(),
        };
        for row in rows {
            all.entries.extend(row);
            all.ends.push(all.entries.len());
        }
        all
    }

    fn row(&self, at: usize) -> &[(u32, f32)] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.entries[start..self.ends[at]]
    }

    /// The transpose of the first rows.
    fn transposed(&self, first: usize, columns: usize) -> Self {
        let mut rows = vec![Vec::new(); columns];
        for at in 0..first {
            for &(column, value) in self.row(at) {
                rows[column as usize].push((at as u32, value));
            }
        }
        Self::of(rows.into_iter())
    }

    /// The product with `dense`, which has rows of `width` values.
    fn times(&self, dense: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.ends.len() * width];
        let rows = out.par_chunks_mut(width.max(1)).enumerate();
        rows.for_each(|(at, out)| {
            for &(column, value) in self.row(at) {
                let row = &dense[column as usize * width..][..width];
                for (out, x) in out.iter_mut().zip(row) {
                    *out += value * x;
                }
            }
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_kernel::vector::dot;

    fn items(titles: &[&str]) -> Vec<Item> {
        let item = |(at, title): (usize, &&str)| Item {
            id: at.to_string(),
            title: (!title.is_empty()).then(|| (*title).to_owned()),
            category: None,
        };
        titles.iter().enumerate().map(item).collect()
    }

    const TITLES: [&str; 5] = [
        "Red lipstick, red case",
        "Pink Lipstick case",
        "Shampoo for dry hair",
        "dry-hair SHAMPOO pink",
        "",
    ];

    /// Cosines of the rows, from `scripts/parity/tfidf.py`.
    const COSINES: [[f32; 4]; 4] = [
        [1.0, 0.816_496_6, 0.0, 0.0],
        [0.816_496_6, 1.0, 0.0, 0.288_675_1],
        [0.0, 0.0, 1.0, 0.866_025_4],
        [0.0, 0.288_675_1, 0.866_025_4, 1.0],
    ];

    #[test]
    fn enough_columns_keep_the_cosines_of_the_words() {
        let (found, columns) = scores(&items(&TITLES), 5, 8, 1);
        for (a, expected) in found.chunks_exact(columns).zip(COSINES) {
            for (b, expected) in found.chunks_exact(columns).zip(expected) {
                assert!((dot(a, b) - expected).abs() < 1e-4, "{}", dot(a, b));
            }
        }
        assert!(found[4 * columns..].iter().all(|&x| x == 0.0));
    }

    #[test]
    fn items_that_are_not_fitted_change_nothing_and_are_placed_by_known_words() {
        let with_new = [&TITLES[..], &["Lipstick, pink", "Brush brush", "brush"]].concat();
        let (old, columns) = scores(&items(&TITLES), 5, 8, 1);
        let (all, same) = scores(&items(&with_new), 5, 8, 1);
        assert_eq!((same, &all[..5 * columns]), (columns, &old[..]));
        let row = |at: usize| &all[at * columns..][..columns];
        assert!(dot(row(5), row(1)) > 0.7 && dot(row(5), row(2)) < 0.1);
        assert!(all[6 * columns..].iter().all(|&x| x == 0.0));
    }

    #[test]
    fn titles_without_a_word_in_common_give_nothing() {
        for titles in [&[][..], &["", ""], &["a b", "c d"]] {
            let (found, columns) = scores(&items(titles), titles.len(), 4, 1);
            assert_eq!((found.len(), columns), (0, 0));
        }
    }
}
