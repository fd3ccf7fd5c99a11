//! How the item table lies on the GPU.
//!
//! Rows come in tiles of 2,048. A thread of the pass scores 32 rows of a tile, 64 apart from each other, so that
//! threads side by side read what lies side by side: of 64 rows first all their first 16 bytes, then all their
//! next. Rows are filled up with zeros to whole pieces of 16 bytes, and the table to whole tiles.

use ingle_bundle::{ItemTable, TableValues};

/// Rows of a tile.
pub(crate) const TILE: usize = 2048;
/// Rows that lie together, and threads of a workgroup.
pub(crate) const LANES: usize = 64;
/// Bytes that a thread reads at once.
const PIECE: usize = 16;
/// What makes an integer of what `unpack4x8snorm` makes of a byte.
const SNORM: f32 = 127.0;

/// A table as the GPU holds it.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Rows, filled up to whole tiles.
    pub(crate) rows: usize,
    /// Pieces of a row.
    pub(crate) columns: usize,
    /// Whether values are bytes; else they are floats.
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

    /// Bytes of the whole table.
    pub(crate) fn size(&self) -> u64 {
        (self.rows * self.columns * PIECE) as u64
    }

    /// Values that the vector is filled up to.
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

    /// What the sum over a row's pieces is multiplied by to become an inner product, `[rows]`; not a number
    /// for a row that is not made of numbers.
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

    /// What a thread of the pass adds up of a row.
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
