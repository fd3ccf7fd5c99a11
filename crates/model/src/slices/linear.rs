//! Linear layers.

use super::{Rows, Source};
use crate::weights::WeightsError;
use ingle_kernel::dense::Dense;
use std::borrow::Cow;

/// `x · weight + bias`.
#[derive(Debug)]
pub(crate) struct Linear {
    dense: Dense,
}

impl Linear {
    pub(crate) fn read(
        source: &mut Source,
        path: &str,
        [input, output]: [usize; 2],
    ) -> Result<Self, WeightsError> {
        let weight = source.take(&format!("{path}.weight"), &[input, output])?;
        let bias = source.take(&format!("{path}.bias"), &[output])?;
        Ok(Self {
            dense: Dense::new(&weight, &bias),
        })
    }

    /// Weight and bias.
    pub(crate) fn rows(&self) -> [Rows<'_>; 2] {
        let bias = self.dense.bias();
        let columns = bias.len();
        [Cow::Owned(self.dense.weight()), Cow::Borrowed(bias)]
            .map(|values| Rows { columns, values })
    }

    /// # Shapes
    /// - `x`: `[rows, input]`
    /// - output: `[rows, output]`
    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        self.dense.forward(x)
    }
}
