//! A BERT-class language model on Burn ([Devlin et al., 2019](https://arxiv.org/abs/1810.04805)), read
//! from a folder as Hugging Face keeps one, and two things made with it: embeddings of sentences, and a
//! noise logit for each title of a window.
//!
//! [`LanguageModel`] is the folder: configuration, tokeniser, weights. [`sentence`] pools the hidden
//! states of a text ([Reimers and Gurevych, 2019](https://arxiv.org/abs/1908.10084)). [`judge`] says of each
//! title of a window how likely it does not belong: the lower layers read every title by itself and once
//! ([`title`]), the last ones read the whole window ([`window`]); what it learns are
//! low-rank adapters ([Hu et al., 2021](https://arxiv.org/abs/2106.09685)) and a linear head, while the
//! weights read stay as they are.
//!
//! The crate knows nothing of users, clicks or datasets: it is given titles and labels. It starts no
//! threads of its own. All chance comes from [`ingle_model::Rng`].
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
pub use judge::{Judge, Tuning};
pub use title::Title;
pub use tokens::Tokens;
pub use window::{Window, Windows};
