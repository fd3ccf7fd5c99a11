//! Why a history could not be judged. No message holds the key.

use std::path::PathBuf;
use std::time::Duration;

/// Why a history could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// A setting that cannot be used.
    #[error("{setting}: {what}")]
    Setting {
        /// Name of the field of [`Settings`](crate::Settings).
        setting: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The server will not answer such a request, however often it is sent.
    #[error("{url} refused the request ({status}): {message}{advice}")]
    Refused {
        /// The address that was asked.
        url: String,
        /// The status of its answer.
        status: u16,
        /// What it said, shortened.
        message: String,
        /// What to do, where that is known, after a `; `.
        advice: String,
    },
    /// The server gave no usable answer, and not on trying again either.
    #[error("{url} gave no answer in {attempts} attempts: {trouble}")]
    GaveUp {
        /// The address that was asked.
        url: String,
        /// How often it was asked.
        attempts: u32,
        /// What happened the last time.
        trouble: Trouble,
    },
    /// The server answers, but not what a score can be computed from.
    #[error("{url} cannot be used: {found}; {remedy}")]
    Unsupported {
        /// The address that was asked.
        url: String,
        /// What it answers.
        found: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The file of answers cannot be used.
    #[error("the answers in {} cannot be used: {what}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The stop flag was set. Every answer so far is kept: asking again goes on from here.
    #[error("stopped with {answered} of {total} answers, which are kept: run it again to go on")]
    Stopped {
        /// Answers there are.
        answered: usize,
        /// Answers that were asked for.
        total: usize,
    },
}

/// What can go wrong with one request and may go right the next time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No connection, or one that broke.
    #[error("it cannot be reached ({0}); check that the server runs and that the address is right")]
    Unreachable(String),
    /// No whole answer in time.
    #[error(
        "no whole answer within {0:?}; send fewer prompts in a request, or allow a longer timeout"
    )]
    TimedOut(Duration),
    /// The server says that it cannot answer now.
    #[error("status {status}: {message}")]
    Busy {
        /// 408, 429 or 5xx.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// The answer is no completion.
    #[error("the answer is no completion ({0}); check that the address ends before /completions")]
    Malformed(String),
}
