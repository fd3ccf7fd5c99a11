//! Weights by name, from which a model is built.

use crate::weights::{Weights, WeightsError};

/// The weights that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Source {
    weights: Weights,
}

impl Source {
    pub(crate) fn new(weights: Weights) -> Self {
        Self { weights }
    }

    /// Takes the weight of that name.
    ///
    /// # Errors
    /// If it is missing or has another shape.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let Some(weight) = self.weights.remove(name) else {
            return Err(WeightsError::Missing(name.to_owned()));
        };
        if weight.shape != shape {
            return Err(WeightsError::Shape {
                name: name.to_owned(),
                found: weight.shape,
                expected: shape.to_vec(),
            });
        }
        Ok(weight.data)
    }
}
