//! The reader, the language model of DC4SR's semantic prior: it reads the titles of a history's latest clicks together
//! and gives each a noise logit.
//!
//! It is fine-tuned on training histories with replaced clicks, which are labelled ([`fit`]), and then scores every
//! history ([`score`], stored by [`scores`]). Histories on which the recommender disagrees with it are used to refine
//! it, with soft labels ([`fit::refine`]). Only adapters and a head are trained (`ingle-lm`); the reader's folder
//! ([`folder`]) stores these and the identity of the language model.
//!
//! The published method prompts a large language model. This one uses the hidden states of a small encoder: its lower
//! layers read every title once, its last layers a whole window, in one short pass per history on a CPU. No language
//! model is shipped to the browser.

pub mod fit;
pub mod folder;
pub mod learner;
pub mod score;
pub mod score_files;
pub mod scores;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod windows;

pub use folder::Reader;
pub use scores::{ScoredSplit, Scores};
pub use settings::Settings;
pub use windows::Titles;

use crate::data::InputError;
use burn::prelude::*;
use ingle_lm::LanguageModel;
use std::path::Path;

/// Opens a language model. An invalid folder is an input error.
///
/// # Errors
/// Says what is missing or invalid, and how to get a model.
pub fn open_lm(dir: &Path, device: &Device) -> Result<LanguageModel, InputError> {
    LanguageModel::open(dir, device).map_err(|error| InputError::other(error.to_string()))
}
