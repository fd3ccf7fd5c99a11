//! A BERT-class language model on Burn ([Devlin et al., 2019](https://arxiv.org/abs/1810.04805)), loaded from a
//! folder in Hugging Face's formats, with two uses: sentence embeddings, and a noise logit for each title of a
//! window.
//!
//! [`LanguageModel`] is the folder: configuration, tokeniser, weights. [`sentence`] pools the hidden states of a text
//! ([Reimers and Gurevych, 2019](https://arxiv.org/abs/1908.10084)). [`judge`] gives each title of a window a noise
//! logit: the lower layers read every title alone and only once ([`title`]), and the last layers read the whole
//! window ([`window`]). Trained are low-rank adapters ([Hu et al., 2021](https://arxiv.org/abs/2106.09685)) and a
//! linear head; the loaded weights are frozen.
//!
//! The crate has no notion of users, clicks or datasets: its input is titles and labels. It starts no threads. All
//! random draws come from [`ingle_model::Rng`].
#![recursion_limit = "256"]

pub mod adapter;
mod attention;
pub mod config;
pub mod encoder;
pub mod error;
pub mod folder;
mod gelu;
pub mod head;
pub mod judge;
pub mod sentence;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod title;
pub mod tokens;
pub mod window;

pub use config::EncoderConfig;
pub use encoder::Encoder;
pub use error::LmError;
pub use folder::LanguageModel;
pub use judge::{TitleScorer, Tuning};
pub use title::Title;
pub use tokens::Tokens;
pub use window::{Window, Windows};
