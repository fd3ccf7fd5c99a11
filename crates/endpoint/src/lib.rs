//! Asks a causal language model which titles of a click history do not belong: the semantic prior of
//! DC4SR ([paper](https://arxiv.org/abs/2604.24048)) for those who have a model larger than the built-in
//! one, behind any endpoint of the completions interface that vLLM, `SGLang` and llama-cpp-python serve.
//!
//! The model reads the titles of a history and is asked which of them are noise. Its answer is forced up
//! to `Noise Items: "`, and a title's score is the mean log-probability of its tokens at that place.
//! Scores of different histories cannot be compared, so [`Endpoint::judge`] gives each title the
//! percentile of its score among those of its history. [`sft`] writes labelled histories as the set
//! such a model is fine-tuned with, in the words that it is asked in afterwards.
//!
//! Where we differ from the paper: titles are quoted and escaped so that every title can be told from
//! its surroundings, equal titles share a percentile, and the tokens that count are those that hold any
//! character of the title, because a tokeniser may join its ends with the quotes.
//!
//! This crate knows titles, not datasets. What the server answers is kept in a file
//! ([`Settings::cache`]), so nothing is asked twice.

mod align;
mod answer;
mod ask;
mod cache;
mod check;
mod client;
mod endpoint;
mod error;
mod http;
mod pace;
mod percentile;
mod prompt;
mod settings;
pub mod sft;
mod title;

pub use endpoint::{Endpoint, Progress};
pub use error::{EndpointError, Trouble};
pub use prompt::Template;
pub use settings::Settings;
pub use title::MAX_TITLE_CHARS;
