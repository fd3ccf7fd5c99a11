//! Checks what Ingle needs: on this machine, in a bundle's folder, or at the host of a page and its bundle.
//!
//! Each result is a [`Check`]: what was found and, if it is not as it should be, what to do.

mod bundle;
mod engine;
mod fetch;
mod host;
mod machine;
mod markup;
mod page;
mod policy;

pub use bundle::folder;
pub use host::{Asked, address};
pub use machine::machine;

use serde::Serialize;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// It works but could be better, or is needed for some uses only.
    Note,
    /// Something will not work.
    Bad,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, in a word or two.
    pub what: String,
    /// The result.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, if it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Good,
            found: found.into(),
            advice: None,
        }
    }

    fn note(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Note,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    fn bad(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            state: State::Bad,
            ..Self::note(what, found, advice)
        }
    }
}
