//! Folds: backbones trained without one part of the users each, so that those users can be judged as unseen
//! users are in a shop ([cross-fitting](https://doi.org/10.1111/ectj.12097), Chernozhukov et al., 2018). A
//! backbone has fitted its own users' clicks, noise included. A denoiser trained on its states would find too
//! little noise in the history of an unseen user.
//!
//! Item embeddings also vary by chance: between two trainings on Beauty that differ only in the seed, the two
//! embeddings of an item have a cosine of .6. The mean over the backbone and its folds varies less
//! ([bagging](https://doi.org/10.1007/BF00058655), Breiman, 1996), and needs no additional training.

use super::checkpoint::write_atomically;
use super::samples::tensor;
use crate::data::{Dataset, Split};
use anyhow::{Context, Result, bail, ensure};
use burn::prelude::*;
use ingle_kernel::product::{Matrix, add_product};
use ingle_model::{Model, Rng};
use nalgebra::DMatrix;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::Path;

/// Least held-out users on whom a denoiser can be validated.
const FEWEST: usize = 50;

/// The part of each user, `0..parts`; all windows of one shopper are in the same part.
pub(super) fn parts(data: &Dataset, parts: usize, seed: u64) -> Vec<usize> {
    by_shopper(data, |first| {
        Rng::new(seed, &[5, first]).below(parts.max(1))
    })
}

/// Draws a value for each user; users of the same shopper get the same one, drawn by the index of the first
/// of them.
fn by_shopper<T>(data: &Dataset, draw: impl Fn(u64) -> T) -> Vec<T> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    (0..data.n_users())
        .map(|user| draw(*first.entry(data.shopper(user)).or_insert(user) as u64))
        .collect()
}

/// Whether each user is held out from the denoiser's training; all windows of one shopper are treated alike.
/// `None` if too few users would be held out, or if at least half of the validation users are not trained on anyway.
pub(super) fn held_out(data: &Dataset, share: f64, seed: u64) -> Option<Vec<bool>> {
    let asked = |user: &usize| data.case(*user, Split::Valid).is_some();
    let (learnt, others): (Vec<usize>, Vec<usize>) = (0..data.n_users())
        .filter(asked)
        .partition(|&user| data.train(user).len() > 1);
    let drawn = by_shopper(data, |first| {
        f64::from(Rng::new(seed, &[6, first]).uniform()) < share
    });
    let held = learnt.iter().filter(|&&user| drawn[user]).count();
    (learnt.len() > others.len() && held >= FEWEST).then_some(drawn)
}

/// A fold's item table, rotated to lie as close as possible to the backbone's; items are weighted by their
/// clicks (orthogonal Procrustes, [Schönemann, 1966](https://doi.org/10.1007/BF02289451)). A rotation does
/// not change the scores within a table.
pub(super) fn aligned(fold: &[f32], backbone: &[f32], width: usize, counts: &[u32]) -> Vec<f32> {
    let mut weighted = fold.to_vec();
    for (row, &count) in weighted.chunks_exact_mut(width).zip(counts) {
        for x in row {
            *x *= count as f32;
        }
    }
    let mut across = vec![0.0; width * width];
    add_product(
        Matrix::new(&weighted, width).transposed(),
        backbone,
        &mut across,
    );
    let across = DMatrix::from_row_iterator(width, width, across.iter().map(|&x| f64::from(x)));
    let svd = across.svd(true, true);
    let (u, v) = (svd.u.expect("asked for"), svd.v_t.expect("asked for"));
    let turn: Vec<f32> = (u * v).transpose().iter().map(|&x| x as f32).collect();
    let mut turned = vec![0.0; fold.len()];
    add_product(Matrix::new(fold, width), &turn, &mut turned);
    turned
}

/// The mean of aligned item tables. Each row is scaled to the mean length of the rows it averages.
pub(super) fn mean(tables: &[Vec<f32>], width: usize) -> Vec<f32> {
    let length = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
    let mut mean = super::softmax::sum(tables.to_vec());
    for (at, row) in mean.chunks_exact_mut(width).enumerate() {
        let rows = tables.iter().map(|table| &table[at * width..][..width]);
        let due = rows.map(length).sum::<f32>() / tables.len() as f32;
        let scale = due / length(row).max(f32::MIN_POSITIVE);
        for x in row {
            *x *= scale;
        }
    }
    mean
}

