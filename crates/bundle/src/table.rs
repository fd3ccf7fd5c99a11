//! The item table: one row of numbers per item, as stored.
//!
//! Most of a bundle is this table, so it is quantised: a row has one signed byte per value and one scale, the row's
//! largest magnitude divided by 127. This takes a quarter of the size of `f32` and changes no value by more than half
//! a scale. Each row has its own scale because the lengths of item embeddings depend on popularity. Half and single
//! precision are available for comparison.

mod blocks;

use half::f16;

use crate::{BundleError, TableType};

/// Largest magnitude of a quantised value; -128 is never written, so that the range is symmetric.
const LEVELS: f32 = 127.0;
/// Rows with no larger magnitude are stored as zero: their scale would be subnormal and lose precision.
const TINY: f32 = LEVELS * f32::MIN_POSITIVE;

/// One row of numbers per item, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemTable {
    /// Number of items.
    pub rows: usize,
    /// Values per row.
    pub width: usize,
    /// The stored values, row-major.
    pub values: TableValues,
}

/// Stored values of an item table, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum TableValues {
    /// Each value times its row's scale.
    Int8 {
        /// The quantised values.
        values: Vec<i8>,
        /// One scale per row.
        scales: Vec<f32>,
    },
    /// The bits of IEEE half-precision numbers.
    F16(Vec<u16>),
    /// Single-precision numbers.
    F32(Vec<f32>),
}

impl ItemTable {
    /// Quantises a table of `width` columns to bytes: symmetric, one scale per row. A row of zeros has scale 0. A row
    /// with a value that is not finite gets a scale that is not finite, so that writing the table fails.
    ///
    /// # Panics
    /// If the length of `table` is not a multiple of `width`.
    pub fn quantize(table: &[f32], width: usize) -> Self {
        let rows = count_rows(table, width);
        let mut values = Vec::with_capacity(table.len());
        let mut scales = Vec::with_capacity(rows);
        for row in table.chunks_exact(width) {
            let scale = scale_of(row);
            scales.push(scale);
            if scale > 0.0 {
                values.extend(row.iter().map(|x| quantize_value(*x, scale)));
            } else {
                values.resize(values.len() + width, 0);
            }
        }
        Self {
            rows,
            width,
            values: TableValues::Int8 { values, scales },
        }
    }

    /// A table of `width` columns rounded to half precision.
    ///
    /// # Panics
    /// If the length of `table` is not a multiple of `width`.
    pub fn f16(table: &[f32], width: usize) -> Self {
        Self {
            rows: count_rows(table, width),
            width,
            values: TableValues::F16(table.iter().map(|x| f16::from_f32(*x).to_bits()).collect()),
        }
    }

    /// A table of `width` columns in single precision.
    ///
    /// # Panics
    /// If the length of `table` is not a multiple of `width`.
    pub fn f32(table: Vec<f32>, width: usize) -> Self {
        Self {
            rows: count_rows(&table, width),
            width,
            values: TableValues::F32(table),
        }
    }

    /// How the values are stored.
    pub fn dtype(&self) -> TableType {
        match self.values {
            TableValues::Int8 { .. } => TableType::Int8,
            TableValues::F16(_) => TableType::F16,
            TableValues::F32(_) => TableType::F32,
        }
    }

    /// The whole table in single precision, row-major.
    pub fn dequantize(&self) -> Vec<f32> {
        match &self.values {
            TableValues::Int8 { values, scales } => values
                .chunks(self.width.max(1))
                .zip(scales)
                .flat_map(|(row, scale)| row.iter().map(move |q| f32::from(*q) * scale))
                .collect(),
            TableValues::F16(bits) => bits.iter().map(|b| f16::from_bits(*b).to_f32()).collect(),
            TableValues::F32(values) => values.clone(),
        }
    }

