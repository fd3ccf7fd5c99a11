//! Arithmetic of encoders over item embeddings, forward and backward, on slices of `f32`. There is one file
//! per operation; each uses the widest vectors of the machine it runs on, chosen at run time. Nothing here
//! allocates tensors, draws random numbers or starts threads.
//!
//! A matrix is a slice of rows. Gradients are added to their outputs, unless stated otherwise.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into a dispatched function is compiled for the oldest machine there is"
)]

pub mod attention;
pub mod dense;
mod exp;
pub mod gelu;
pub mod gru;
pub mod norm;
pub mod product;
pub mod scan;
pub mod softmax;
pub mod vector;

#[cfg(test)]
mod testing;
