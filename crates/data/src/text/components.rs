//! Principal components of matrices with many rows and few columns. Work on the rows is split into chunks on
//! all cores.

use ingle_kernel::product::{Matrix, add_product};
use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

/// Rows of a chunk. The order of additions depends on the chunks, not on the number of threads.
const CHUNK: usize = 4096;

/// The first `width` principal components of rows `[count, columns]`, each divided by the fourth root of its
/// variance: halfway between unscaled components, of which few dominate, and whitened ones. Mean and variance
/// are those of the first `fitted` rows. The output is `[count, width]`; if `columns` is less than `width`,
/// the last columns are 0.
pub fn principal(rows: &[f32], fitted: usize, columns: usize, width: usize) -> Vec<f32> {
    let centred = centred(rows, fitted, columns);
    let own = &centred[..fitted * columns];
    let (variances, vectors) = eigen(gram(own, columns) / fitted as f64);
    let scales = variances.iter().map(|x| x.max(1e-12).powf(-0.25));
    let onto = side_by_side(&vectors, scales.take(width), width);
    times(&centred, columns, &onto)
}

/// An orthonormal basis of the columns of `rows` `[count, columns]`, and its size: smaller than `columns` if
/// some are linearly dependent.
pub fn orthonormal(rows: &[f32], columns: usize) -> (Vec<f32>, usize) {
    let (squares, vectors) = eigen(gram(rows, columns));
    // Smaller values are rounding errors of single precision.
    let least = 1e-6 * squares.first().copied().unwrap_or_default();
    let kept = squares.iter().take_while(|&&square| square > least).count();
    let scales = squares.iter().map(|square| 1.0 / square.sqrt());
    let onto = side_by_side(&vectors, scales.take(kept), kept);
    (times(rows, columns, &onto), kept)
}

/// Vectors times their scales, as the columns of a matrix of `width` columns; the remaining columns are 0.
fn side_by_side(vectors: &[Vec<f64>], scales: impl Iterator<Item = f64>, width: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; vectors.len() * width];
    for (column, (vector, scale)) in vectors.iter().zip(scales).enumerate() {
        for (row, value) in matrix.chunks_exact_mut(width).zip(vector) {
            row[column] = (value * scale) as f32;
        }
    }
    matrix
}

fn centred(rows: &[f32], fitted: usize, columns: usize) -> Vec<f32> {
    let mut mean = vec![0.0; columns];
    for row in rows.chunks_exact(columns).take(fitted) {
        for (sum, &x) in mean.iter_mut().zip(row) {
            *sum += f64::from(x);
        }
    }
    let mut centred = rows.to_vec();
    for row in centred.chunks_exact_mut(columns) {
        for (x, sum) in row.iter_mut().zip(&mean) {
            *x -= (sum / fitted as f64) as f32;
        }
    }
    centred
}

/// `rowsᵀ · rows`, `[columns, columns]`.
fn gram(rows: &[f32], columns: usize) -> DMatrix<f64> {
    let parts: Vec<Vec<f32>> = (rows.par_chunks(CHUNK * columns))
        .map(|chunk| {
            let mut part = vec![0.0; columns * columns];
            add_product(Matrix::new(chunk, columns).transposed(), chunk, &mut part);
            part
        })
        .collect();
    let mut sum = DMatrix::zeros(columns, columns);
    for part in parts {
        for (sum, x) in sum.iter_mut().zip(part) {
            *sum += f64::from(x);
        }
    }
    sum
}

/// `rows · by`, where `by` has `columns` rows.
fn times(rows: &[f32], columns: usize, by: &[f32]) -> Vec<f32> {
    let width = by.len() / columns;
    let mut out = vec![0.0; rows.len() / columns * width];
    (out.par_chunks_mut((CHUNK * width).max(1)))
        .zip(rows.par_chunks(CHUNK * columns))
        .for_each(|(out, rows)| add_product(Matrix::new(rows, columns), by, out));
    out
}

/// Eigenvalues of a symmetric matrix in descending order, and their vectors.
fn eigen(matrix: DMatrix<f64>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let SymmetricEigen {
        eigenvalues,
        eigenvectors,
    } = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
    let vector = |&at: &usize| eigenvectors.column(at).iter().copied().collect();
    (
        order.iter().map(|&at| eigenvalues[at]).collect(),
        order.iter().map(vector).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_kernel::vector::dot;
    use ingle_model::Rng;

    /// Rows whose columns differ in variance; more than one chunk.
    fn rows(count: usize) -> Vec<f32> {
        let mut rng = Rng::new(3, &[]);
        let mut row = || [4.0, 1.0, 0.25].map(|deviation| 7.0 + rng.normal(deviation));
        (0..count).flat_map(|_| row()).collect()
    }

    fn column(rows: &[f32], columns: usize, at: usize) -> Vec<f32> {
        rows.iter().skip(at).step_by(columns).copied().collect()
    }

    #[test]
    fn components_have_no_mean_share_nothing_and_spread_less_and_less() {
        let count = CHUNK + 100;
        let found = principal(&rows(count), count, 3, 5);
        let parts: Vec<Vec<f32>> = (0..5).map(|at| column(&found, 5, at)).collect();
        for (at, part) in parts.iter().enumerate() {
            assert!(part.iter().sum::<f32>().abs() < 1e-3 * count as f32);
            for other in &parts[..at] {
                assert!(dot(part, other).abs() < 1e-2 * count as f32);
            }
        }
        // A component with standard deviation d is scaled to the square root of d.
        for (part, deviation) in parts.iter().zip([2.0, 1.0, 0.5, 0.0, 0.0]) {
            let found = (dot(part, part) / count as f32).sqrt();
            assert!((found - deviation).abs() < 0.05, "{found}");
        }
    }

    #[test]
    fn rows_that_are_not_fitted_are_turned_as_the_others() {
        let some = rows(100);
        let twice = [&some[..], &some[..30]].concat();
        let found = principal(&twice, 100, 3, 3);
        assert_eq!(&found[..300], &principal(&some, 100, 3, 3)[..]);
        assert_eq!(found[300..], found[..30]);
    }

    #[test]
    fn columns_that_add_nothing_are_left_out() {
        let twice: Vec<f32> = rows(50)
            .chunks_exact(3)
            .flat_map(|row| [row[0], row[1], row[0] + row[1]])
            .collect();
        let (found, kept) = orthonormal(&twice, 3);
        assert_eq!(kept, 2);
        let [a, b] = [0, 1].map(|at| column(&found, 2, at));
        assert!((dot(&a, &a) - 1.0).abs() < 1e-4 && (dot(&b, &b) - 1.0).abs() < 1e-4);
        assert!(dot(&a, &b).abs() < 1e-3);
    }
}
