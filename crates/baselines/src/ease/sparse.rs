//! The approximation for large catalogues: each item's weights from its neighbours alone.

use crate::Error;
use crate::cooccurrence::{Row, squares};
use crate::item_knn::nearest;
use crate::log::{Log, Sparse};
use nalgebra::{Cholesky, DMatrix, DVector};
use rayon::prelude::*;

/// The weights between neighbours.
#[derive(Debug)]
pub struct Near {
    /// By item of the history, row 0 is empty: items with their weights.
    weights: Sparse,
}

impl Near {
    /// The weights to item `j` from its neighbours `D` are `(G_DD + ridge · I)⁻¹ · G_Dj` with `G = Xᵀ·X`, which is
    /// `-P_ij / P_jj` of the matrix of `D` and `j`.
    pub(super) fn fit(log: &Log, ridge: f64, most: usize) -> Result<Self, Error> {
        let squares = squares(log);
        let of = |(row, positions): &mut (Row, Vec<u32>), item: u32| {
            let own = squares[item as usize];
            let others = row.of(log, item).filter(|&(other, _)| other != item);
            let cosines = others.map(|(other, sum)| {
                let lengths = (own * squares[other as usize]).sqrt();
                (other, (sum / lengths) as f32)
            });
            let near = nearest(cosines.collect(), most, log.places());
            for (at, &(other, _)) in near.iter().enumerate() {
                positions[other as usize] = at as u32;
            }
            // Only pairs of neighbours are counted, and no matrix of all pairs is held.
            let mut gram = DMatrix::zeros(near.len(), near.len());
            let mut right = DVector::zeros(near.len());
            for (at, &(other, _)) in near.iter().enumerate() {
                right[at] = row.sum(other);
                for &(user, x) in log.of_items.row(other as usize) {
                    for &(third, y) in log.users.row(user as usize) {
                        let column = positions[third as usize];
                        if column != u32::MAX {
                            gram[(column as usize, at)] += f64::from(x) * f64::from(y);
                        }
                    }
                }
                gram[(at, at)] += ridge;
            }
            for &(other, _) in &near {
                positions[other as usize] = u32::MAX;
            }
            let solved = Cholesky::new(gram)?.solve(&right);
            let weights = near.iter().zip(solved.iter());
            Some(
                weights
                    .map(|(&(other, _), &weight)| (other, weight as f32))
                    .collect(),
            )
        };
        let room = || (Row::new(log), vec![u32::MAX; log.items() + 1]);
        let columns: Option<Vec<Vec<(u32, f32)>>> = (0..=log.items() as u32)
            .into_par_iter()
            .map_init(room, of)
            .collect();
        let columns = columns.ok_or(Error::Singular { ridge })?;
        let columns = Sparse::of(columns.iter().map(Vec::as_slice));
        let weights = columns.transposed(log.items() + 1);
        Ok(Self { weights })
    }

    pub(super) fn score(&self, history: &[(u32, f32)], scores: &mut [f32]) {
        for &(item, weight) in history {
            for &(other, value) in self.weights.row(item as usize) {
                scores[other as usize] += weight * value;
            }
        }
    }
}
