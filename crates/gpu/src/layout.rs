//! The item table's layout on the GPU.
//!
//! Rows are stored in tiles of 2,048. A thread scores 32 rows of a tile that are 64 apart, so that neighbouring
//! threads read neighbouring memory: for 64 rows, first the first 16 bytes of each, then the next 16 bytes of each,
//! and so on. Rows are padded with zeros to a multiple of 16 bytes, and the table to whole tiles.

use ingle_bundle::{ItemTable, TableValues};

/// Rows of a tile.
pub(crate) const TILE: usize = 2048;
/// Rows that are interleaved, and threads of a workgroup.
pub(crate) const LANES: usize = 64;
/// Bytes that a thread reads at once.
const PIECE: usize = 16;
/// Factor from the results of `unpack4x8snorm` to integers.
const SNORM: f32 = 127.0;

/// A table's layout.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Rows, padded to whole tiles.
    pub(crate) rows: usize,
    /// Pieces per row.
    pub(crate) columns: usize,
    /// Whether values are bytes; otherwise they are floats.
    pub(crate) bytes: bool,
}

impl Layout {
    pub(crate) fn of(table: &ItemTable) -> Self {
        let bytes = matches!(table.values, TableValues::Int8 { .. });
        let row = if bytes { table.width } else { 4 * table.width };
        Self {
            rows: table.rows.next_multiple_of(TILE).max(TILE),
            columns: row.div_ceil(PIECE),
            bytes,
        }
    }

    /// Size of the whole table in bytes.
    pub(crate) fn size(&self) -> u64 {
        (self.rows * self.columns * PIECE) as u64
    }

    /// Length of the padded vector.
    pub(crate) fn vector(&self) -> usize {
        self.columns * if self.bytes { PIECE } else { PIECE / 4 }
    }

    /// The bytes of one tile.
    pub(crate) fn tile(&self, table: &ItemTable, tile: usize) -> Vec<u8> {
        let mut out = vec![0; TILE * self.columns * PIECE];
        let mut row_bytes = vec![0; self.columns * PIECE];
        let mut floats = vec![0.0; table.width];
        for (at, row) in (tile * TILE..table.rows.min((tile + 1) * TILE)).enumerate() {
            if let TableValues::Int8 { values, .. } = &table.values {
                let values = &values[row * table.width..(row + 1) * table.width];
                row_bytes[..table.width].copy_from_slice(bytemuck::cast_slice(values));
            } else {
                table.row(row, &mut floats);
                row_bytes[..4 * table.width].copy_from_slice(bytemuck::cast_slice(&floats));
            }
            let (block, lane) = (at / LANES, at % LANES);
            for (column, piece) in row_bytes.chunks_exact(PIECE).enumerate() {
                let place = ((block * self.columns + column) * LANES + lane) * PIECE;
                out[place..place + PIECE].copy_from_slice(piece);
            }
        }
        out
    }

    /// Factors `[rows]` from the sums over the pieces of a row to inner products; NaN for a row with values that are
    /// not finite.
    pub(crate) fn factors(&self, table: &ItemTable) -> Vec<f32> {
        let mut factors = vec![0.0; self.rows];
        match &table.values {
            TableValues::Int8 { scales, .. } => {
                for (factor, scale) in factors.iter_mut().zip(scales) {
                    *factor = scale * SNORM;
                }
            }
            TableValues::F16(_) | TableValues::F32(_) => factors[..table.rows].fill(1.0),
        }
        factors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum that a thread of the kernel computes for a row.
    fn product(layout: &Layout, table: &ItemTable, row: usize, vector: &[f32]) -> f32 {
        let tile = layout.tile(table, row / TILE);
        let (block, lane) = (row % TILE / LANES, row % LANES);
        let mut sum = 0.0;
        for column in 0..layout.columns {
            let place = ((block * layout.columns + column) * LANES + lane) * PIECE;
            let piece = &tile[place..place + PIECE];
            if layout.bytes {
                for (at, &byte) in piece.iter().enumerate() {
                    sum += f32::from(byte as i8) / SNORM * vector[column * PIECE + at];
                }
            } else {
                for (at, value) in piece.chunks_exact(4).enumerate() {
                    let value = f32::from_ne_bytes(value.try_into().expect("four bytes"));
                    sum += value * vector[column * 4 + at];
                }
            }
        }
        sum * layout.factors(table)[row]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_row_is_where_its_thread_reads_it(
            width in 1usize..70,
            rows in 1usize..2100,
            seed in 0u32..1000,
            kind in 0usize..3,
        ) {
            let value = |at: usize| ((at as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) % 2001) as f32 / 1000.0 - 1.0;
            let floats: Vec<f32> = (0..rows * width).map(value).collect();
            let table = match kind {
                0 => ItemTable::quantize(&floats, width),
                1 => ItemTable::f16(&floats, width),
                _ => ItemTable::f32(floats, width),
            };
            let layout = Layout::of(&table);
            let mut vector: Vec<f32> = (0..width).map(|at| value(at + 77)).collect();
            vector.resize(layout.vector(), 0.0);
            for row in [0, rows / 2, rows - 1] {
                let mut embedding = vec![0.0; width];
                table.row(row, &mut embedding);
                let due: f32 = embedding.iter().zip(&vector).map(|(a, b)| a * b).sum();
                prop_assert!((product(&layout, &table, row, &vector) - due).abs() < 1e-3);
            }
        }
    }
}
