//! One vector against many rows of signed bytes: the scores of a quantised item table.
//!
//! The vector becomes integers of 16 bits, so that products are exact and sums stay in 32 bits; what it
//! loses by that is a hundredth of what the bytes of the table have lost. Four rows are taken together,
//! which leaves the vector in registers, and WebAssembly's own instruction for sums of products of 16
//! bits does the work in the browser.

#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(target_arch = "wasm32")]
mod simd128;

#[cfg(not(target_arch = "wasm32"))]
use portable::dots;
#[cfg(target_arch = "wasm32")]
use simd128::dots;

/// Values of a row that are worked on together.
const LANES: usize = 16;

/// A vector as integers.
#[derive(Clone, Debug)]
pub struct Query {
    /// Filled up with zeros to whole [`LANES`].
    values: Vec<[i16; LANES]>,
    /// Values that are not.
    width: usize,
    /// What the integers are multiples of; not a number if one of the vector's was none.
    step: f32,
}

impl Query {
    /// # Panics
    /// If `vector` is empty.
    pub fn new(vector: &[f32]) -> Self {
        let width = vector.len();
        assert!(width > 0, "a row has values");
        // No sum of products with bytes, not even a part of one, leaves 32 bits.
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

    /// The inner products with rows that are each `scale` times some bytes.
    ///
    /// # Shapes
    /// - `rows`: `[rows, width]`
    /// - `scales`, `out`: `[rows]`
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn scores(&self, rows: &[i8], scales: &[f32], out: &mut [f32]) {
        assert_eq!(rows.len(), out.len() * self.width, "one score a row");
        assert_eq!(scales.len(), out.len(), "one scale a row");
        let mut sums = [0; 4];
        let groups = rows.chunks(4 * self.width).zip(scales.chunks(4));
        for ((rows, scales), out) in groups.zip(out.chunks_mut(4)) {
            if rows.len() == 4 * self.width {
                dots(rows, self.width, &self.values, &mut sums);
            } else {
                for (row, sum) in rows.chunks_exact(self.width).zip(&mut sums) {
                    *sum = self.dot(row);
                }
            }
            for ((out, scale), sum) in out.iter_mut().zip(scales).zip(&sums) {
                *out = *sum as f32 * (scale * self.step);
            }
        }
    }

    /// One inner product of integers, written out.
    fn dot(&self, row: &[i8]) -> i32 {
        let pairs = row.iter().zip(self.values.as_flattened());
        pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
    }
}

/// The lengths of rows that are each `scale` times some bytes.
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
