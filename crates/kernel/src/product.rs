//! Matrix products. A block of a few rows of the left side and two vectors of columns of the right side is
//! computed at a time, so that its sums stay in registers.

use crate::vector::dispatch;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Rows of a block: as many as fit into registers. WebAssembly's compilers have sixteen registers and no
/// fused multiply-add.
pub(crate) const ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };

/// A view of a matrix or of its transpose.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Distance from one row to the next, and from one column to the next.
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// A matrix with `columns` columns.
    ///
    /// # Panics
    /// If the length of `values` is not a multiple of `columns`.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        assert!(values.len().is_multiple_of(columns), "whole rows");
        Self {
            values,
            rows: values.len() / columns,
            columns,
            strides: [columns, 1],
        }
    }

    /// The transpose.
    #[must_use]
    pub fn transposed(self) -> Self {
        let [row, column] = self.strides;
        Self {
            rows: self.columns,
            columns: self.rows,
            strides: [column, row],
            ..self
        }
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// If the range is empty or not within the columns.
    #[must_use]
    pub fn part(self, columns: Range<usize>) -> Self {
        assert!(
            columns.start < columns.end && columns.end <= self.columns,
            "columns of the matrix"
        );
        let [_, step] = self.strides;
        Self {
            values: &self.values[columns.start * step..],
            columns: columns.len(),
            ..self
        }
    }

    /// Rows `first..first + ROWS`, one array per column; 0 below the last row.
    #[inline(always)]
    fn pack(&self, first: usize, packed: &mut [[f32; ROWS]]) {
        let [row, column] = self.strides;
        let rows = ROWS.min(self.rows - first);
        for (at, packed) in packed.iter_mut().enumerate() {
            let start = first * row + at * column;
            *packed = [0.0; ROWS];
            for (offset, slot) in packed[..rows].iter_mut().enumerate() {
                *slot = self.values[start + offset * row];
            }
        }
    }
}

/// `out += a · b`.
///
/// # Shapes
/// - `a`: `[m, k]`
/// - `b`: `[k, n]`
/// - `out`: `[m, n]`
///
/// # Panics
/// If the shapes do not fit each other.
pub fn add_product(a: Matrix<'_>, b: &[f32], out: &mut [f32]) {
    assert!(
        b.len().is_multiple_of(a.columns),
        "as many rows of b as columns of a"
    );
    let columns = b.len() / a.columns;
    assert_eq!(out.len(), a.rows * columns, "room for the product");
    dispatch(Product { a, b, columns, out });
}

/// Inner products of all pairs of rows of `width` values, `[rows, rows]`.
pub fn pairs(rows: &[f32], width: usize) -> Vec<f32> {
    let matrix = Matrix::new(rows, width);
    let mut columns = vec![0.0; rows.len()];
    transpose(matrix, &mut columns);
    let mut out = vec![0.0; matrix.rows * matrix.rows];
    add_product(matrix, &columns, &mut out);
    out
}

/// Writes the transpose.
pub fn transpose(from: Matrix<'_>, to: &mut [f32]) {
    let [row, column] = from.strides;
    for (at, to) in to.chunks_exact_mut(from.rows).enumerate() {
        let first = at * column;
        for (to, value) in to.iter_mut().zip(from.values[first..].iter().step_by(row)) {
            *to = *value;
        }
    }
}

struct Product<'a> {
    a: Matrix<'a>,
    b: &'a [f32],
    columns: usize,
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, columns, out } = self;
        let strip = 2 * S::F32_LANES;
        let whole = columns / strip * strip;
        let narrow = Narrow::of(b, columns, whole, strip);
        let mut packed = vec![[0.0; ROWS]; a.columns];
        for (group, out) in out.chunks_mut(ROWS * columns).enumerate() {
            a.pack(group * ROWS, &mut packed);
            for at in (0..whole).step_by(strip) {
                let sums = accumulate(simd, terms(&packed, b, columns), at);
                add_rows(simd, &sums, out, columns, at);
            }
            if let Some(narrow) = &narrow {
                let mut sums = [[0.0; MOST_LANES]; ROWS];
                let found = accumulate(simd, terms(&packed, &narrow.values, strip), 0);
                let (flat, _) = sums.as_flattened_mut().split_at_mut(ROWS * strip);
                add_rows(simd, &found, flat, strip, 0);
                for (row, sums) in out.chunks_exact_mut(columns).zip(flat.chunks_exact(strip)) {
                    for (out, sum) in row[whole..].iter_mut().zip(sums) {
                        *out += sum;
                    }
                }
            }
        }
    }
}

