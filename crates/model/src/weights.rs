//! Named parameters of a module, as a bundle stores them.

#[cfg(feature = "burn")]
mod modules;

#[cfg(feature = "burn")]
pub use modules::{collect, load};

use ingle_bundle::Tensor as Weight;
use std::collections::BTreeMap;

/// Named weights; names are module paths such as `backbone.blocks.0.widen.weight`.
pub type Weights = BTreeMap<String, Weight>;

/// Name of the item table, which is stored in files of its own.
pub const ITEM_TABLE: &str = "backbone.items";

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
