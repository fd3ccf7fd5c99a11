//! Layers on slices, without padding: one row per click, the latest click last.
//!
//! A layer knows the names and places of its parameters, not their values. It has up to three passes:
//! - `infer`, for one history, over [`Parameters`];
//! - `forward`, for several histories ([`Packed`]), over [`Values`]; it returns a tape;
//! - `backward`, from the tape and the gradient of the output, adds the gradients of its parameters and of its input.
//!
//! `infer` and `forward` without dropout compute the same function. The arithmetic is that of `ingle-kernel`; nothing
//! here draws random numbers or starts threads.

mod block;
mod gru;
mod linear;
mod norm;
mod packed;
mod parameters;
mod places;
mod values;
mod weights;

#[cfg(test)]
mod testing;

pub use block::{Block, BlockTape, Sizes};
pub use gru::{Gru, GruTape, Order};
pub use linear::Linear;
pub use norm::{Norm, NormTape};
pub use packed::{Dropout, Packed, drop_again};
pub use parameters::{Parameters, Rows};
pub use places::{Place, Places};
pub use values::Values;
pub use weights::{Weights, WeightsError, take};
