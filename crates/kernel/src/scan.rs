//! Scores of a quantised item table: a few vectors times many rows of signed bytes.
//!
//! A vector is converted to integers of 16 bits, so that products are exact and sums fit into 32 bits. The
//! error of that is a hundredth of the table's own quantisation error. Four rows are computed together, so
//! that the vector stays in registers; in the browser, WebAssembly's instruction for sums of products of 16
//! bits does the work. Several vectors are processed two at a time, so that each row's bytes are widened once
//! for both.

#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(target_arch = "wasm32")]
mod simd128;

#[cfg(not(target_arch = "wasm32"))]
use portable::dots;
#[cfg(target_arch = "wasm32")]
use simd128::dots;

/// Values of a row that are processed together.
const LANES: usize = 16;

/// A vector of integers.
#[derive(Clone, Debug)]
pub struct Query {
    /// Padded with zeros to whole [`LANES`].
    values: Vec<[i16; LANES]>,
    /// Number of values without the padding.
    width: usize,
    /// Value of one integer step; NaN if the vector contains NaN.
    step: f32,
}

impl Query {
    /// # Panics
    /// If `vector` is empty.
    pub fn new(vector: &[f32]) -> Self {
        let width = vector.len();
        assert!(width > 0, "a row has values");
        // Chosen so that no partial sum of products with bytes exceeds 32 bits.
        let levels = (i32::MAX / (128 * width as i32)).min(i32::from(i16::MAX)) as f32;
        let most = vector.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let finite = vector.iter().all(|x| x.is_finite());
        let inverse = if most > 0.0 { levels / most } else { 0.0 };
        let mut values = vec![[0; LANES]; width.div_ceil(LANES)];
        for (slot, x) in values.as_flattened_mut().iter_mut().zip(vector) {
            *slot = (x * inverse).round() as i16;
        }
        Self {
            values,
            width,
            step: if finite { most / levels } else { f32::NAN },
        }
    }

    /// The inner products with rows of bytes, each times its scale.
    ///
    /// # Shapes
    /// - `rows`: `[rows, width]`
    /// - `scales`, `out`: `[rows]`
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn scores(&self, rows: &[i8], scales: &[f32], out: &mut [f32]) {
        scored([self], rows, scales, out);
    }

    /// One inner product of integers; the reference.
    fn dot(&self, row: &[i8]) -> i32 {
        let pairs = row.iter().zip(self.values.as_flattened());
        pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
    }
}

/// The inner products of several vectors with rows of bytes, each times its scale.
///
/// # Shapes
/// - `rows`: `[rows, width]`
/// - `scales`: `[rows]`
/// - `out`: `[queries, rows]`
///
/// # Panics
/// If the shapes do not fit each other.
pub fn scores_of(queries: &[Query], rows: &[i8], scales: &[f32], out: &mut [f32]) {
    assert_eq!(out.len(), queries.len() * scales.len(), "a score of each");
    if scales.is_empty() {
        return;
    }
    for (queries, out) in queries.chunks(2).zip(out.chunks_mut(2 * scales.len())) {
        match queries {
            [first, second] => scored([first, second], rows, scales, out),
            [one] => scored([one], rows, scales, out),
            _ => unreachable!("two at a time"),
        }
    }
}

/// The scores of `N` vectors of the same width, `[N, rows]`.
fn scored<const N: usize>(queries: [&Query; N], rows: &[i8], scales: &[f32], out: &mut [f32]) {
    let (width, count) = (queries[0].width, scales.len());
    assert!(
        queries.iter().all(|query| query.width == width),
        "one width"
    );
    assert_eq!(rows.len(), count * width, "one scale a row");
    assert_eq!(out.len(), N * count, "one score a row");
    let values = queries.map(|query| &query.values[..]);
    let mut sums = [[0; 4]; N];
    let groups = rows.chunks(4 * width).zip(scales.chunks(4));
    for (at, (rows, scales)) in groups.enumerate() {
        if rows.len() == 4 * width {
            dots(rows, width, values, &mut sums);
        } else {
            for (query, sums) in queries.iter().zip(&mut sums) {
                for (row, sum) in rows.chunks_exact(width).zip(sums) {
                    *sum = query.dot(row);
                }
            }
        }
        for (n, (query, sums)) in queries.iter().zip(&sums).enumerate() {
            let out = &mut out[n * count + 4 * at..][..scales.len()];
            for ((out, scale), sum) in out.iter_mut().zip(scales).zip(sums) {
                *out = *sum as f32 * (scale * query.step);
            }
        }
    }
}

/// Adds rows of bytes, each times its scale and its factor, to a vector.
///
/// # Shapes
/// - `rows`: `[rows, width]`
/// - `scales`, `factors`: `[rows]`
/// - `out`: `[width]`
pub fn add_scaled_rows(rows: &[i8], scales: &[f32], factors: &[f32], out: &mut [f32]) {
    crate::vector::widest(
        #[inline(always)]
        || {
            let rows = rows.chunks_exact(out.len()).zip(scales).zip(factors);
            for ((row, scale), factor) in rows {
                let factor = scale * factor;
                for (out, x) in out.iter_mut().zip(row) {
                    *out += factor * f32::from(*x);
                }
            }
        },
    );
}

