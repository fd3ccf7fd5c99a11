//! A causal Transformer, `SASRec`
//! ([Self-Attentive Sequential Recommendation](https://arxiv.org/abs/1808.09781)).
//!
//! Where we differ: blocks normalise before each sub-layer rather than after, the feed-forward
//! layer is wider than the hidden state and uses GELU, and training uses the full softmax over
//! the catalogue instead of one sampled negative. Positions count back from the latest click, so
//! more padding changes nothing. What a click keeps scales its embedding; its position stays.

mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub(crate) use slices::Shipped;
#[cfg(feature = "burn")]
pub use tensors::{Block, Sasrec};
