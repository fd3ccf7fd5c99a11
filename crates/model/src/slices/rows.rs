//! Weights as they lie in memory.

/// A matrix, row by row; a vector is one row.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Values in a row.
    pub columns: usize,
    /// `[rows, columns]`
    pub values: &'a [f32],
}
