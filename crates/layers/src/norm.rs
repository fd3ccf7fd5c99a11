//! Layer normalisation.

use super::{Parameters, Place, Values};
use ingle_kernel::norm;
pub use ingle_kernel::norm::Tape as NormTape;

/// Layer normalisation of rows ([Layer Normalization](https://arxiv.org/abs/1607.06450)).
#[derive(Clone, Debug)]
pub struct Norm {
    /// Factors, `[width]`.
    pub gamma: Place,
    /// Offsets, `[width]`.
    pub beta: Place,
}

impl Norm {
    /// Factors and offsets.
    pub fn places(&self) -> [&Place; 2] {
        [&self.gamma, &self.beta]
    }

    /// `[rows, width]` to the same.
    pub fn infer(&self, parameters: &Parameters, x: &[f32]) -> Vec<f32> {
        norm::forward(x, parameters.get(&self.gamma), parameters.get(&self.beta)).0
    }

    /// The same for training.
    pub fn forward(&self, values: &Values<'_>, x: &[f32]) -> (Vec<f32>, NormTape) {
        norm::forward(x, values.get(&self.gamma), values.get(&self.beta))
    }

    /// Adds the gradients of factors and offsets to `gradient` and that of the input to `x`.
    ///
    /// # Shapes
    /// - `out`: gradient of the output, `[rows, width]`
    /// - `x`: `[rows, width]`
    pub fn backward(
        &self,
        values: &Values<'_>,
        tape: &NormTape,
        out: &[f32],
        x: &mut [f32],
        gradient: &mut [f32],
    ) {
        let gamma = values.get(&self.gamma);
        let both = &mut gradient[self.gamma.range().start..self.beta.range().end];
        let (gamma_gradient, beta_gradient) = both.split_at_mut(gamma.len());
        norm::backward(tape, gamma, out, x, [gamma_gradient, beta_gradient]);
    }
}
