//! Builds a table from its blocks.

use super::{ItemTable, TableValues};
use crate::TableType;

impl ItemTable {
    /// An empty table to [`append`](Self::append) blocks to.
    pub(crate) fn empty(width: usize, dtype: TableType) -> Self {
        let values = match dtype {
            TableType::Int8 => TableValues::Int8 {
                values: Vec::new(),
                scales: Vec::new(),
            },
            TableType::F16 => TableValues::F16(Vec::new()),
            TableType::F32 => TableValues::F32(Vec::new()),
        };
        Self {
            rows: 0,
            width,
            values,
        }
    }

    /// Reserves memory for this many rows at once: a table that grows block by block would need twice its size
    /// meanwhile, and a browser never returns that memory. If the allocation fails, the table grows as it can.
    pub(crate) fn reserve(&mut self, rows: usize) {
        let count = rows.saturating_mul(self.width);
        let _ = match &mut self.values {
            TableValues::Int8 { values, scales } => {
                (scales.try_reserve_exact(rows)).and_then(|()| values.try_reserve_exact(count))
            }
            TableValues::F16(bits) => bits.try_reserve_exact(count),
            TableValues::F32(values) => values.try_reserve_exact(count),
        };
    }

    /// Appends the rows of a block with the same width and type.
    pub(crate) fn append(&mut self, block: Self) {
        debug_assert_eq!(self.width, block.width);
        match (&mut self.values, block.values) {
            (
                TableValues::Int8 { values, scales },
                TableValues::Int8 {
                    values: more_values,
                    scales: more_scales,
                },
            ) => {
                values.extend(more_values);
                scales.extend(more_scales);
            }
            (TableValues::F16(bits), TableValues::F16(more)) => bits.extend(more),
            (TableValues::F32(values), TableValues::F32(more)) => values.extend(more),
            _ => unreachable!("blocks are read as the table's type"),
        }
        self.rows += block.rows;
    }
}
