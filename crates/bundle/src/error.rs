//! Errors of bundles: what was found, and what to do about it.

use crate::FORMAT;

/// Everything that can be wrong with a bundle, with a stable [`code`](BundleError::code) for programs
/// and a message for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle has a format that this reader does not support.
    #[error(
        "the bundle is of format {found}, and this version of Ingle reads format {FORMAT}: \
         use the version of Ingle that wrote it, or export the bundle again"
    )]
    Format {
        /// The version that the manifest states, as it was written.
        found: String,
    },
    /// The manifest is not valid, or contradicts itself.
    #[error("manifest.json: {reason}")]
    Manifest {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The manifest names a file that is not allowed in a bundle.
    #[error("the manifest names the file {name:?}: {reason}")]
    Name {
        /// The name as it was written.
        name: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A required file is missing.
    #[error("{what} is missing: copy the whole bundle again, files before manifest.json")]
    Missing {
        /// What is missing: a file's name, or a role that no file has.
        what: String,
    },
    /// A file is longer or shorter than the manifest states.
    #[error(
        "{name} has {found} bytes where the manifest says {expected}: the file was cut short or \
         replaced; fetch or copy it again"
    )]
    Size {
        /// The file's name.
        name: String,
        /// Bytes that the manifest states.
        expected: u64,
        /// Number of bytes found; a lower bound if reading stopped early.
        found: u64,
    },
    /// A file's contents differ from those in the manifest.
    #[error(
        "{name} has changed: its SHA-256 is {found} where the manifest says {expected}; fetch or \
         copy it again"
    )]
    Hash {
        /// The file's name.
        name: String,
        /// SHA-256 that the manifest states.
        expected: String,
        /// SHA-256 of the bytes that were read.
        found: String,
    },
    /// A tensor is missing, has another type or shape, or contains a value that is not finite.
    #[error("{file}: {reason}")]
    Tensor {
        /// The file's name, or the part of a bundle that is in memory.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The list of item ids does not have exactly one id per row.
    #[error("{file}: {reason}")]
    Ids {
        /// The file's name, or the part of a bundle that is in memory.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was attempted, with the path.
        action: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl BundleError {
    /// A stable name of the kind of error, for programs and for the npm package.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Format { .. } => "bundle/format",
            Self::Manifest { .. } => "bundle/manifest",
            Self::Name { .. } => "bundle/name",
            Self::Missing { .. } => "bundle/missing",
            Self::Size { .. } => "bundle/size",
            Self::Hash { .. } => "bundle/hash",
            Self::Tensor { .. } => "bundle/tensor",
            Self::Ids { .. } => "bundle/ids",
            Self::Io { .. } => "bundle/io",
        }
    }

    pub(crate) fn manifest(reason: impl Into<String>) -> Self {
        Self::Manifest {
            reason: reason.into(),
        }
    }

    pub(crate) fn tensor(file: &str, reason: impl Into<String>) -> Self {
        Self::Tensor {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn ids(file: &str, reason: impl Into<String>) -> Self {
        Self::Ids {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }
}
