//! Settings of a run, and the folder of the language model that they name.

use ingle_lm::folder::default_folder;
use std::path::PathBuf;

pub use ingle_settings::*;

/// Folder of the language model, if the settings name one.
pub fn lm_folder(settings: &Denoising) -> Option<PathBuf> {
    match settings.language_model.as_str() {
        "" => None,
        "default" => Some(default_folder()),
        folder => Some(folder.into()),
    }
}
