//! Named parameters of a module, as a bundle stores them.

#[cfg(feature = "burn")]
mod modules;

#[cfg(feature = "burn")]
pub use modules::{collect, load};

pub use ingle_layers::{Weights, WeightsError};

/// Name of the item table, which is stored in files of its own.
pub const ITEM_TABLE: &str = "backbone.items";
