//! Weights, row by row.

use std::borrow::Cow;

/// A matrix, row by row; a vector is one row.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    /// Values in a row.
    pub columns: usize,
    /// `[rows, columns]`
    pub values: Cow<'a, [f32]>,
}