    /// Writes row `row` to `out` in single precision.
    ///
    /// # Panics
    /// If there is no such row, or the length of `out` is not `width`.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert_eq!(out.len(), self.width, "a row has {} values", self.width);
        let span = row * self.width..(row + 1) * self.width;
        match &self.values {
            TableValues::Int8 { values, scales } => {
                for (out, q) in out.iter_mut().zip(&values[span]) {
                    *out = f32::from(*q) * scales[row];
                }
            }
            TableValues::F16(bits) => {
                for (out, b) in out.iter_mut().zip(&bits[span]) {
                    *out = f16::from_bits(*b).to_f32();
                }
            }
            TableValues::F32(values) => out.copy_from_slice(&values[span]),
        }
    }

    /// Bound on the difference between a stored value of this row and the original: half a scale for bytes, half a
    /// unit in the last place for half precision, 0 for single precision; plus the rounding of the arithmetic.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn error_bound(&self, row: usize) -> f32 {
        match &self.values {
            TableValues::Int8 { scales, .. } if scales[row] > 0.0 => {
                scales[row] * (0.5 + LEVELS * f32::EPSILON)
            }
            TableValues::Int8 { .. } => TINY,
            TableValues::F16(bits) => {
                let largest = bits[row * self.width..(row + 1) * self.width]
                    .iter()
                    .map(|b| f16::from_bits(*b).to_f32().abs())
                    .fold(0.0, f32::max);
                // 11 significant bits, and subnormal steps of 2^-24.
                (largest / 2048.0).max(2.0_f32.powi(-25))
            }
            TableValues::F32(_) => 0.0,
        }
    }

    /// Checks that the table has the size it states and that all numbers are finite.
    pub(crate) fn check(&self, file: &str) -> Result<(), BundleError> {
        let (stored, finite) = match &self.values {
            TableValues::Int8 { values, scales } => {
                check_scales(file, self.rows, scales)?;
                (values.len(), true)
            }
            TableValues::F16(bits) => (
                bits.len(),
                bits.iter().all(|b| f16::from_bits(*b).is_finite()),
            ),
            TableValues::F32(values) => (values.len(), values.iter().all(|x| x.is_finite())),
        };
        if self.rows.checked_mul(self.width) != Some(stored) {
            return Err(BundleError::tensor(
                file,
                format!(
                    "{stored} values are not {} rows of {}",
                    self.rows, self.width
                ),
            ));
        }
        if !finite {
            return Err(BundleError::tensor(
                file,
                "the item table holds a value that is not finite; train again",
            ));
        }
        Ok(())
    }
}

fn count_rows(table: &[f32], width: usize) -> usize {
    assert!(width > 0, "an item table has at least one column");
    assert_eq!(table.len() % width, 0, "rows have {width} values each");
    table.len() / width
}

fn scale_of(row: &[f32]) -> f32 {
    if row.iter().any(|x| !x.is_finite()) {
        return f32::NAN;
    }
    let largest = row.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    if largest <= TINY {
        0.0
    } else {
        largest / LEVELS
    }
}

fn quantize_value(x: f32, scale: f32) -> i8 {
    (x / scale).round().clamp(-LEVELS, LEVELS) as i8
}