/// Lanes of two vectors on the widest machine.
const MOST_LANES: usize = 32;

/// The last columns of a matrix, if fewer than two vectors, padded with zeros.
struct Narrow {
    values: Vec<f32>,
}

impl Narrow {
    #[inline(always)]
    fn of(b: &[f32], columns: usize, whole: usize, strip: usize) -> Option<Self> {
        if whole == columns {
            return None;
        }
        let mut values = vec![0.0; b.len() / columns * strip];
        for (to, from) in values.chunks_exact_mut(strip).zip(b.chunks_exact(columns)) {
            to[..columns - whole].copy_from_slice(&from[whole..]);
        }
        Some(Self { values })
    }
}

#[inline(always)]
fn terms<'b>(
    packed: &[[f32; ROWS]],
    b: &'b [f32],
    columns: usize,
) -> impl Iterator<Item = ([f32; ROWS], &'b [f32])> {
    packed.iter().copied().zip(b.chunks_exact(columns))
}

/// Sums of `a * b` over all terms, for [`ROWS`] rows and for two vectors of columns from `strip` on.
#[inline(always)]
pub(crate) fn accumulate<'b, S: Simd>(
    simd: S,
    terms: impl Iterator<Item = ([f32; ROWS], &'b [f32])>,
    strip: usize,
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
    for (a, b) in terms {
        let (b, _) = S::as_simd_f32s(&b[strip..strip + 2 * S::F32_LANES]);
        let (low, high) = (b[0], b[1]);
        for (sum, a) in sums.iter_mut().zip(a) {
            let a = simd.splat_f32s(a);
            sum[0] = simd.mul_add_e_f32s(a, low, sum[0]);
            sum[1] = simd.mul_add_e_f32s(a, high, sum[1]);
        }
    }
    sums
}

/// Adds those sums to rows of `width` values.
#[inline(always)]
pub(crate) fn add_rows<S: Simd>(
    simd: S,
    sums: &[[S::f32s; 2]; ROWS],
    out: &mut [f32],
    width: usize,
    strip: usize,
) {
    for (sum, row) in sums.iter().zip(out.chunks_exact_mut(width)) {
        let (row, _) = S::as_mut_simd_f32s(&mut row[strip..strip + 2 * S::F32_LANES]);
        row[0] = simd.add_f32s(row[0], sum[0]);
        row[1] = simd.add_f32s(row[1], sum[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, random};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_sums_written_out(m in 1usize..20, k in 1usize..40, n in 1usize..80, turned: bool) {
            let (a, b) = (random(m * k, 1), random(k * n, 2));
            let mut out = random(m * n, 3);
            let mut expected = out.clone();
            let mut columns = vec![0.0; m * k];
            transpose(Matrix::new(&a, k), &mut columns);
            for (at, out) in expected.iter_mut().enumerate() {
                *out += (0..k).map(|i| a[at / n * k + i] * b[i * n + at % n]).sum::<f32>();
            }
            let left = if turned { Matrix::new(&columns, m).transposed() } else { Matrix::new(&a, k) };
            add_product(left, &b, &mut out);
            close(&out, &expected, 1e-4);
        }

        #[test]
        fn of_some_columns_equals_that_of_a_copy_of_them(m in 1usize..20, k in 2usize..40, n in 1usize..80, from in 0usize..40, turned: bool) {
            let (a, b) = (random(m * k, 1), random(k * n, 2));
            let part = from % k..k;
            let copy: Vec<f32> = a.chunks_exact(k).flat_map(|row| &row[part.clone()]).copied().collect();
            let b = &b[part.start * n..];
            let mut columns = vec![0.0; m * k];
            transpose(Matrix::new(&a, k), &mut columns);
            let whole = if turned { Matrix::new(&columns, m).transposed() } else { Matrix::new(&a, k) };
            let (mut found, mut expected) = (vec![0.0; m * n], vec![0.0; m * n]);
            add_product(whole.part(part.clone()), b, &mut found);
            add_product(Matrix::new(&copy, part.len()), b, &mut expected);
            prop_assert_eq!(found, expected);
        }
    }
}
