//! Layer normalisation.

use super::{Rows, Source};
use crate::weights::WeightsError;
use ingle_kernel::norm;

/// Factor and offset, each `[width]`.
#[derive(Debug)]
pub(crate) struct Norm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl Norm {
    pub(crate) fn read(
        source: &mut Source,
        path: &str,
        width: usize,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            gamma: source.take(&format!("{path}.gamma"), &[width])?,
            beta: source.take(&format!("{path}.beta"), &[width])?,
        })
    }

    /// Factor and offset.
    pub(crate) fn rows(&self) -> [Rows<'_>; 2] {
        let columns = self.gamma.len();
        [&self.gamma, &self.beta].map(|values| Rows::of(values, columns))
    }

    /// `[rows, width]` to the same.
    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        norm::forward(x, &self.gamma, &self.beta).0
    }
}
