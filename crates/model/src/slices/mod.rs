//! The model without tensors: what ships to the browser's CPU, on plain slices of one history.
//!
//! A matrix is a slice of rows, a click a row, the latest click the last. There is no batch and no
//! padding. The arithmetic is `ingle-kernel`'s, the same that trains; answers equal those of the model on
//! tensors, which the contract tests hold it to for every method.

mod block;
mod clicks;
mod items;
mod linear;
mod norm;
mod rows;
mod source;

pub(crate) use block::Block;
pub(crate) use clicks::{Clicks, Opinion, others};
pub(crate) use items::Items;
pub(crate) use linear::Linear;
pub(crate) use norm::Norm;
pub use rows::Rows;
pub(crate) use source::Source;
