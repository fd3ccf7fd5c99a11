//! The semantic prior of DC4SR: a language model reads the titles of a history's latest clicks together
//! and says of each how likely it does not belong.
//!
//! It is fine-tuned on training histories some of whose clicks are replaced, which labels them
//! ([`fit`]), then asked about every history ([`score`], kept in [`scores`]). Histories on which the
//! recommender later disagrees with it come back with soft labels ([`fit::refine`]). Only adapters and a
//! head are learnt (`ingle-lm`); the folder of a prior ([`folder`]) holds those and names the language
//! model they belong to.
//!
//! Where the published method asks a large language model by prompt, this one reads a small encoder's
//! hidden states: its lower layers read every title once, the last ones a whole window, in one short pass
//! a history on a processor. No language model is shipped to the browser.

pub mod fit;
pub mod folder;
pub mod learner;
pub mod opinions;
pub mod score;
pub mod scores;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod windows;

pub use folder::Prior;
pub use scores::{ScoredSplit, Scores};
pub use settings::Settings;
pub use windows::Titles;

use crate::data::InputError;
use burn::prelude::*;
use ingle_lm::LanguageModel;
use std::path::Path;

/// Reads a language model; what is wrong with its folder is the input's fault.
///
/// # Errors
/// Says what is missing or wrong, and how to get a model.
pub fn open_lm(dir: &Path, device: &Device) -> Result<LanguageModel, InputError> {
    LanguageModel::open(dir, device).map_err(|error| InputError::other(error.to_string()))
}
