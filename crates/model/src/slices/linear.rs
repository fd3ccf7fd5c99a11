//! Linear layers.

use super::{Rows, Source};
use crate::weights::WeightsError;
use ingle_kernel::product::{Matrix, add_product};
use ingle_kernel::vector::fill_rows;

/// `x · weight + bias`.
#[derive(Debug)]
pub(crate) struct Linear {
    /// `[input, output]`
    weight: Vec<f32>,
    /// `[output]`
    bias: Vec<f32>,
}

impl Linear {
    pub(crate) fn read(
        source: &mut Source,
        path: &str,
        [input, output]: [usize; 2],
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: source.take(&format!("{path}.weight"), &[input, output])?,
            bias: source.take(&format!("{path}.bias"), &[output])?,
        })
    }

    /// Weight and bias.
    pub(super) fn rows(&self) -> [Rows<'_>; 2] {
        let columns = self.bias.len();
        [&self.weight, &self.bias].map(|values| Rows { columns, values })
    }

    /// # Shapes
    /// - `x`: `[rows, input]`
    /// - output: `[rows, output]`
    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let output = self.bias.len();
        let input = self.weight.len() / output;
        let mut out = vec![0.0; x.len() / input * output];
        fill_rows(&mut out, &self.bias);
        add_product(Matrix::new(x, input), &self.weight, &mut out);
        out
    }
}
