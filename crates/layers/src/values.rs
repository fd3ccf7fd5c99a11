//! The values of a network's parameters for training.

use super::{Linear, Place, Places};
use ingle_kernel::product::{Matrix, transpose};
use std::ops::Range;

/// All parameters in one vector. Gradients are vectors of the same layout.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The parameters.
    pub values: &'a [f32],
    /// The same with the weights of every linear layer transposed, for the backward pass.
    pub transposed: &'a [f32],
}

impl Values<'_> {
    /// The values of a parameter.
    pub fn get(&self, place: &Place) -> &[f32] {
        &self.values[place.range.clone()]
    }

    /// A linear layer's weight, transposed.
    pub(crate) fn turned(&self, linear: &Linear) -> &[f32] {
        &self.transposed[linear.weight.range.clone()]
    }
}

impl Places {
    /// All parameters with the weights of every linear layer transposed, `[output, input]`.
    pub fn transposed(&self, values: &[f32]) -> Vec<f32> {
        let mut turned = values.to_vec();
        for parameter in self.each.iter().filter(|parameter| parameter.dense) {
            let place = parameter.range.clone();
            let weight = Matrix::new(&values[place.clone()], parameter.shape[1]);
            transpose(weight, &mut turned[place]);
        }
        turned
    }
}

impl Place {
    /// The parameter's part of a gradient.
    pub fn of<'a>(&self, gradient: &'a mut [f32]) -> &'a mut [f32] {
        &mut gradient[self.range.clone()]
    }

    pub(crate) fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}
