//! Errors of a language model's folder. Every message says what to do.

use std::path::PathBuf;

/// The folder contains no language model that this crate can run.
#[derive(Debug, thiserror::Error)]
pub enum LmError {
    /// A file is missing or not readable.
    #[error(
        "no language model in {}: cannot read {file} ({source}). `scripts/fetch-lm` brings all-MiniLM-L6-v2 \
         and prints its folder",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file in it.
        file: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
    /// The configuration is of an unsupported architecture.
    #[error(
        "{}: the model's {what} is {found}, and only {expected} can be run; `scripts/fetch-lm` brings one that can",
        path.display()
    )]
    Architecture {
        /// The configuration file.
        path: PathBuf,
        /// The key with the unsupported value.
        what: &'static str,
        /// Its value.
        found: String,
        /// The supported value.
        expected: &'static str,
    },
    /// The configuration cannot be read, or is not valid.
    #[error("{}: {reason}; fetch the model again (`scripts/fetch-lm`)", path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokeniser cannot be read, or does not fit the model.
    #[error("{}: not a tokeniser of this model: {reason}; fetch the model again (`scripts/fetch-lm`)", path.display())]
    Tokenizer {
        /// The tokeniser's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights cannot be read, or do not match the configuration.
    #[error("{}: {reason}; fetch the model again (`scripts/fetch-lm`)", path.display())]
    Weights {
        /// The weights' file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
