//! A recurrent network, `GRU4Rec` ([Session-based Recommendations with Recurrent Neural
//! Networks](https://arxiv.org/abs/1511.06939)): layers of gated recurrent units ([Cho et al.,
//! 2014](https://arxiv.org/abs/1406.1078)), one step per click.
//!
//! Differences: the item table is tied to the output, after a layer normalisation. Training uses the full
//! softmax over the catalogue instead of a ranking loss over the items of a batch ([the authors' later
//! paper](https://arxiv.org/abs/1706.03847) improves on that with more negatives and other losses). Dropout is
//! applied to a layer's input, never to its recurrent state ([Zaremba et al.,
//! 2014](https://arxiv.org/abs/1409.2329)). The units are `PyTorch`'s: the reset gate multiplies the state after
//! its linear layer.
//!
//! A click's keep weight scales the update of each layer's state; the embedding is not scaled. This is the
//! attentional update gate of [DIEN](https://arxiv.org/abs/1809.03672). With weight 0 the state does not change,
//! as if the click were missing; padding has weight 0. With weight one half the state moves half as far.

mod slices;
#[cfg(feature = "burn")]
mod tensors;

pub use slices::{Layers, Tape};
#[cfg(feature = "burn")]
pub use tensors::Gru4rec;
