//! Initial item embeddings: random, from the words of the titles, or from a language model. With titles,
//! items with few clicks start close to similar items ([Harte et al., 2023](https://arxiv.org/abs/2309.09261)
//! start from a language model).

mod file;

use crate::data::{Dataset, InputError};
use crate::text::components::principal;
use crate::text::titles;
use ingle_settings::Beginning;

/// Checks that a file named in the settings can be read and belongs to this dataset.
///
/// # Errors
/// Input errors that name the file: it cannot be read, has another shape or dataset, or holds a value that is
/// not finite.
pub fn check(beginning: &Beginning, data: &Dataset) -> Result<(), InputError> {
    match beginning {
        Beginning::File(path) => file::read(path, data).map(drop),
        Beginning::Random | Beginning::Titles => Ok(()),
    }
}

/// Overwrites random embeddings `[items, width]` with the initial ones, scaled to `length`. Items without
/// features keep their random ones.
///
/// # Errors
/// As [`check`].
pub fn write(
    beginning: &Beginning,
    data: &Dataset,
    seed: u64,
    width: usize,
    length: f32,
    table: &mut [f32],
) -> Result<(), InputError> {
    let (rows, columns) = match beginning {
        Beginning::Random => return Ok(()),
        Beginning::Titles => titles::scores(data.items(), data.n_items(), width, seed),
        Beginning::File(path) => file::read(path, data)?,
    };
    if columns == 0 {
        return Ok(());
    }
    let brought = principal(&rows, data.n_items(), columns, width);
    let rows = rows.chunks_exact(columns).zip(brought.chunks_exact(width));
    for (to, (from, brought)) in table.chunks_exact_mut(width).zip(rows) {
        let norm = brought.iter().map(|x| x * x).sum::<f32>().sqrt();
        if from.iter().any(|&x| x != 0.0) && norm > 0.0 {
            for (to, x) in to.iter_mut().zip(brought) {
                *to = x * length / norm;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{from_parts, parts};
    use ingle_kernel::vector::dot;

    const WIDTH: usize = 2;

    /// Initial embeddings written over rows of ones, two columns per item.
    fn written(titles: [Option<&str>; 5]) -> Vec<f32> {
        let mut parts = parts(&[&[1, 2, 3, 4, 5]], &[]);
        for (item, title) in parts.items.iter_mut().zip(titles) {
            item.title = title.map(str::to_owned);
        }
        let mut table = vec![1.0; 5 * WIDTH];
        let (titles, data) = (Beginning::Titles, from_parts(parts));
        write(&titles, &data, 1, WIDTH, 0.5, &mut table).expect("titles");
        table
    }

    #[test]
    fn what_is_alike_begins_together_at_the_asked_length() {
        let titles = [
            "red lipstick",
            "lipstick, red",
            "dry shampoo",
            "Shampoo dry",
        ];
        let [a, b, c, d] = titles.map(Some);
        let table = written([a, b, c, d, None]);
        let row = |item: usize| &table[item * WIDTH..(item + 1) * WIDTH];
        for item in 0..4 {
            assert!((dot(row(item), row(item)) - 0.25).abs() < 1e-6);
        }
        assert!(dot(row(0), row(1)) > 0.24 && dot(row(2), row(3)) > 0.24);
        assert!(dot(row(0), row(2)) < 0.0);
        assert_eq!(
            row(4),
            [1.0, 1.0],
            "an item without a title begins at random"
        );
    }

    #[test]
    fn without_titles_all_begin_at_random() {
        assert_eq!(written([None; 5]), vec![1.0; 5 * WIDTH]);
    }
}
