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

impl<'a> Rows<'a> {
    /// A matrix that is stored as it is read.
    pub(crate) fn of(values: &'a [f32], columns: usize) -> Self {
        Self {
            columns,
            values: values.into(),
        }
    }
}