/// A model's item table, `[items + 1, width]`.
pub(super) fn table(model: &Model) -> Vec<f32> {
    model.backbone.items.val().into_data().iter().collect()
}

/// Writes a table `[rows, width]` of floats; the first row is padding.
pub(super) fn write(path: &Path, table: &[f32], width: usize) -> Result<()> {
    let bytes: Vec<u8> = table.iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, vec![table.len() / width, width], &bytes)?;
    write_atomically(path, &safetensors::serialize([("items", view)], None)?)
}

/// Reads a table; returns its width and its values.
pub(super) fn read(path: &Path) -> Result<(usize, Vec<f32>)> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let damaged = || format!("{} is damaged", path.display());
    let file = SafeTensors::deserialize(&bytes).with_context(damaged)?;
    let table = file.tensor("items").with_context(damaged)?;
    let &[_, width] = table.shape() else {
        bail!(damaged());
    };
    ensure!(width > 0 && table.dtype() == Dtype::F32, damaged());
    let values = table.data().as_chunks::<4>().0.iter();
    Ok((
        width,
        values.map(|bytes| f32::from_le_bytes(*bytes)).collect(),
    ))
}

/// Reads a fold's item table onto a device.
///
/// # Errors
/// As [`read`], and if the table is not of this shape, `[items + 1, width]`.
pub(super) fn open(path: &Path, shape: [usize; 2], device: &Device) -> Result<Tensor<2>> {
    let (width, table) = read(path)?;
    let fits = [table.len() / width, width] == shape;
    ensure!(fits, "{} is of another shape", path.display());
    Ok(tensor(table, shape, device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    #[test]
    fn a_table_that_was_turned_is_turned_back() {
        let (width, mut rng) = (4, Rng::new(1, &[]));
        let backbone: Vec<f32> = (0..30 * width).map(|_| rng.normal(1.0)).collect();
        let turn = DMatrix::from_fn(width, width, |_, _| f64::from(rng.normal(1.0)))
            .qr()
            .q();
        let turn: Vec<f32> = turn.iter().map(|&x| x as f32).collect();
        let mut fold = vec![0.0; backbone.len()];
        add_product(Matrix::new(&backbone, width), &turn, &mut fold);
        let found = aligned(&fold, &backbone, width, &[2; 30]);
        for (a, b) in found.iter().zip(&backbone) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn a_mean_has_the_direction_of_the_sum_and_the_length_of_the_rows() {
        let tables = [vec![0.0, 0.0, 3.0, 0.0], vec![0.0, 0.0, 0.0, 1.0]];
        let found = mean(&tables, 2);
        let length = 10.0_f32.sqrt();
        for (a, b) in found
            .iter()
            .zip([0.0, 0.0, 2.0 * 3.0 / length, 2.0 / length])
        {
            assert!((a - b).abs() < 1e-6, "{found:?}");
        }
        assert_eq!(mean(&tables[..1], 2), tables[0]);
    }

    #[test]
    fn users_are_spread_over_all_parts() {
        let histories = vec![&[1, 2, 3][..]; 3000];
        let mut sizes = [0; 3];
        for part in parts(&dataset(&histories, &[]), 3, 1) {
            sizes[part] += 1;
        }
        assert!(
            sizes.iter().all(|size| (900..1100).contains(size)),
            "{sizes:?}"
        );
    }

    #[test]
    fn a_share_of_the_users_is_held_out_and_none_where_they_would_be_few() {
        let histories = vec![&[1, 2, 3, 4, 5][..]; 3000];
        let data = dataset(&histories, &[]);
        let held = held_out(&data, 0.1, 1).expect("many users");
        let count = held.iter().filter(|held| **held).count();
        assert!((250..350).contains(&count), "{count}");
        assert_ne!(
            Some(held),
            held_out(&data, 0.1, 2),
            "another seed holds out others"
        );
        assert_eq!(held_out(&data, 0.0, 1), None);
        assert_eq!(held_out(&dataset(&histories[..100], &[]), 0.1, 1), None);
    }
}
