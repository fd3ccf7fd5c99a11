//! Linear layers.

use super::{Parameters, Place, Values};
use ingle_kernel::product::{Matrix, add_product};
use ingle_kernel::vector;

/// `x · weight + bias`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[input, output]`
    pub weight: Place,
    /// `[output]`
    pub bias: Place,
    pub(crate) input: usize,
    pub(crate) output: usize,
}

impl Linear {
    /// Weight and bias.
    pub fn places(&self) -> [&Place; 2] {
        [&self.weight, &self.bias]
    }

    /// # Shapes
    /// - `x`: `[rows, input]`
    /// - output: `[rows, output]`
    pub fn infer(&self, parameters: &Parameters, x: &[f32]) -> Vec<f32> {
        parameters.dense(self).forward(x)
    }

    /// The same for training.
    pub fn forward(&self, values: &Values<'_>, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / self.input * self.output];
        vector::fill_rows(&mut out, values.get(&self.bias));
        let weight = values.get(&self.weight);
        add_product(Matrix::new(x, self.input), weight, &mut out);
        out
    }

    /// Adds the gradients of weight and bias to `gradient` and that of the input to `x_gradient`.
    ///
    /// # Shapes
    /// - `x`, `x_gradient`: `[rows, input]`
    /// - `out`: gradient of the output, `[rows, output]`
    pub fn backward(
        &self,
        values: &Values<'_>,
        x: &[f32],
        out: &[f32],
        x_gradient: &mut [f32],
        gradient: &mut [f32],
    ) {
        self.backward_of_weights(x, out, gradient);
        let turned = values.turned(self);
        add_product(Matrix::new(out, self.output), turned, x_gradient);
    }

    /// Adds the gradients of weight and bias alone.
    pub(crate) fn backward_of_weights(&self, x: &[f32], out: &[f32], gradient: &mut [f32]) {
        let columns = Matrix::new(x, self.input).transposed();
        add_product(columns, out, self.weight.of(gradient));
        vector::add_rows(self.bias.of(gradient), out);
    }
}
