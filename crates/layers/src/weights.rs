//! Named weights.

use ingle_bundle::Tensor as Weight;
use std::collections::BTreeMap;

/// Named weights; names are module paths such as `backbone.blocks.0.widen.weight`.
pub type Weights = BTreeMap<String, Weight>;

/// Takes the weight of that name out of the others.
///
/// # Errors
/// If it is missing or has another shape.
pub fn take(weights: &mut Weights, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
    let Some(weight) = weights.remove(name) else {
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

/// The weights do not fit the module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// A parameter has no weight.
    #[error("the weights have no tensor {0}; the model's configuration asks for it")]
    Missing(String),
    /// A weight has the wrong shape.
    #[error("tensor {name} is {found:?}, but the model's configuration makes it {expected:?}")]
    Shape {
        /// Module path.
        name: String,
        /// Shape of the weight given.
        found: Vec<usize>,
        /// Shape of the parameter.
        expected: Vec<usize>,
    },
}
