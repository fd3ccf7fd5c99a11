//! The model on slices, for one history; it ships to browsers.
//!
//! A matrix is a slice of rows: one row per click, the latest click last. There is no batch and no padding.
//! The arithmetic is that of `ingle-kernel`, which also trains. The contract tests compare every method with
//! its tensors.

mod block;
mod clicks;
mod items;
mod linear;
mod norm;
mod rows;
mod source;

pub(crate) use block::Block;
pub(crate) use clicks::{Clicks, NoiseLogits, others};
pub(crate) use items::Items;
pub(crate) use linear::Linear;
pub(crate) use norm::Norm;
pub use rows::Rows;
pub(crate) use source::Source;
