//! The settings of a run, and the folder that one of them names.

use ingle_lm::folder::default_folder;
use std::path::PathBuf;

pub use ingle_settings::*;

/// The folder of the language model, if there is to be one.
pub fn lm_folder(settings: &Denoising) -> Option<PathBuf> {
    match settings.language_model.as_str() {
        "" => None,
        "default" => Some(default_folder()),
        folder => Some(folder.into()),
    }
}
