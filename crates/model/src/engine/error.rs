//! Errors of an engine.

use crate::backbone::Kind;
use crate::config::ConfigError;
use crate::weights::WeightsError;
use ingle_bundle::BundleError;

/// An engine cannot be made from a bundle, or cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The bundle is invalid.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle's method is unknown to this engine.
    #[error(
        "the bundle was trained with method {found:?}, which this build does not have; it has {known}: update the package, use a build that registers it or export the bundle again"
    )]
    Method {
        /// The name in the manifest.
        found: String,
        /// Names of the methods that it has.
        known: String,
    },
    /// The bundle's encoder is unknown to this engine.
    #[error(
        "the bundle's backbone is {found:?}, which this build does not have; it has {known}: use a build that registers it"
    )]
    Encoder {
        /// The name in the manifest.
        found: String,
        /// Names of the encoders that it has.
        known: String,
    },
    /// The configuration cannot be read or describes no model.
    #[error("the bundle's {part} configuration is not usable: {reason}")]
    Config {
        /// Which part of the manifest.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The weights do not fit the configuration.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// An option of a call is invalid.
    #[error("{option}: {reason}")]
    Option {
        /// Which option.
        option: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The device failed while computing.
    #[error("the device failed while computing: {0}")]
    Device(String),
}

impl EngineError {
    pub(super) fn method(found: &str, known: &[&str]) -> Self {
        Self::Method {
            found: found.to_owned(),
            known: known.join(", "),
        }
    }

    pub(super) fn encoder(found: &str, known: &[Kind]) -> Self {
        let known: Vec<&str> = known.iter().map(|kind| kind.name()).collect();
        Self::Encoder {
            found: found.to_owned(),
            known: known.join(", "),
        }
    }

    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Method { .. } => "method/unknown",
            Self::Encoder { .. } => "backbone/unknown",
            Self::Config { .. } => "model/config",
            Self::Weights(_) => "model/tensor",
            Self::Option { .. } => "input/options",
            Self::Device(_) => "device/compute",
        }
    }
}

impl From<ConfigError> for EngineError {
    fn from(error: ConfigError) -> Self {
        Self::Config {
            part: "model",
            reason: error.to_string(),
        }
    }
}
