//! A causal Transformer, `SASRec` ([Self-Attentive Sequential
//! Recommendation](https://arxiv.org/abs/1808.09781)).
//!
//! Differences: blocks normalise before each sub-layer instead of after it, the feed-forward layer is wider
//! than the hidden state and uses GELU, and training uses the full softmax over the catalogue instead of one
//! sampled negative. Positions are counted back from the latest click, so that padding does not change the
//! result. A click's keep weight scales its embedding but not its position.

mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use slices::{Layers, Tape};
#[cfg(feature = "burn")]
pub use tensors::{Block, Sasrec};