fn check_scales(file: &str, rows: usize, scales: &[f32]) -> Result<(), BundleError> {
    if scales.len() != rows {
        return Err(BundleError::tensor(
            file,
            format!(
                "{} scales are not one for each of {rows} rows",
                scales.len()
            ),
        ));
    }
    // The product with 128 must be finite too.
    let bad = |scale: &f32| !(0.0..=f32::MAX / 128.0).contains(scale);
    match scales.iter().position(bad) {
        None => Ok(()),
        Some(row) => Err(BundleError::tensor(
            file,
            format!(
                "the scale of row {row} is {}: scales are finite, not negative and below 2^121; train again",
                scales[row]
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows of all magnitudes, from zero to the largest that can be stored.
    fn tables() -> impl Strategy<Value = (Vec<f32>, usize)> {
        let value = (-1.0_f32..=1.0, -40_i32..=36).prop_map(|(x, e)| x * 10.0_f32.powi(e));
        (1_usize..9, 0_usize..12).prop_flat_map(move |(width, rows)| {
            (
                proptest::collection::vec(value.clone(), width * rows),
                Just(width),
            )
        })
    }

    /// Numbers in the range of half precision.
    fn half_tables() -> impl Strategy<Value = (Vec<f32>, usize)> {
        let value = (-1.0_f32..=1.0, -9_i32..=4).prop_map(|(x, e)| x * 10.0_f32.powi(e));
        (1_usize..9, 0_usize..12).prop_flat_map(move |(width, rows)| {
            (
                proptest::collection::vec(value.clone(), width * rows),
                Just(width),
            )
        })
    }

    fn assert_within_bound(table: &ItemTable, exact: &[f32]) {
        let mut row = vec![0.0; table.width];
        for (r, exact) in exact.chunks(table.width).enumerate() {
            table.row(r, &mut row);
            for (stored, exact) in row.iter().zip(exact) {
                let error = (f64::from(*stored) - f64::from(*exact)).abs();
                let bound = f64::from(table.error_bound(r));
                assert!(
                    error <= bound,
                    "row {r}: {exact} became {stored}, bound {bound}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn bytes_stay_within_half_a_scale((exact, width) in tables()) {
            let table = ItemTable::quantize(&exact, width);
            assert_within_bound(&table, &exact);
            table.check("table").unwrap();
        }

        #[test]
        fn half_precision_stays_within_its_bound((exact, width) in half_tables()) {
            let table = ItemTable::f16(&exact, width);
            assert_within_bound(&table, &exact);
            table.check("table").unwrap();
        }

        #[test]
        fn single_precision_changes_nothing((exact, width) in tables()) {
            let table = ItemTable::f32(exact.clone(), width);
            prop_assert_eq!(table.dequantize(), exact);
        }

        #[test]
        fn rows_are_what_the_whole_table_holds((exact, width) in half_tables()) {
            for table in [
                ItemTable::quantize(&exact, width),
                ItemTable::f16(&exact, width),
                ItemTable::f32(exact.clone(), width),
            ] {
                let mut row = vec![0.0; width];
                for (r, whole) in table.dequantize().chunks(width).enumerate() {
                    table.row(r, &mut row);
                    prop_assert_eq!(&row[..], whole);
                }
            }
        }
    }

    #[test]
    fn the_largest_magnitude_of_a_row_is_kept_and_the_range_symmetric() {
        let table = ItemTable::quantize(&[-2.0, 1.0, 2.0, 0.0, 0.5, -0.25], 3);
        let TableValues::Int8 { values, scales } = &table.values else {
            panic!("not bytes");
        };
        assert_eq!(values, &[-127, 64, 127, 0, 127, -64]);
        assert_eq!(scales, &[2.0 / 127.0, 0.5 / 127.0]);
    }

    #[test]
    fn a_row_of_zeros_has_scale_zero_and_stays_zero() {
        let table = ItemTable::quantize(&[0.0, -0.0, 1e-40, 3.0], 2);
        let TableValues::Int8 { scales, .. } = &table.values else {
            panic!("not bytes");
        };
        assert_eq!(scales[0].to_bits(), 0);
        assert_eq!(table.dequantize()[..2], [0.0, 0.0]);
    }

    #[test]
    fn a_value_that_is_no_number_is_not_stored_as_one() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for table in [
                ItemTable::quantize(&[1.0, bad], 2),
                ItemTable::f16(&[1.0, bad], 2),
                ItemTable::f32(vec![1.0, bad], 2),
            ] {
                let error = table.check("table").unwrap_err();
                assert_eq!(
                    error.code(),
                    "bundle/tensor",
                    "{bad} as {:?}",
                    table.dtype()
                );
            }
        }
    }
}
