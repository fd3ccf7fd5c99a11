//! Errors of signed releases: what was found, and what to do about it.

use ingle_bundle::BundleError;

/// Everything that can be wrong with a signed release, with a stable [`code`](DeliveryError::code) for programs and a
/// message for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// A file does not have the form that this version reads.
    #[error("{file}: {reason}")]
    Format {
        /// The file's name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A key is of an algorithm that this version does not know.
    #[error(
        "{file}: the key {key} is of the algorithm {found:?}, and this version of Ingle knows ed25519"
    )]
    Algorithm {
        /// The file's name.
        file: String,
        /// The key's id.
        key: String,
        /// The algorithm as it was written.
        found: String,
    },
    /// Not enough valid signatures.
    #[error(
        "{file}: {valid} valid signatures of the keys for {role}, and {needed} are needed{why}"
    )]
    Signature {
        /// The file's name.
        file: String,
        /// What the keys are for.
        role: &'static str,
        /// Number of keys with a valid signature.
        valid: usize,
        /// The threshold.
        needed: usize,
        /// Why the first signature that is not valid is not, or nothing.
        why: String,
    },
    /// The file belongs to another shop.
    #[error("{file} is of the shop {found:?}, not of {expected:?}")]
    Shop {
        /// The file's name.
        file: String,
        /// The shop that was expected.
        expected: String,
        /// The shop that the file names.
        found: String,
    },
    /// An older release than one that was seen before, or than one that is known to be out.
    #[error("{file} is of epoch {}, release {}, and epoch {}, release {} is known", found.0, found.1, known.0, known.1)]
    Rollback {
        /// The file's name.
        file: String,
        /// The epoch and release that were found.
        found: (u64, u64),
        /// The lowest epoch and release that are accepted.
        known: (u64, u64),
    },
    /// A file is no longer valid.
    #[error("{file} expired {days} days ago: publish again, which makes a new one")]
    Expired {
        /// The file's name.
        file: String,
        /// Whole days since then.
        days: u64,
    },
    /// A signed manifest is not the one that the channel names.
    #[error("{file} is not the file that {by} names: its SHA-256 is {found}")]
    Hash {
        /// The file's name.
        file: String,
        /// Who names it.
        by: String,
        /// SHA-256 of what was found.
        found: String,
    },
    /// A delta does not make what it is for.
    #[error("the delta cannot be used: {reason}")]
    Delta {
        /// Why.
        reason: String,
    },
    /// A signer failed, or a private key cannot be read.
    #[error("{signer}: {reason}")]
    Signer {
        /// The key file or the command.
        signer: String,
        /// What went wrong.
        reason: String,
    },
    /// The change of keys or of the release that was asked for is not possible.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// Somebody else is publishing, or has published meanwhile.
    #[error(
        "{what}: another publisher was faster; look at what it has published, then publish again"
    )]
    Conflict {
        /// What is not as it was.
        what: String,
    },
    /// A store does not let the key that it is asked with do something.
    #[error(
        "{store} does not allow to {action} with this key, which must be the right one and may read, write and list: {reason}"
    )]
    Denied {
        /// The store's address.
        store: String,
        /// What was attempted.
        action: String,
        /// The server's answer.
        reason: String,
    },
    /// A store writes although a condition does not hold.
    #[error(
        "{store} writes a file on the condition {condition}, though it does not hold: of two publishers at once \
         one would undo the other's release. Nothing was released; publish to a folder, and copy it there, \
         channel.json last"
    )]
    Conditions {
        /// The store's address.
        store: String,
        /// What the store was asked to look at.
        condition: &'static str,
    },
    /// A file is missing.
    #[error("{file} is missing")]
    Missing {
        /// The file's name.
        file: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action}: {reason}")]
    Io {
        /// What was attempted.
        action: String,
        /// The system's error.
        reason: String,
    },
    /// The bundle itself is at fault.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl DeliveryError {
    /// A stable name of the kind of error, for programs; the npm package uses the same names.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Format { .. } => "delivery/format",
            Self::Algorithm { .. } => "delivery/algorithm",
            Self::Signature { .. } => "delivery/signature",
            Self::Shop { .. } => "delivery/shop",
            Self::Rollback { .. } => "delivery/rollback",
            Self::Expired { .. } => "delivery/expired",
            Self::Hash { .. } => "delivery/hash",
            Self::Delta { .. } => "delivery/delta",
            Self::Signer { .. } => "delivery/signer",
            Self::Refused { .. } => "delivery/refused",
            Self::Conflict { .. } => "delivery/conflict",
            Self::Denied { .. } => "delivery/denied",
            Self::Conditions { .. } => "delivery/conditions",
            Self::Missing { .. } => "delivery/missing",
            Self::Io { .. } => "delivery/io",
            Self::Bundle(error) => error.code(),
        }
    }

    pub(crate) fn format(file: &str, reason: impl Into<String>) -> Self {
        Self::Format {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }

    pub(crate) fn io(action: impl Into<String>, error: &std::io::Error) -> Self {
        Self::Io {
            action: action.into(),
            reason: error.to_string(),
        }
    }
}
