//! Adds new items, which have no clicks yet, to a trained catalogue by their titles. A ridge regression from
//! title features to the trained item embeddings is fitted and applied to the new items ([Gantner et al.,
//! 2010](https://doi.org/10.1109/ICDM.2010.129)). An item's weight in the fit is the logarithm of its clicks,
//! as the embedding of an item without clicks is untrained. Semantic codes come from the trained coder. The
//! features are fitted to the trained catalogue and do not depend on the new items.

use super::coder::{self, Coder};
use super::config::lm_folder;
use super::folds::table;
use super::progress::Progress;
use super::run::Run;
use super::stages::{CODER, optimizer};
use crate::data::{Dataset, Item};
use crate::reader::open_lm;
use anyhow::{Context as _, Result};
use burn::prelude::*;
use ingle_model::Model;
use nalgebra::DMatrix;

/// Ridge penalty, as a share of the mean square of the features.
const RIDGE: f64 = 1e-2;

/// Items that are added to a catalogue, with their features.
#[derive(Debug, Default)]
pub struct Newcomers {
    /// The items.
    pub items: Vec<Item>,
    /// Their embeddings, `[items, width]`.
    pub table: Vec<f32>,
    /// Their semantic codes, `[items, code width]`; empty if the method has none.
    pub codes: Vec<i8>,
    /// Items that cannot be added, as none of their words is known.
    pub left_out: Vec<Item>,
}

impl Newcomers {
    /// Computes embeddings and codes of new items for a trained run.
    ///
    /// # Errors
    /// If the run's language model cannot be read.
    pub fn place(
        run: &Run,
        data: &Dataset,
        model: &Model,
        new: Vec<Item>,
        progress: &Progress,
    ) -> Result<Self> {
        let lm = lm_folder(&run.config.denoising);
        let lm = lm.filter(|_| run.config.method.denoises());
        let lm = lm
            .map(|folder| open_lm(&folder, &Device::flex()))
            .transpose()?;
        let all = [data.items(), &new].concat();
        let (features, columns) =
            coder::features(&all, data.n_items(), run.config.seed, lm.as_ref(), progress);
        let (old, fresh) = features[columns..].split_at(data.n_items() * columns);
        let says = |row: &[f32]| row.iter().any(|&x| x != 0.0);
        let (titled, untitled): (Vec<_>, Vec<_>) = (new.into_iter())
            .zip(fresh.chunks_exact(columns))
            .partition(|(_, row)| says(row));
        let (items, fresh): (Vec<Item>, Vec<&[f32]>) = titled.into_iter().unzip();
        if items.is_empty() {
            return Ok(Self {
                left_out: untitled.into_iter().map(|(item, _)| item).collect(),
                ..Self::default()
            });
        }
        let fresh = fresh.concat();
        let known = run.features()?;
        let weights = &known.popularity[1..];
        let width = run.config.backbone.width;
        let learnt = &table(model)[width..];
        let mut placed = projected([old, &fresh], columns, (learnt, width), weights)?;
        let length = mean_length(learnt, width, weights);
        for row in placed.chunks_exact_mut(width) {
            let own = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
            for x in row {
                *x *= length / own;
            }
        }
        let codes = known.codes.as_ref().map(|codes| {
            let device = Device::flex().autodiff();
            let coder = Coder::new((fresh, columns), codes.width, 0, optimizer(), &device);
            let path = run.latest(CODER).context("a run with codes has a coder")?;
            anyhow::Ok(coder.from(&path)?.codes().values)
        });
        Ok(Self {
            items,
            table: placed,
            codes: codes.transpose()?.unwrap_or_default(),
            left_out: untitled.into_iter().map(|(item, _)| item).collect(),
        })
    }
}

/// A linear map, fitted from rows `old` to rows `due`, applied to rows `new`.
///
/// # Shapes
/// - `old`, `new`: `[rows, columns]`
/// - `due`: `[old rows, width]`
/// - `weights`: `[old rows]`
/// - output: `[new rows, width]`
fn projected(
    [old, new]: [&[f32]; 2],
    columns: usize,
    (due, width): (&[f32], usize),
    weights: &[f32],
) -> Result<Vec<f32>> {
    // A constant column for the intercept.
    let with_one = |rows: &[f32]| {
        DMatrix::from_fn(rows.len() / columns, columns + 1, |row, column| {
            let value = (column < columns).then(|| rows[row * columns + column]);
            f64::from(value.unwrap_or(1.0))
        })
    };
    let weigh = |mut matrix: DMatrix<f64>| {
        for (mut row, &weight) in matrix.row_iter_mut().zip(weights) {
            row *= f64::from(weight).sqrt();
        }
        matrix
    };
    let read = weigh(with_one(old));
    let due = weigh(DMatrix::from_fn(weights.len(), width, |row, column| {
        f64::from(due[row * width + column])
    }));
    let mut squares = read.tr_mul(&read);
    let held = RIDGE * squares.trace() / squares.nrows() as f64 + 1e-9;
    for at in 0..squares.nrows() {
        squares[(at, at)] += held;
    }
    let solved = squares.cholesky().context("squares are positive")?;
    let projection = solved.solve(&read.tr_mul(&due));
    let out = with_one(new) * projection;
    Ok(out.transpose().iter().map(|&x| x as f32).collect())
}

/// Mean length of the rows with a weight above 0.
pub(super) fn mean_length(rows: &[f32], width: usize, weights: &[f32]) -> f32 {
    let rows = rows.chunks_exact(width).zip(weights);
    let lengths = rows.filter(|(_, weight)| **weight > 0.0);
    let lengths = lengths.map(|(row, _)| row.iter().map(|x| x * x).sum::<f32>().sqrt());
    let (sum, count) = lengths.fold((0.0, 0), |(sum, count), x| (sum + x, count + 1));
    sum / count.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projection_finds_what_old_rows_were_made_by_and_heeds_weights() {
        // due = 2 a - b + 3, except for a row with weight 0.
        let old = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 0.0, 0.0, 5.0, 5.0];
        let due = [5.0, 2.0, 4.0, 6.0, 3.0, -99.0];
        let weights = [1e3, 1e3, 1e3, 1e3, 1e3, 0.0];
        let found = projected([&old, &[1.0, 2.0]], 2, (&due, 1), &weights).expect("solves");
        // The ridge penalty shrinks it a little towards 0.
        assert!((found[0] - 3.0).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn only_rows_that_weigh_anything_have_a_say_in_the_length() {
        let rows = [3.0, 4.0, 0.0, 1.0, 90.0, 90.0];
        assert_eq!(mean_length(&rows, 2, &[1.0, 0.5, 0.0]), 3.0);
        assert_eq!(mean_length(&rows, 2, &[0.0; 3]), 0.0);
    }
}