/// The lengths of rows of bytes, each times its scale.
///
/// # Shapes
/// - `rows`: `[rows, width]`
/// - `scales`, `out`: `[rows]`
pub fn lengths(rows: &[i8], width: usize, scales: &[f32], out: &mut [f32]) {
    crate::vector::widest(
        #[inline(always)]
        || {
            for ((out, row), scale) in out.iter_mut().zip(rows.chunks_exact(width)).zip(scales) {
                let squares: i32 = row.iter().map(|&x| i32::from(x) * i32::from(x)).sum();
                *out = scale * (squares as f32).sqrt();
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;
    use proptest::prelude::*;

    fn bytes(n: usize, seed: u64) -> Vec<i8> {
        random(n, seed).iter().map(|x| (x * 128.0) as i8).collect()
    }

    proptest! {
        #[test]
        fn sums_are_exact_at_every_width(width in 1usize..150, rows in 0usize..11, seed: u64) {
            let query = Query::new(&random(width, seed));
            let table = bytes(width * rows, seed ^ 1);
            let mut out = vec![9.0; rows];
            query.scores(&table, &vec![1.0; rows], &mut out);
            for (row, out) in table.chunks_exact(width).zip(&out) {
                prop_assert_eq!(*out, query.dot(row) as f32 * query.step);
            }
        }

        #[test]
        fn several_vectors_score_as_each_alone(
            width in 1usize..80,
            rows in 0usize..11,
            vectors in 0usize..6,
            seed: u64,
        ) {
            let queries: Vec<Query> = (0..vectors as u64)
                .map(|n| Query::new(&random(width, seed ^ (n + 7))))
                .collect();
            let (table, scales) = (bytes(width * rows, seed ^ 1), random(rows, seed ^ 2));
            let mut out = vec![9.0; vectors * rows];
            scores_of(&queries, &table, &scales, &mut out);
            for (n, query) in queries.iter().enumerate() {
                let mut alone = vec![0.0; rows];
                query.scores(&table, &scales, &mut alone);
                prop_assert_eq!(&out[n * rows..][..rows], &alone[..]);
            }
        }

        #[test]
        fn rows_are_added_as_floats(width in 1usize..80, rows in 0usize..11, seed: u64) {
            let (table, scales) = (bytes(width * rows, seed), random(rows, seed ^ 1));
            let (factors, before) = (random(rows, seed ^ 2), random(width, seed ^ 3));
            let mut out = before.clone();
            add_scaled_rows(&table, &scales, &factors, &mut out);
            for (at, out) in out.iter().enumerate() {
                let each = (0..rows).map(|row| {
                    factors[row] * scales[row] * f32::from(table[row * width + at])
                });
                let due = before[at] + each.sum::<f32>();
                prop_assert!((out - due).abs() < 1e-3, "{out} {due}");
            }
        }

        #[test]
        fn scores_are_those_of_the_floats(width in 1usize..150, seed: u64) {
            let (vector, table) = (random(width, seed), bytes(width * 5, seed ^ 1));
            let scales = random(5, seed ^ 2);
            let mut out = [0.0; 5];
            Query::new(&vector).scores(&table, &scales, &mut out);
            let mut long = [0.0; 5];
            lengths(&table, width, &scales, &mut long);
            for (at, row) in table.chunks_exact(width).enumerate() {
                let row: Vec<f32> = row.iter().map(|&x| f32::from(x) * scales[at]).collect();
                let exact: f32 = row.iter().zip(&vector).map(|(a, b)| a * b).sum();
                let size: f32 = row.iter().map(|x| x.abs()).sum();
                prop_assert!((out[at] - exact).abs() <= size * 3e-5 + 1e-6, "{} {exact}", out[at]);
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                prop_assert!((long[at].abs() - length).abs() <= 1e-4 * length);
            }
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        for width in [1, 64, 514, 4096] {
            let mut out = [0.0; 4];
            Query::new(&vec![-3.0; width]).scores(&vec![-128; 4 * width], &[1.0; 4], &mut out);
            let exact = 384.0 * width as f32;
            assert!((out[0] - exact).abs() < exact * 1e-3, "{} {exact}", out[0]);
        }
    }

    #[test]
    fn zeros_score_zero_and_what_is_no_number_none() {
        let mut out = [9.0; 4];
        Query::new(&[0.0; 3]).scores(&[5; 12], &[1.0; 4], &mut out);
        assert_eq!(out, [0.0; 4]);
        Query::new(&[1.0; 3]).scores(&[5; 12], &[0.0, 1.0, f32::NAN, 1.0], &mut out);
        assert_eq!((out[0], out[2].is_nan()), (0.0, true));
        for bad in [f32::NAN, f32::INFINITY] {
            Query::new(&[1.0, bad]).scores(&[5; 8], &[1.0; 4], &mut out);
            assert!(out.iter().all(|x| x.is_nan()));
        }
    }
}
