//! The model on slices, for one history; it ships to browsers.
//!
//! A matrix is a slice of rows: one row per click, the latest click last. There is no batch and no padding.
//! Layers are those of `ingle-layers`, which are also trained. The contract tests compare every method with
//! its tensors.

mod clicks;
mod items;

pub(crate) use clicks::{Clicks, NoiseLogits, others};
pub(crate) use items::Items;
