//! Several histories, one after the other, and dropout.

use ingle_kernel::vector;
use std::ops::Range;

/// Numbers of clicks of concatenated histories.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// Clicks of each history.
    pub lengths: Vec<usize>,
}

impl Packed {
    /// The range of each history's clicks.
    pub fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.lengths.iter().scan(0, |end, &length| {
            *end += length;
            Some(*end - length..*end)
        })
    }

    /// Number of clicks.
    pub fn clicks(&self) -> usize {
        self.lengths.iter().sum()
    }
}

/// Inverted dropout.
pub trait Dropout {
    /// A mask of 0 and `1 / (1 - rate)`; empty for no dropout.
    fn mask(&mut self, count: usize) -> Vec<f32>;

    /// Applies dropout in place and returns the mask.
    fn apply(&mut self, x: &mut [f32]) -> Vec<f32> {
        let mask = self.mask(x.len());
        drop_again(x, &mask);
        mask
    }
}

/// Multiplies by a mask, if there is one: the backward pass of dropout.
pub fn drop_again(x: &mut [f32], mask: &[f32]) {
    if !mask.is_empty() {
        vector::multiply(x, mask);
    }
}
